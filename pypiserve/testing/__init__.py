"""
The testing kit, for plugin authors and for pypiserve itself.

Builders make real distribution files; ``pypiserve.testing.contracts`` has the test classes that every backend
inherits; ``pypiserve.testing.fakes`` has small real implementations. Install it with ``pypiserve[testing]``.
"""

from pypiserve.testing.builders import BuiltFile, a_wheel, an_sdist

__all__ = ["BuiltFile", "a_wheel", "an_sdist"]
