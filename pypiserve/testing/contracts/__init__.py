"""The promises of each plugin interface, as tests to inherit."""

import pytest

# A failing promise shows its values, as a failing test of one's own does.
pytest.register_assert_rewrite(f"{__name__}.authenticators", f"{__name__}.file_stores", f"{__name__}.renderers")
