"""The site's own parts of Sphinx, on small pages: what they change, and what stops the build."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-docs" / "bin" / "python"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not PYTHON.exists() and os.environ.get("CI") != "true", reason="no .venv-docs: make docs"
    ),
]


def build(folder, page):
    """(exit code, what was printed, the HTML) of a site with that one page."""
    docs = folder / "docs"
    shutil.copytree(ROOT / "src" / "eecluster", folder / "src" / "eecluster")
    (folder / "LICENSE").write_text("free")
    docs.mkdir()
    shutil.copy(ROOT / "docs" / "conf.py", docs)
    for name in ("_sphinx", "_static"):
        shutil.copytree(ROOT / "docs" / name, docs / name)
    (docs / "index.md").write_text("# Title\n\n" + page)
    command = [PYTHON, "-m", "sphinx", "-q", "-n", "-W", docs, folder / "out"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    made = folder / "out" / "index.html"
    return done.returncode, done.stderr, made.read_text("utf-8") if made.exists() else ""


GOOD = """
[licence](../LICENSE) [source](../src/eecluster) [index.md](index.md#title)

| a | b | c |
|---|---|---|
| short | this is a cell with many words in it | this is one more of them, it is long |
| x | | y |

| a | b |
|---|---|
| 1 | 2 |

```text
a line that may be broken where it has to
```

```text
left     right
```

```pycon
>>> 1 + 1
2

```

> [!NOTE]
> As on GitHub.
"""


def test_what_is_changed(tmp_path):
    code, printed, html = build(tmp_path, GOOD)
    assert (code, printed) == (0, "")
    assert 'href="https://github.com/eecluster/eecluster/blob/main/LICENSE"' in html
    assert 'href="https://github.com/eecluster/eecluster/tree/main/src/eecluster"' in html
    assert ">Title</" in html.split("/tree/main/src/eecluster")[1]  # the link by the page's name
    assert html.count("docutils align-default cards") == 1
    assert html.count('data-head="b"') == 2  # of the cards one, an empty cell has no head
    assert html.count("notranslate wraps") == 1
    assert "2</span>\n</pre>" in html  # no empty line at the end of an example
    assert "admonition note" in html


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("[gone](../gone.py)", "no such file: ../gone.py"),
        ("[gone](gone.md)", "gone.md"),
        ("[gone](#gone)", "gone"),
        ("![a picture that is gone](gone.svg)", "gone.svg"),
        ("```{eval-rst}\n.. autofunction:: eecluster.gone\n```", "gone"),
    ],
)
def test_what_stops_the_build(tmp_path, page, complaint):
    code, printed, _ = build(tmp_path, page)
    assert code != 0 and complaint in printed
