"""
The testing kit, for plugin authors and for pypiserve itself.

Builders make real distribution files; fakes are small real implementations of the plugin interfaces;
``pypiserve.testing.contracts`` has the test classes that every backend inherits. Install it with
``pypiserve[testing]``.
"""

from pypiserve.testing.builders import BuiltFile, a_wheel, an_sdist
from pypiserve.testing.fakes import Clock, FixedAuthenticator, MemoryApiTokens, MemoryFileStore, a_clock, a_context

__all__ = [
    "BuiltFile",
    "Clock",
    "FixedAuthenticator",
    "MemoryApiTokens",
    "MemoryFileStore",
    "a_clock",
    "a_context",
    "a_wheel",
    "an_sdist",
]
