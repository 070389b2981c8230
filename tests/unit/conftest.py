"""Settings for the property tests."""

from __future__ import annotations

from hypothesis import settings

# A slow machine is no failure, and nothing that was found on one run may decide another.
settings.register_profile("pypiserve", deadline=None, database=None)
settings.load_profile("pypiserve")
