"""`make avocado`, all of it: boards as MicroPython processes, broker, functions, tables, mails."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AVOCADO = ROOT / "examples" / "avocado"
TOOLS = [ROOT / f".venv-{name}" / "bin" / name for name in ("ministack", "sam")]
TIMEOUT_S = 900
PNG = b"\x89PNG"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(tool.exists() for tool in TOOLS) and os.environ.get("CI") != "true",
        reason="no ministack or sam: make cloud-tools",
    ),
]


def test_all_of_it(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "rehearsal", "--seed", "2", "--out", tmp_path],
        cwd=AVOCADO,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout
    assert len(re.findall("^  ✓ ", done.stdout, re.MULTILINE)) == 8
    assert "[rosie] a reading of board 0 was refused" in done.stdout
    assert (tmp_path / "avocado.png").read_bytes().startswith(PNG)
    assert (tmp_path / "mails.txt").read_text().count("What to do") >= 10
