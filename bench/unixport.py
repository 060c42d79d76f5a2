"""Memory and instructions on the MicroPython unix port (64 bits: twice as wide as a board).

imported_heap      bytes on the heap after the import, garbage not counted
first_wake_heap    bytes that the first wake of a process allocates after the import, garbage
                   counted and the collector off; later_wake_heap: a later one with the same
                   object; new_object_heap: with a new one
smallest_heap      `-X heapsize` under which a whole wake runs, import included, by bisection. The
                   script and its chips' contents lie there too: what they need alone is the floor
*_instructions     counted by valgrind (callgrind) in the interpreter's main function, its start
                   included. Role known: the import and, from other runs, what making the object and
                   `health_check()` add, less what the same transfers cost without the library; of
                   a lock: what its import adds to the library's. source_imported: the import of
                   the package's .py files, which are compiled at every wake
lock_*_heap        of a lock: importing it after the library, its object, an acquire and a release

Each figure is taken twice and must be the same. MicroPython runs in a folder and with an
environment of its own.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.peers import SYSTEMS
from bench.sizes import LIBRARY, package_files
from bench.steps import STEPS, make_image

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
MODULES = (
    "board",
    "peers",
    "steps",
    "first_version",
    "lock_heap",
)  # of bench, that run on MicroPython
SIZES = ((2, 2), (8, 8))  # nodes, EEPROMs
ROLES = ("standby", "primary")
HEAP_NAMES = ("imported_heap", "first_wake_heap", "later_wake_heap", "new_object_heap")
LOCK_NAMES = ("lock_imported_heap", "lock_object_heap", "lock_acquire_heap")
STEP_BYTES = 64  # to which the smallest heap is found
TIMEOUT_S = 120
CALLGRIND = (
    "valgrind", "--tool=callgrind", "--toggle-collect=micropython_unix_main",
    "--callgrind-out-file=/dev/null",
)  # fmt: skip
# The same command line everywhere, because it moves the stack, and what the C library does depends
# on how bytes are aligned there; and a name for sys.executable without the folder's path. What is
# left: the path's length changes the state of malloc, and with it up to 0.1 % of the instructions.
LAUNCHER = """import sys
sys.path.append(%r)
sys.argv[0] = "/"
from micropython_unix import main
sys.exit(main())
"""


class BenchError(Exception):
    """A figure cannot be taken, or is not the same twice."""


def prepare(folder):
    """Put the library, the compiled modules of bench and the images into the empty folder."""
    newest = max(path.stat().st_mtime for path in (ROOT / "src/eecluster").glob("*.py"))
    built = LIBRARY / "__init__.mpy"
    if not built.exists() or built.stat().st_mtime < newest:
        raise BenchError("build/mpy is missing or older than src/eecluster: make mpy")
    shutil.copytree(LIBRARY, folder / "lib" / "eecluster")
    (folder / "src" / "eecluster").mkdir(parents=True)
    for target, path in package_files("package.json").items():
        shutil.copy(path, folder / "src" / target)
    shutil.copy(ROOT / "bench" / "first_version.py", folder / "src")
    (folder / "python").symlink_to(Path(sys.executable).resolve())
    (folder / "micropython").write_text(LAUNCHER % sysconfig.get_path("platlib"))
    (folder / "bench").mkdir()
    for name in MODULES:
        source, target = ROOT / "bench" / f"{name}.py", folder / "bench" / f"{name}.mpy"
        subprocess.run([TOOLS / "mpy-cross", "-O3", "-s", name, "-o", target, source], check=True)
    for system in SYSTEMS:
        for role in ROLES:
            for size in SIZES:
                image = "-".join(map(str, ("image", system, role, *size)))
                make_image(system, role, *size, folder / image)


class UnixPort:
    """MicroPython in a folder that `prepare` has filled."""

    def __init__(self, folder):
        self.folder = folder

    # Running it

    def run(self, *args, under=(), path="lib"):
        """Run MicroPython, with the library in that folder: the finished process."""
        return subprocess.run(
            [*under, "./python", "-I", "-S", "micropython", *map(str, args)],
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin", "MICROPYPATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )

    def output(self, *args, under=(), path="lib"):
        """What MicroPython prints, on both streams; BenchError if it fails."""
        done = self.run(*args, under=under, path=path)
        if done.returncode:
            raise BenchError(f"micropython {args}: exit code {done.returncode}\n{done.stderr}")
        return done.stdout, done.stderr

    # Memory

    def heap(self, system, role, size):
        """The figures of HEAP_NAMES."""
        printed = twice(self.output, *_board(system, role, size, "heap"))[0]
        numbers = printed.strip("()\n").split(", ")
        return dict(zip(HEAP_NAMES, map(int, numbers), strict=True))

    def lock_heap(self, strategy):
        """The figures of LOCK_NAMES."""
        printed = twice(self.output, "-m", "bench.lock_heap", strategy)[0]
        return dict(zip(LOCK_NAMES, map(int, printed.strip("[]\n").split(", ")), strict=True))

    def fits(self, system, role, size, step, heap_bytes):
        """Does the step of bench.board run with that heap?"""
        done = self.run("-X", f"heapsize={heap_bytes}", *_board(system, role, size, step))
        if done.returncode and "MemoryError" not in done.stdout + done.stderr:
            raise BenchError(f"with {heap_bytes} bytes of heap: {done.stdout}{done.stderr}")
        return not done.returncode

    def smallest_heap(self, system, role, size, step):
        """Bytes of heap that the step of bench.board needs."""
        low, high = 32, 4096  # in steps: too little, enough
        while high - low > 1:
            middle = (low + high) // 2
            if self.fits(system, role, size, step, middle * STEP_BYTES):
                high = middle
            else:
                low = middle
        again = [self.fits(system, role, size, step, n * STEP_BYTES) for n in (low, high)]
        if again != [False, True]:
            raise BenchError(f"{system}, {role}, {size}, {step}: no limit at {high * STEP_BYTES}")
        return high * STEP_BYTES

    # Instructions

    def count(self, *args, path="lib"):
        """Instructions of one run."""
        said = self.output(*args, under=CALLGRIND, path=path)[1]
        found = re.search(r"Collected : (\d+)", said)
        if not found or found[1] == "0":
            raise BenchError(f"valgrind counted nothing:\n{said}")
        return int(found[1])

    def counts(self, runs, path="lib"):
        """Instructions of each run."""
        return side_by_side(lambda args: twice(self.count, *args, path=path), runs)

    def start(self):
        """Instructions of an interpreter that does nothing."""
        return self.counts([("-c", "pass")])[0]

    def imported(self, system):
        """Instructions from the interpreter's start to the import's end."""
        module = "eecluster" if system == "eecluster" else "bench.first_version"
        return self.counts([("-c", f"import {module}")])[0]

    def source_imported(self):
        """The same for the .py files of each of SYSTEMS."""
        modules = ("eecluster", "first_version")
        return self.counts([("-c", f"import {module}") for module in modules], path="src")

    def look(self, system, role, size):
        """Instructions from the import until the role is known, the simulator's not counted."""
        transfers = self.output(*_board(system, role, size, "trace"))[0]
        trace = "-".join(map(str, ("trace", system, role, *size)))
        (self.folder / trace).write_text(transfers)
        if self.output(*_board(system, role, size, "replay"))[0] != "0\n":
            raise BenchError("the simulated I2C object allocates memory")
        steps = ("import", "look", "idle", "replay")
        imported, looked, idle, replayed = self.counts(
            [_board(system, role, size, step) for step in steps]
        )
        return looked - imported - (replayed - idle)


def side_by_side(measure, items):
    """The figures of all items, taken on all processors at once."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(measure, items))


def twice(measure, *args, **options):
    """The figure, if it is the same twice."""
    first, second = measure(*args, **options), measure(*args, **options)
    if first != second:
        raise BenchError(f"{measure.__name__}{args}: {first}, then {second}")
    return first


def _board(system, role, size, step):
    """The arguments that run a step of bench.board or of bench.steps."""
    module = "bench.steps" if step in STEPS else "bench.board"
    return "-m", module, system, role, *size, step
