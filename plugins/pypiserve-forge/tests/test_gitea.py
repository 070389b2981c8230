"""Gitea and Forgejo: teams become roles, and a token does no more here than there."""

from __future__ import annotations

import pytest

from forge_fixtures import MakeAuthenticator
from forge_process import Forges
from people import GITEA, gitea_token, team
from pypiserve.core.errors import Unavailable
from pypiserve_forge.accounts import READ_ONLY
from signing_in import refusal, rights, sign_in

EACH = pytest.mark.parametrize("kind", ["gitea", "forgejo"])

ROLES = {"olga": "owner", "adam": "maintainer", "wim": "publisher", "rita": "reader"}


@EACH
@pytest.mark.parametrize(("login", "role"), ROLES.items())
async def test_teams_become_roles(make: MakeAuthenticator, kind: str, login: str, role: str) -> None:
    """The access mode that the forge's own registry would find is the role on the owner of the same name."""
    assert await rights(make(kind), gitea_token(login)) == {"acme": role}


_MODES = ["none", "read", "write", "admin", "owner"]


@pytest.mark.parametrize("packages", _MODES)
@pytest.mark.parametrize("permission", _MODES)
async def test_teams_count_as_in_the_registry(
    make: MakeAuthenticator, forges: Forges, permission: str, packages: str
) -> None:
    """What is made of a team is what the registry lets its members do, as a token shows that sees no team."""
    orgs = {
        "acme": {
            "id": 20,
            "visibility": "private",
            "teams": [team("a", permission, "wim", packages=packages), team("b", "none", "wim")],
        }
    }
    forges.forgejo.know(orgs=orgs)
    authenticator = make("forgejo", roles={"admin": "publisher", "owner": "publisher"})
    by_teams = await rights(authenticator, gitea_token("wim"))
    assert by_teams == await rights(authenticator, gitea_token("wim packages"))


@EACH
async def test_a_stranger_signs_in_without_rights(make: MakeAuthenticator, kind: str) -> None:
    """Who is in no team has an identity, for grants that are made here, and no role."""
    identity = await sign_in(make(kind), gitea_token("sam"))
    assert (identity.subject, identity.display_name, identity.roles) == (f"{kind}:5", "sam", ())


async def test_a_login_is_not_an_identity(make: MakeAuthenticator, forges: Forges) -> None:
    """A login that was given away again is somebody else here too."""
    before = await sign_in(make("gitea"), gitea_token("wim"))
    forges.gitea.know(users={**GITEA["users"], "wim": {"id": 99}})
    after = await sign_in(make("gitea"), gitea_token("wim"))
    assert (before.subject, after.subject) == ("gitea:3", "gitea:99")


async def test_all_organisations(make: MakeAuthenticator, forges: Forges) -> None:
    """The star takes every organisation whose name an owner can have; ``api`` is the server's own."""
    forges.gitea.know(orgs={**GITEA["orgs"], "api": {**GITEA["orgs"]["open"], "id": 22}})
    authenticator = make("gitea", organisations=["*"])
    assert await rights(authenticator, gitea_token("wim")) == {"Acme": "publisher", "open": "publisher"}


async def test_an_organisation_that_is_not_listed(make: MakeAuthenticator) -> None:
    """Anybody may make an organisation called like an owner here; only listed ones count."""
    assert await rights(make("gitea", organisations=["acme"]), gitea_token("wim")) == {"acme": "publisher"}
    assert await rights(make("gitea", organisations=[]), gitea_token("wim")) == {}


async def test_an_organisation_may_be_another_owner(make: MakeAuthenticator) -> None:
    """The settings say so."""
    authenticator = make("gitea", owners={"ACME": "research"})
    assert await rights(authenticator, gitea_token("wim")) == {"research": "publisher"}


async def test_the_settings_may_give_other_roles(make: MakeAuthenticator) -> None:
    """A right there is the role that the settings give it, and a team may have one of its own on top."""
    authenticator = make("gitea", roles={"write": "maintainer", "read": "none"}, teams={"acme/readers": "publisher"})
    assert await rights(authenticator, gitea_token("wim")) == {"acme": "maintainer"}
    assert await rights(authenticator, gitea_token("rita")) == {"acme": "publisher"}


async def test_many_teams_on_many_pages(make: MakeAuthenticator, forges: Forges) -> None:
    """All pages are read, however few teams the forge puts on one."""
    teams = [team(f"t{number}", "read", "sam") for number in range(6)] + [team("last", "admin", "sam")]
    forges.gitea.know(orgs={"acme": {"id": 20, "visibility": "public", "teams": teams}}, page_size=3)
    assert await rights(make("gitea"), gitea_token("sam")) == {"acme": "maintainer"}


@EACH
async def test_a_token_that_only_reads(make: MakeAuthenticator, kind: str) -> None:
    """Whoever may publish does not with a token whose scope is to read packages."""
    identity = await sign_in(make(kind), gitea_token("wim reads"))
    assert identity.scopes == READ_ONLY
    assert (await sign_in(make(kind), gitea_token("wim"))).scopes is None


@EACH
async def test_a_token_that_is_not_for_packages(make: MakeAuthenticator, kind: str) -> None:
    """It is refused, and the sentence says which scope it lacks, unless the settings do not mind."""
    assert "scope read:package or write:package" in await refusal(make(kind), gitea_token("wim no packages"))
    relaxed = await sign_in(make(kind, check_scopes=False), gitea_token("wim no packages"))
    assert relaxed.scopes is None


@EACH
async def test_a_token_for_what_is_public(make: MakeAuthenticator, kind: str) -> None:
    """It gives nothing on an organisation that is private there."""
    authenticator = make(kind, organisations=["acme", "open"])
    assert await rights(authenticator, gitea_token("wim public")) == {"open": "publisher"}


async def test_a_token_for_what_is_public_of_a_private_account(make: MakeAuthenticator, forges: Forges) -> None:
    """Whether it may write cannot be asked about packages of one's own; then it reads."""
    forges.forgejo.know(users={**GITEA["users"], "wim": {"id": 3, "visibility": "private"}})
    identity = await sign_in(make("forgejo", organisations=["acme", "open"]), gitea_token("wim public"))
    assert identity.scopes == READ_ONLY
    assert [role.owner for role in identity.roles] == ["open"]


@EACH
@pytest.mark.parametrize(
    ("token", "expected"), [("wim packages", {"acme": "publisher"}), ("rita packages", {"acme": "reader"})]
)
async def test_a_token_with_a_package_scope_only(
    make: MakeAuthenticator, kind: str, token: str, expected: dict[str, str]
) -> None:
    """The package registry is asked what it may do there, and nothing is done."""
    assert await rights(make(kind), gitea_token(token)) == expected


async def test_whose_such_a_token_is(make: MakeAuthenticator) -> None:
    """Gitea tells by the token itself; Forgejo does not, and the token is an identity of its own."""
    told = await sign_in(make("gitea"), gitea_token("wim packages"))
    hidden = await sign_in(make("forgejo"), gitea_token("wim packages"))
    again = await sign_in(make("forgejo"), gitea_token("rita packages"))
    assert told.subject == "gitea:3"
    assert hidden.name.startswith("token-")
    assert gitea_token("wim packages") not in hidden.name
    assert hidden.name != again.name
    assert again.scopes == READ_ONLY


@EACH
@pytest.mark.parametrize("token", ["sam packages", "gone packages"])
async def test_a_package_scope_without_rights(make: MakeAuthenticator, kind: str, token: str) -> None:
    """It shows neither whose it is nor any right, and the account may be one that may not sign in: refused."""
    assert "shows neither whose it is nor a right" in await refusal(make(kind), gitea_token(token))


@EACH
async def test_what_everybody_reads_makes_no_reader(make: MakeAuthenticator, kind: str) -> None:
    """A public organisation is read by every token; that makes nobody a reader of a private owner here."""
    authenticator = make(kind, organisations=["open"])
    assert "nor a right" in await refusal(authenticator, gitea_token("rita packages"))


@EACH
async def test_an_organisation_that_does_not_exist(make: MakeAuthenticator, kind: str) -> None:
    """The registry answers 404 about it as about a project, and that is no right."""
    authenticator = make(kind, organisations=["acme", "nowhere"])
    assert await rights(authenticator, gitea_token("rita packages")) == {"acme": "reader"}


@EACH
async def test_an_organisation_that_was_renamed(make: MakeAuthenticator, forges: Forges, kind: str) -> None:
    """The registry redirects from the old name, which may be given away again: it counts no more."""
    getattr(forges, kind).know(renamed={"former": "acme"})
    authenticator = make(kind, organisations=["former", "acme"])
    assert await rights(authenticator, gitea_token("rita packages")) == {"acme": "reader"}


async def test_over_quota_is_a_right_all_the_same(make: MakeAuthenticator, forges: Forges) -> None:
    """Forgejo says 413 to who may write to an owner that is full there; our quotas are others."""
    forges.forgejo.know(over_quota=["acme"])
    assert await rights(make("forgejo"), gitea_token("wim packages")) == {"acme": "publisher"}


@EACH
async def test_an_account_that_may_not_sign_in(make: MakeAuthenticator, kind: str) -> None:
    """Neither does it here."""
    assert "shows neither" in await refusal(make(kind), gitea_token("gone"))
    assert "may not sign in there" in await refusal(make(kind), gitea_token("off"))


@EACH
async def test_jobs_are_no_persons(make: MakeAuthenticator, kind: str) -> None:
    """The token of a workflow run is told to be replaced by one of this server."""
    assert "belongs to a job" in await refusal(make(kind), gitea_token("gitea-actions"))


async def test_a_forge_whose_registry_is_off(make: MakeAuthenticator, forges: Forges) -> None:
    """After a move: where the forge tells scopes all is well; else the settings must do without, and nobody is in."""
    forges.gitea.know(has_packages=False)
    forges.forgejo.know(has_packages=False)
    assert await rights(make("gitea"), gitea_token("wim")) == {"acme": "publisher"}
    with pytest.raises(Unavailable, match="check_scopes = false"):
        await sign_in(make("forgejo"), gitea_token("wim"))
    assert await rights(make("forgejo", check_scopes=False), gitea_token("wim")) == {"acme": "publisher"}


async def test_nothing_is_changed_on_the_forge(make: MakeAuthenticator, forges: Forges) -> None:
    """What is sent are reads, and uploads without a file."""
    for token in ("wim", "wim packages", "rita packages"):
        await sign_in(make("forgejo", organisations=["acme", "open"]), gitea_token(token))
    writes = {request for request in forges.forgejo.asked() if not request.startswith("GET ")}
    assert writes <= {f"POST /api/packages/{owner}/pypi/" for owner in ("acme", "open", "Acme", "wim")}


async def test_the_credential_is_the_number_of_the_token(make: MakeAuthenticator) -> None:
    """Gitea tells it; for the others it is a part of the digest."""
    assert (await sign_in(make("gitea"), gitea_token("wim"))).credential == "102"
    assert (await sign_in(make("forgejo"), gitea_token("wim"))).credential.startswith("sha256:")
