"""How Sphinx builds the documentation: `make docs`.

The source is the whole repository, so that links between its pages, wherever they lie, are followed and checked;
ADR 0050 says why.
"""

import re
from importlib.metadata import version as installed_version
from pathlib import Path

from sphinx.application import Sphinx

project = "surefoot"
author = "the surefoot authors"
release = version = installed_version("surefoot")

extensions = ["myst_parser", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "clients/python/README.md",
    "loadtests/README.md",
    "service/surefoot/embedded/adapters/*/README.md",
]
exclude_patterns = [".*", "**/.*", "out", "tests", "**/*.egg-info", "**/__pycache__"]

myst_heading_anchors = 4
nitpicky = True
# JSON that is shortened with "…" is no JSON to a lexer.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = f"surefoot {release}"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_additional_pages = {"index": "to_docs.html"}
templates_path = ["_templates"]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0072B2", "color-brand-content": "#0072B2"},
    "dark_css_variables": {"color-brand-primary": "#56B4E9", "color-brand-content": "#56B4E9"},
}
pygments_style = "default"
pygments_dark_style = "monokai"
copybutton_prompt_text = r"\$ "
copybutton_prompt_is_regexp = True


def pages_without_a_place(index: str) -> list[str]:
    """Pages of this folder that the index does not name: a new page is found from the day it is written."""
    named = set(re.findall(r"^[\w./-]+$", index, re.MULTILINE))
    return sorted({page.stem for page in Path(__file__).parent.glob("*.md")} - named - {"index"})


def link_to_code(_: Sphinx, docname: str, source: list[str]) -> None:
    """On GitHub links may lead to folders and programs; a page that is built has none to lead to, and names them."""

    def named(found: re.Match[str]) -> str:
        text, target = found.group(1), found.group(2)
        is_page = target.startswith(("http", "#", "mailto:")) or target.split("#")[0].endswith((".md", ".json"))
        return found.group() if is_page else text

    if docname == root_doc:
        source[0] = source[0].replace("(pages without a place)", "\n".join(pages_without_a_place(source[0])))
    if docname == "docs/adr/README":
        # Each decision is a page below the list; fifty of them would bury everything else in the navigation.
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\n0*\n```\n"
    source[0] = re.sub(r"(?<!!)\[([^\]\n]+)\]\(([^)\s]+)\)", named, source[0])


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.connect("source-read", link_to_code)
