"""How `make docs` turns the documents into pages; they read as they are on a forge, too."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

from genbench.core.version import __version__

project, author, version = "genbench", "The genbench maintainers", __version__
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"genbench {__version__}"
root_doc = "docs/README"
#: in the order of the navigation
PAGES = [
    *("README", "docs/running", "docs/evaluate", "docs/python", "docs/cli", "docs/data"),
    *("docs/metrics", "docs/claims", "docs/fairness", "docs/ci", "docs/judge", "results/README"),
    *("docs/speed", "ARCHITECTURE", "CONTRIBUTING", "SECURITY", "CHANGELOG"),
]
include_patterns = [f"{page}.md" for page in (root_doc, *PAGES)]
myst_heading_anchors = 3
#: files that pages link to and that are no pages are copied beside them
suppress_warnings = ["myst.header"]


def add_navigation(app: Sphinx, name: str, source: list[str]) -> None:
    """Adds the navigation to the first page, where a forge would show it as code."""
    if name == root_doc:
        pages = "\n".join(f"/{page}" for page in PAGES)
        source[0] += f"\n```{{toctree}}\n:hidden:\n\n{pages}\n```\n"


def add_entrance(app: Sphinx, error: Exception | None) -> None:
    """Writes index.html, which leads to the first page."""
    if error is None:
        page = f'<meta http-equiv="refresh" content="0; url={root_doc}.html">\n'
        (Path(app.outdir) / "index.html").write_text(page)


def setup(app: Sphinx) -> None:
    """Tells Sphinx of the above."""
    app.connect("source-read", add_navigation)
    app.connect("build-finished", add_entrance)
