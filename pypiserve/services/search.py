"""The search of ``pip search``: by name, bounded. Spec: PyPI's XML-RPC method ``search``, which PyPI turned off."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.utils import canonicalize_name

from pypiserve.catalog import legacy
from pypiserve.catalog.database import Database
from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.errors import NotFound
from pypiserve.core.project_patterns import Reach
from pypiserve.services.json_api import JsonApi

__all__ = ["MAX_FOUND", "MAX_TERMS", "Search"]

MAX_FOUND = 100
"""Most projects in one answer."""

MAX_TERMS = 10
"""Terms that count; more are left out."""

_MAX_TERM_LENGTH = 200


class Search:
    """Finds projects by words in their names; what may not be seen is not found."""

    def __init__(self, database: Database, json_api: JsonApi) -> None:
        self._database = database
        self._json_api = json_api

    async def by_name(
        self, index: IndexRecord, reach: Reach, words: Sequence[str], *, every: bool
    ) -> list[dict[str, str]]:
        """
        Return name, summary and latest version of projects, by name.

        Args:
            index: Where.
            reach: The projects that may be read.
            words: In any spelling.
            every: Whether a name must have all of them, instead of one.

        Returns:
            At most ``MAX_FOUND``. Summaries are empty: they are not in the catalog.
        """
        terms = [canonicalize_name(word.strip()[:_MAX_TERM_LENGTH]) for word in words if word.strip()][:MAX_TERMS]
        if not terms:
            return []
        names = await self._database.read(
            lambda connection: legacy.names_with(connection, index.id, reach, terms, every=every, limit=MAX_FOUND)
        )
        found = []
        for name in names:
            try:
                shown = await self._json_api.find(index, name)
            except NotFound:  # all its files are withheld, or it has just been deleted
                continue
            found.append({"name": shown.project.display_name, "summary": "", "version": shown.latest})
        return found
