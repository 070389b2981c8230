"""The rules of an index: what it accepts, and for how long it can take something back."""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = ["ExistingFiles", "HideAs", "IndexRules", "Validation"]


class Validation(enum.StrEnum):
    """How closely the files of an index are looked at."""

    STRICT = "strict"
    """Every check: what a new project of today must fulfil."""
    LENIENT = "lenient"
    """Safety and identity only, for mirrors and imports: files from years ago are as they are."""


class ExistingFiles(enum.StrEnum):
    """What happens to an upload under a file name that the index has already."""

    IMMUTABLE = "immutable"
    """It is refused, whatever its bytes."""
    IDEMPOTENT = "idempotent"
    """The same bytes succeed and change nothing; other bytes are refused."""
    OVERWRITE = "overwrite"
    """Other bytes take the place of those before: for development indexes."""


class HideAs(enum.StrEnum):
    """How somebody who is signed in is refused."""

    MISSING = "404"
    """What may not be read is not there; what may be read and not done is forbidden."""
    CHALLENGE = "401"
    """Every refusal asks for other credentials, as Gitea's registry does."""


Limit = Annotated[int, Meta(gt=0, le=10**15)]
Days = Annotated[int, Meta(gt=0, le=36_500)]


class IndexRules(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Every rule of an index, with its default; ``None`` stands for no limit."""

    validation: Annotated[
        Validation, Meta(description="`strict` makes every check; `lenient` those of safety and identity only.")
    ] = Validation.STRICT
    existing_files: Annotated[
        ExistingFiles,
        Meta(
            description="A file name that is taken: `immutable` refuses, `idempotent` lets the same bytes succeed, "
            "`overwrite` replaces the file."
        ),
    ] = ExistingFiles.IDEMPOTENT
    one_sdist_per_release: Annotated[bool, Meta(description="Whether a second sdist of a release is refused.")] = True
    close_releases_after_days: Annotated[
        Days | None, Meta(description="Age of a release, in days, from which on it takes no new files.")
    ] = None
    max_file_size_bytes: Annotated[
        Limit | None, Meta(description="Largest file; the server's own limit holds as well.")
    ] = None
    max_project_size_bytes: Annotated[
        Limit | None, Meta(description="Largest total size of the files of one project.")
    ] = None
    max_index_size_bytes: Annotated[
        Limit | None, Meta(description="Largest total size of all files of the index.")
    ] = None
    max_new_projects_per_day: Annotated[
        Limit | None, Meta(description="How many projects one identity may begin within 24 hours.")
    ] = None
    prohibited_names: Annotated[
        tuple[str, ...],
        Meta(description="Names that no new project may have; `*` stands for any characters, `?` for one."),
    ] = ()
    refuse_similar_names: Annotated[
        bool, Meta(description="Whether a new project is refused whose name looks like that of another.")
    ] = True
    refuse_standard_library_names: Annotated[
        bool, Meta(description="Whether a new project is refused that is called like a module of Python.")
    ] = True
    retention_days: Annotated[
        int,
        Meta(
            ge=0, le=36_500, description="How long deleted files can be restored, in days, before `gc` removes them."
        ),
    ] = 30
    hide_as: Annotated[
        HideAs,
        Meta(
            description="What who is signed in and may not read is told: `404` that nothing is there; `401`, as "
            "Gitea does, to sign in as somebody else, also where reading is allowed and more is not."
        ),
    ] = HideAs.MISSING
