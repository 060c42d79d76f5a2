"""Run a board's main.py on CPython, with this folder's modules in place of MicroPython's.

Usage: python -u on_cpython.py main.py, in the folder that is the board's flash.
"""

import importlib.util
import os
import runpy
import sys
import time
import traceback
import types


def install():
    """Give CPython what a board's program may import."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.modules["utime"] = time
    sys.print_exception = traceback.print_exception
    micropython = types.ModuleType("micropython")
    micropython.const = lambda value: value
    sys.modules["micropython"] = micropython
    flash = os.getcwd()
    others = [path for path in sys.path if path != here]
    sys.path[:] = [flash, os.path.join(flash, "lib"), here] + others
    # `time` is built into CPython: no path leads to the file of that name.
    spec = importlib.util.spec_from_file_location("time", os.path.join(here, "time.py"))
    virtual = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(virtual)
    sys.modules["time"] = virtual


if __name__ == "__main__":
    install()
    runpy.run_path(sys.argv[1], run_name="__main__")
