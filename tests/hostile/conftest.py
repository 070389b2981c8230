"""Settings of the property tests of this folder."""

from __future__ import annotations

from hypothesis import settings

# By hand: pytest tests/hostile/test_read_alike.py --hypothesis-profile=long
settings.register_profile("long", max_examples=100_000, deadline=None)
