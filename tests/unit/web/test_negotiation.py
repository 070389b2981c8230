"""Content negotiation, with the headers that real clients send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserve.web.negotiation import Offer, choose, choose_encoding, choose_format

V1_JSON = "application/vnd.pypi.simple.v1+json"
V1_HTML = "application/vnd.pypi.simple.v1+html"
HTML = Offer(("text/html", V1_HTML, "application/vnd.pypi.simple.latest+html"))
JSON = Offer((V1_JSON, "application/vnd.pypi.simple.latest+json"))
OFFERS = (HTML, JSON)

PIP = f"{V1_JSON}, {V1_HTML}; q=0.1, text/html; q=0.01"
UV = f"{V1_JSON}, {V1_HTML};q=0.2, text/html;q=0.01"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"
JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param(PIP, JSON, id="pip, PDM, Renovate"),
        pytest.param(UV, JSON, id="uv"),
        pytest.param(f"{V1_JSON}, */*;q=0.1", JSON, id="poetry"),
        pytest.param("*/*", HTML, id="hatch"),
        pytest.param(V1_JSON, JSON, id="bandersnatch"),
        pytest.param("application/json", None, id="Dependabot's first try"),
        pytest.param("text/html", HTML, id="Dependabot's second try, old pip, pipenv"),
        pytest.param(BROWSER, HTML, id="browser"),
        pytest.param(JAVA, HTML, id="Java"),
    ],
)
def test_clients_get_what_they_prefer(accept: str, expected: Offer | None) -> None:
    """Each client of the simple API gets the form that it reads best."""
    assert choose(accept, OFFERS) == expected


@pytest.mark.parametrize("accept", [None, "", "  ", ",", ",,;", "nonsense", "text/html;q=2", "\x00\xff"])
def test_a_header_that_says_nothing_accepts_everything(accept: str | None) -> None:
    """A missing header, and one without a well-formed element, gives the server's favourite."""
    assert choose(accept, OFFERS) == HTML
    assert choose(accept, (JSON, HTML)) == JSON


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param(f"{V1_JSON};q=0.5, text/html;q=0.5", HTML, id="a tie goes to the server's favourite"),
        pytest.param(f"{V1_JSON};q=0.51, text/html;q=0.5", JSON, id="the greater weight wins"),
        pytest.param(f"text/html;q=0.5, {V1_JSON};q=0.5", HTML, id="order means nothing"),
        pytest.param("text/*", HTML, id="a half wildcard"),
        pytest.param("application/*", JSON, id="a wildcard matches the type that is sent, not its other names"),
        pytest.param("text/*;q=0.1, */*;q=0.9", JSON, id="half a wildcard beats a whole one"),
        pytest.param(f"*/*;q=0.9, {V1_JSON};q=0.1", HTML, id="an exact type beats a wildcard"),
        pytest.param("text/html;q=0, */*", JSON, id="a refusal beats a wildcard"),
        pytest.param(f"text/html;q=0, {V1_HTML}", None, id="a refusal of what would be sent stands"),
        pytest.param(f"*/*, {V1_HTML};q=0", JSON, id="a refusal under another name"),
        pytest.param("*/*;q=0", None, id="nothing is acceptable"),
        pytest.param("text/*;q=0.000, application/*;q=0.0", None, id="all kinds are refused"),
        pytest.param("image/png", None, id="something that there is not"),
        pytest.param(V1_HTML, HTML, id="the versioned name of HTML"),
        pytest.param("application/vnd.pypi.simple.latest+json", JSON, id="the latest JSON"),
        pytest.param("application/vnd.pypi.simple.latest+html", HTML, id="the latest HTML"),
        pytest.param("application/vnd.pypi.simple.v2+json", None, id="a version that there is not"),
        pytest.param("application/vnd.pypi.simple.v2+json, text/html;q=0.1", HTML, id="a later version, or HTML"),
        pytest.param(V1_JSON.upper(), JSON, id="letter case means nothing"),
        pytest.param(f"{V1_JSON} ; Q=0.3 , text/html\t;\tq=0.2", JSON, id="blanks and a capital q"),
        pytest.param(f"text/html;charset=utf-8;q=0.1, {V1_JSON};q=0.2;ext=1", JSON, id="other parameters"),
        pytest.param(f"text/html;q=0.1, text/html, {V1_JSON};q=0.9", HTML, id="said twice, the greater weight"),
        pytest.param(f"text/html;q=x, {V1_JSON};q=0.1", JSON, id="a malformed weight drops its element"),
        pytest.param(f"text/html;q=1.5, {V1_JSON};q=0.1", JSON, id="a weight above one drops its element"),
        pytest.param(f"text/html;q=-1, {V1_JSON};q=0.1", JSON, id="a negative weight drops its element"),
        pytest.param(f"text/html;q=nan, {V1_JSON};q=0.1", JSON, id="a weight that is no number"),
        pytest.param(f"text/html;q=\N{ARABIC-INDIC DIGIT ONE}, {V1_JSON};q=0.1", JSON, id="digits of another script"),
        pytest.param(f"text/html;q=.25, {V1_JSON};q=0.3333", JSON, id="weights as some programs print them"),
        pytest.param(f"te xt/html, /, a/b/c, {V1_JSON}", JSON, id="malformed types"),
    ],
)
def test_weights_and_wildcards(accept: str, expected: Offer | None) -> None:
    """The rules of RFC 9110 decide, and malformed elements are passed over."""
    assert choose(accept, OFFERS) == expected


def test_only_the_first_64_elements_count() -> None:
    """A long list is cut off, and what stands behind the cut is not seen."""
    assert choose(", ".join(["image/png"] * 63 + [V1_JSON]), OFFERS) == JSON
    assert choose(", ".join(["image/png"] * 64 + [V1_JSON]), OFFERS) is None


def test_a_long_header_is_cut_between_elements() -> None:
    """The element that the cut at 4 KiB goes through is dropped, so no half of a weight is read."""
    start = f"{V1_JSON};q=0.3,image/png;x="
    padding = "x" * (4096 - len(start) - len(",text/html;q=0"))
    assert choose(f"{start}{padding},text/html;q=0.5,{V1_JSON}", OFFERS) == JSON
    assert choose("x" * 5000, OFFERS) == HTML


def test_without_offers_there_is_no_choice() -> None:
    """No offers, no answer."""
    assert choose("*/*", ()) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (V1_JSON, JSON),
        (V1_JSON.replace("+", " "), JSON),
        (V1_JSON.upper(), JSON),
        (V1_HTML, HTML),
        ("text/html", HTML),
        ("application/vnd.pypi.simple.latest+json", JSON),
        ("application/json", None),
        ("*/*", None),
        ("", None),
        ("text/html;q=1", None),
        ("x" * 100_000, None),
    ],
)
def test_format_names_one_type(value: str, expected: Offer | None) -> None:
    """``?format=`` takes a media type exactly; a raw plus sign that arrives as a blank is understood."""
    assert choose_format(value, OFFERS) == expected


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        pytest.param(None, "identity", id="no header"),
        pytest.param("", "identity", id="empty"),
        pytest.param("gzip, deflate", "gzip", id="pip"),
        pytest.param("gzip, deflate, zstd", "gzip", id="uv, poetry"),
        pytest.param("gzip, deflate, br", "gzip", id="browser"),
        pytest.param("identity", "identity", id="pip for files"),
        pytest.param("Identity", "identity", id="poetry for files"),
        pytest.param("br", "identity", id="something that there is not"),
        pytest.param("*", "gzip", id="anything"),
        pytest.param("*;q=0", "identity", id="nothing at all"),
        pytest.param("gzip;q=0", "identity", id="a refusal"),
        pytest.param("gzip;q=0, *", "identity", id="a refusal beats a wildcard"),
        pytest.param("gzip;q=0.5, identity", "identity", id="identity is liked better"),
        pytest.param("gzip;q=0.5, identity;q=0.5", "gzip", id="a tie"),
        pytest.param("gzip;q=0.001", "gzip", id="liked a little"),
        pytest.param("identity;q=0, gzip;q=0.1", "gzip", id="identity is refused"),
        pytest.param("identity;q=0", "identity", id="all that is left is refused"),
        pytest.param("GZip", "gzip", id="letter case"),
        pytest.param("x-gzip", "gzip", id="the old name"),
        pytest.param("x-gzip, gzip;q=0", "identity", id="the old name does not overrule the new"),
        pytest.param("gzip;q=bad", "identity", id="a malformed weight"),
        pytest.param("br" + ",x" * 100 + ",gzip", "identity", id="behind the cut"),
    ],
)
def test_encodings(accept_encoding: str | None, expected: str) -> None:
    """gzip is used where the client asks for it, and nothing is encoded unasked."""
    assert choose_encoding(accept_encoding, ("gzip",)) == expected


def test_the_servers_order_decides_between_encodings() -> None:
    """Among equally liked codings the first offered is used; a greater weight comes before that."""
    assert choose_encoding("gzip, zstd", ("zstd", "gzip")) == "zstd"
    assert choose_encoding("gzip, zstd;q=0.9", ("zstd", "gzip")) == "gzip"
    assert choose_encoding("gzip", ()) == "identity"


HEADERS = st.text(max_size=300) | st.lists(
    st.sampled_from([V1_JSON, V1_HTML, "text/html", "text/*", "*/*", "gzip", "*", "identity"])
    | st.text("/*;=q., \t01a-", max_size=12),
).map(",".join)


@given(accept=st.none() | HEADERS)
def test_choosing_never_fails(accept: str | None) -> None:
    """Whatever the header, the result is one of the offers, or none."""
    chosen = choose(accept, OFFERS)
    assert chosen is None or chosen in OFFERS
    assert choose_encoding(accept, ("gzip",)) in {"gzip", "identity"}
    assert choose_format(accept or "", OFFERS) in {None, *OFFERS}


@given(
    weights=st.dictionaries(st.sampled_from(["text/html", V1_JSON]), st.integers(0, 1000), min_size=1),
    data=st.data(),
)
def test_the_greatest_weight_wins_in_any_order(weights: dict[str, int], data: st.DataObject) -> None:
    """With exact types the offer of the greatest weight above zero is chosen, however the elements are ordered."""
    elements = data.draw(st.permutations([f"{name};q={weight / 1000:.3f}" for name, weight in weights.items()]))
    html, json = weights.get("text/html", 0), weights.get(V1_JSON, 0)
    expected = None if html == json == 0 else HTML if html >= json else JSON
    assert choose(", ".join(elements), OFFERS) == expected
