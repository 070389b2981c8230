"""The ``info`` object of the legacy JSON API, from core metadata. Spec: PyPI's JSON API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["describe"]

_TEXTS = (
    "author",
    "author_email",
    "description",
    "description_content_type",
    "download_url",
    "home_page",
    "keywords",
    "license",
    "license_expression",
    "maintainer",
    "maintainer_email",
    "platform",
    "requires_python",
    "summary",
)
_LISTS = {
    "dynamic": "dynamic",
    "license_files": "license-file",
    "provides_extra": "provides-extra",
    "requires_dist": "requires-dist",
}


def describe(fields: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """
    Return what the core metadata say; fields that are missing are ``None``, and classifiers an empty list.

    Args:
        fields: All values of each field, under its lowercase name.
    """
    texts = {key: fields.get(key.replace("_", "-"), (None,))[0] for key in _TEXTS}
    lists = {key: list(fields[name]) if name in fields else None for key, name in _LISTS.items()}
    return {
        **texts,
        **lists,
        "bugtrack_url": None,
        "classifiers": list(fields.get("classifier", ())),
        "docs_url": None,
        "downloads": {"last_day": -1, "last_month": -1, "last_week": -1},
        "project_urls": _project_urls(fields) or None,
    }


def _project_urls(fields: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    # As on PyPI, the two fields from before Project-URL are among them.
    urls = {
        label: fields[field][0]
        for label, field in (("Download", "download-url"), ("Homepage", "home-page"))
        if field in fields
    }
    for value in fields.get("project-url", ()):
        label, comma, url = value.partition(",")
        if comma:
            urls[label.strip()] = url.strip()
    return urls
