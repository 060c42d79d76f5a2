"""Sphinx: `make docs` builds these pages into build/docs, without a network."""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(DOCS / "_sphinx")]

from tools import packages  # noqa: E402

project = "eecluster"
author = "eecluster contributors"
copyright = author
release = version = packages.version(ROOT)

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_design",
    "sphinx_copybutton",
    "links",
    "phone",
]
exclude_patterns = ["_*"]
nitpicky = True
repository_url = packages.REPOSITORY.replace("github:", "https://github.com/")

myst_enable_extensions = ["alert", "colon_fence"]
myst_heading_anchors = 4  # as on GitHub: [text](page.md#a-heading)

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True

copybutton_prompt_text = r">>> |\.\.\. "  # copy what is typed, not what is printed
copybutton_prompt_is_regexp = True

pygments_dark_style = "github-dark"
html_theme = "furo"
html_title = "eecluster"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_copy_source = False
html_theme_options = {
    "source_repository": repository_url,
    "source_branch": "main",
    "source_directory": "docs/",
    "light_css_variables": {"color-brand-primary": "#0b69a3", "color-brand-content": "#0b69a3"},
    "dark_css_variables": {"color-brand-primary": "#62b0e8", "color-brand-content": "#62b0e8"},
}
