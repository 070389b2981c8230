"""A private Python package index: publish with twine, install with pip, extend with plugins."""

__version__ = "0.1.0"
