"""Runs test files on MicroPython: the functions `test_*` of each, in the order of the file.

    export MICROPYPATH=.:src:tests:tests/both:tests/upy:.frozen
    micropython tests/run_micropython.py [tests/both/test_x.py ...]

Without arguments: all of tests/both. Run it from the project's root. The last line is
`N passed, M failed`; the exit code is 0 only if something passed and nothing failed.
`make micropython` runs each file in a process of its own.
"""

import os
import sys

FOLDER = "tests/both"


def test_names(path):
    """The test functions in the file, in its order (a dict has none on MicroPython)."""
    names = []
    with open(path) as file:
        for line in file:
            if line.startswith("def test_"):
                names.append(line[4 : line.index("(")].strip())
    return names


def attempt(label, function, *args):
    """(True, result), or (False, None) after printing what went wrong."""
    try:
        return True, function(*args)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also what a simulated power loss or sys.exit() raises
        print("FAILED", label)
        sys.print_exception(error)
        return False, None


def run_file(path):
    """Runs one file and returns (passed, failed). A file that cannot be imported is one failure."""
    name = path.split("/")[-1][:-3]
    ok, module = attempt(path, __import__, name)
    if not ok:
        return 0, 1
    passed = failed = 0
    for test in test_names(path):
        ok, _ = attempt(path + "::" + test, getattr(module, test))
        passed += ok
        failed += not ok
    return passed, failed


def all_files():
    names = sorted(entry[0] for entry in os.ilistdir(FOLDER))
    return [
        FOLDER + "/" + name for name in names if name.startswith("test_") and name[-3:] == ".py"
    ]


def main():
    passed = failed = 0
    for path in sys.argv[1:] or all_files():
        good, bad = run_file(path)
        print(path + ":", good, "passed,", bad, "failed")
        passed += good
        failed += bad
    print(passed, "passed,", failed, "failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
