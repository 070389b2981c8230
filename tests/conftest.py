"""Fixtures for all tests: the testing kit's own, as plugin authors use them."""

pytest_plugins = ["pypiserve.testing.fixtures"]
