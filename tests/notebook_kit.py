"""Run a notebook as somebody does who has two boards and does what the notebook asks for by hand.

    .venv-notebook/bin/python tests/notebook_kit.py NOTEBOOK

The boards are simulated ones, but the notebook is told nothing but their ports. When it asks to
press the reset button, the board loses its power; when it asks whether it has power, it gets it.
Prints what was asked. The exit code is 1 if a cell has failed.
"""

import json
import os
import re
import sys
from pathlib import Path

from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK_FOLDER = ROOT / "examples" / "notebook"
sys.path.insert(0, str(NOTEBOOK_FOLDER))

from simulated import SimulatedBoards  # noqa: E402

CELL_S = 60


def code_cells(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def do(boards, prompt):
    """What the prompt asks for."""
    (n,) = map(int, re.findall(r"board (\d)", prompt))
    if "reset button" in prompt:
        boards.off(n)
    elif "power?" in prompt:
        boards.on(n)
    else:
        raise ValueError(f"who has boards does not know what to do: {prompt}")


def run(path, boards):
    """Run all cells; returns the message of the first error, or None."""
    manager, client = start_new_kernel(cwd=str(NOTEBOOK_FOLDER))

    def answer(message):
        prompt = message["content"]["prompt"]
        print(prompt)
        do(boards, prompt)
        client.input("")

    try:
        for cell in code_cells(path):
            done = client.execute_interactive(
                cell, allow_stdin=True, stdin_hook=answer, timeout=CELL_S
            )["content"]
            if done["status"] != "ok":
                return f"{done['ename']}: {done['evalue']}"
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    return None


def main(path):
    boards = SimulatedBoards()
    os.environ["EECLUSTER_PORTS"] = " ".join(boards.ports)
    try:
        return run(Path(path), boards)
    finally:
        boards.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
