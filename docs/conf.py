"""How the documentation is built: `sphinx-build -W --keep-going -b html docs docs/_build/html`, without a network."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pypiserve import __version__

if TYPE_CHECKING:
    from docutils.nodes import Element
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "pypiserve"
author = "The pypiserve authors"
copyright = "The pypiserve authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "changelog.d"]
language = "en_GB"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
autodoc_inherit_docstrings = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

nitpicky = True
# Other projects' names cannot be looked up without a network; our own must all be found.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!pypiserve).*"),
    # What the server fixture hands out on the way; not for plugin authors.
    (r"py:class", r"pypiserve\.(settings\.Settings|compose\.OfflineCatalog)"),
    # Type variables and private parts of the public signatures.
    (r"py:.*", r"pypiserve\.[a-z._]+\.(_\w+|\w+T|\w+T_co)"),
]

html_theme = "furo"
html_title = f"pypiserve {__version__}"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}


def setup(app: Sphinx) -> None:
    """Mend two things that autodoc cannot know."""
    app.connect("missing-reference", _find_public_name)
    app.connect("autodoc-process-signature", _hide_signature_of_protocol)


def _hide_signature_of_protocol(*event: Any) -> tuple[str, None] | None:
    """Leave out what Python puts in the place of a protocol's constructor: nobody calls it."""
    documented = event[3]
    return ("", None) if getattr(documented, "_is_protocol", False) else None


def _find_public_name(app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: Element) -> Any:
    """Let links to the module that defines a name of the plugin API lead to the place that documents it."""
    module, _, name = node.get("reftarget", "").rpartition(".")
    for public in ("pypiserve.plugin", "pypiserve.testing"):
        if module.startswith(f"{public}.") and name in importlib.import_module(public).__all__:
            domain = env.domains["py"]
            source: str = node["refdoc"]
            return domain.resolve_xref(env, source, app.builder, node["reftype"], f"{public}.{name}", node, contnode)
    return None
