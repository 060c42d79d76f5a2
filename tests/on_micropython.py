"""Runs tests/both on MicroPython (unix port), with the library's .py files, then its .mpy files.

The .mpy files are what boards load: the library's modules joined into three. There is no module of
its own in them that test_inner_*.py could import, so those files run with the .py files only.
Each file gets a process, and so a heap, of its own. The last line is `N passed, M failed` over all.
--quick leaves out the files that take long; they run with .mpy files only in any case.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MICROPYTHON = Path(sys.executable).parent / "micropython"
SEARCH = ".:src:tests:tests/both:tests/upy:.frozen"
# What the library is loaded from, the search path for that, and how its file's name must end.
LIBRARIES = ((".py", SEARCH, ".py"), (".mpy", "build/mpy:" + SEARCH, ".mpy"))
LONG = ("test_lock_contest.py", "test_explore.py", "test_crash_sweep.py", "test_lock.py")
INNER = "test_inner_"  # how the names of tests of the library's inner modules begin
TIMEOUT_S = 900
# The searches remember where they were. Not for all: a collection goes through the whole heap.
HEAPS = {"test_explore.py": "512M", "test_crash_sweep.py": "256M"}


def micropython(search, *args):
    """Runs MicroPython with that module search path; returns (exit code, everything it printed)."""
    try:
        done = subprocess.run(
            [MICROPYTHON, *args],
            cwd=ROOT,
            env=os.environ | {"MICROPYPATH": search},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return 1, f"stopped after {TIMEOUT_S} s\n"
    return done.returncode, done.stdout


def run_file(search, path):
    """Runs one test file; returns (passed, failed, output). No closing line is one failure."""
    heap = HEAPS.get(Path(path).name)
    options = ["-X", f"heapsize={heap}"] if heap else []
    code, output = micropython(search, *options, "tests/run_micropython.py", path)
    match = re.search(r"^(\d+) passed, (\d+) failed\n\Z", output, re.MULTILINE)
    if match is None:
        return 0, 1, f"{output}FAILED {path}: MicroPython ended with code {code}\n"
    passed, failed = int(match[1]), int(match[2])
    if code and not failed:
        return (
            passed,
            1,
            f"{output[: match.start()]}FAILED {path}: no test in it, or exit code {code}\n",
        )
    return passed, failed, output[: match.start()]


def loaded_from(search):
    """The file from which MicroPython loads the library on that path, or what went wrong."""
    return micropython(search, "-c", "import eecluster; print(eecluster.__file__)")[1].rstrip()


def run_all(jobs):
    """Runs (label, search, path), those that take long first; returns (passed, failed)."""
    passed = failed = 0
    jobs = sorted(jobs, key=lambda job: Path(job[2]).name not in LONG)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(lambda job: run_file(job[1], job[2]), jobs)
        for (label, _, path), (good, bad, output) in zip(jobs, done, strict=True):
            if bad:
                print(f"{path}, library as {label} files:")
            print(output, end="", flush=True)
            passed += good
            failed += bad
    return passed, failed


def runnable(paths, suffix, quick):
    """The files to run with the library as such files; says which are left out."""
    names = {path: Path(path).name for path in paths}
    if suffix == ".py":
        out, reason = LONG, "they take long, and run with .mpy files"
    else:
        out = [name for name in names.values() if name.startswith(INNER)]
        reason = "the bundle has no inner modules"
        if quick:
            out, reason = [*out, *LONG], reason + ", and some take long"
    print(f"without {', '.join(out)}: {reason}")
    return [path for path in paths if names[path] not in out]


def main(quick):
    if not MICROPYTHON.exists():
        print("no MicroPython here: its package exists for x86-64 Linux only")
        return 1 if os.environ.get("CI") == "true" else 0
    paths = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests/both").glob("test_*.py"))
    jobs, wrong = [], 0
    for label, search, suffix in LIBRARIES:
        origin = loaded_from(search)
        print(f"MicroPython, library as {label} files")
        if origin.endswith(suffix):
            jobs += [(label, search, path) for path in runnable(paths, suffix, quick)]
        else:
            print(f"FAILED: not loaded from a {label} file:\n{origin}")
            wrong += 1
    passed, failed = run_all(jobs)
    print(f"{passed} passed, {failed + wrong} failed")
    return 1 if failed or wrong or not passed else 0


if __name__ == "__main__":
    sys.exit(main("--quick" in sys.argv))
