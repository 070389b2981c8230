"""Building instances: what was built is closed, whatever happens to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from pypiserve.core.errors import PluginUnusable
from pypiserve.instances import build_instances
from pypiserve.parts import Parts
from pypiserve.picks import Pick, Picks
from pypiserve.plugin import Authenticator, AuthenticatorKind, BuildContext, FileStoreKind, NoSettings
from pypiserve.plugin._loading import Offer
from pypiserve.settings import InstanceSettings
from pypiserve.testing.fakes import FixedAuthenticator, MemoryFileStore, a_context


class ClosingStore(MemoryFileStore):
    """Notes that it was closed."""

    closed = False

    async def close(self) -> None:
        """Note it."""
        self.closed = True


def fail(_settings: NoSettings, _context: BuildContext) -> Authenticator:
    """Build nothing."""
    raise RuntimeError("no directory")


async def test_what_was_built_is_closed_when_a_later_plugin_cannot_be(tmp_path: Path) -> None:
    """The error names the distribution and the setting, and the store before it is closed."""
    store = ClosingStore()
    store_kind = FileStoreKind("memory", NoSettings, lambda _settings, _context: store, "in memory")
    failing = AuthenticatorKind("failing", NoSettings, fail, "never there")
    picks = Picks(
        store=Pick(
            InstanceSettings(kind="memory", name="memory"), Offer(store_kind, "acme 1.0", "acme"), NoSettings()
        ),
        authenticators=(
            Pick(
                InstanceSettings(kind="failing", name="failing", key="authenticators[0]"),
                Offer(failing, "acme 1.0", "acme"),
                NoSettings(),
            ),
        ),
        renderers=(),
        policies=(),
        subscribers=(),
    )
    parts = Parts()
    with pytest.raises(PluginUnusable, match=r"^Plugin acme 1\.0: authenticators\[0\] \(failing\) cannot be built"):
        build_instances(picks, a_context("", tmp_path), parts)
    await parts.close()
    assert store.closed


async def test_an_authenticator_is_told_of_the_others(tmp_path: Path) -> None:
    """Each sees the settings of all but itself, so that two which take the same tokens can refuse the start."""
    seen = {}

    def build(_settings: NoSettings, context: BuildContext) -> Authenticator:
        seen[context.name] = set(context.other_authenticators)
        return FixedAuthenticator(context.name, {})

    store_kind = FileStoreKind("memory", NoSettings, lambda _settings, _context: MemoryFileStore(), "in memory")
    kind = Offer(AuthenticatorKind("fixed", NoSettings, build, "some users"), "acme 1.0", "acme")
    picks = Picks(
        store=Pick(
            InstanceSettings(kind="memory", name="memory"), Offer(store_kind, "acme 1.0", "acme"), NoSettings()
        ),
        authenticators=tuple(Pick(InstanceSettings(kind="fixed", name=name), kind, NoSettings()) for name in "abc"),
        renderers=(),
        policies=(),
        subscribers=(),
    )
    parts = Parts()
    build_instances(picks, a_context("", tmp_path), parts)
    await parts.close()
    assert seen == {"a": {"b", "c"}, "b": {"a", "c"}, "c": {"a", "b"}}
