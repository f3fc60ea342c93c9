"""The registry protocol without I/O: each answer means one thing, and no bytes at all raise."""

import hashlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.registries import oci
from bot.registries.login import Login
from bot.registries.oci import Caps, Challenge, DigestAsked, Endpoint, Known, Response, TagsAsked
from policies.errors import PolicyError
from policies.images.evidence import Silence, Silent, TagAnswer, TagList
from policies.images.image import Digest, Repository, Tag
from policies.rules.rules import Host

CART = Repository.parse("registry.example.com/shop/cart")
AT = Endpoint.of(CART, {})
FIRST = "https://registry.example.com/v2/shop/cart/tags/list?n=1000"
DIGEST = f"sha256:{'a' * 64}"
MANIFEST = b'{"schemaVersion":2,"manifests":[]}'


def answer(status: int = 200, body: bytes = b"", **headers: Any) -> Response:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(status, named, body)


def listing(*tags: object) -> bytes:
    return orjson.dumps({"name": "shop/cart", "tags": list(tags)})


def asked(*, caps: Caps = Caps(), before: Known | None = None) -> TagsAsked:  # noqa: B008  frozen
    return TagsAsked(AT, CART, caps, before)


def converse(talk: TagsAsked, *responses: Response) -> TagAnswer | None:
    heard: TagAnswer | None = None
    for response in responses:
        assert heard is None
        heard = talk.hear(response)
    return heard


def code_of(heard: object) -> Silent | None:
    return heard.code if isinstance(heard, Silence) else None


@pytest.mark.parametrize(
    ("repository", "hosts", "origin", "is_local"),
    [
        pytest.param("ghcr.io/example/x", {}, "https://ghcr.io", False, id="public"),
        pytest.param("alpine", {}, "https://registry-1.docker.io", False, id="docker hub unsaid"),
        pytest.param("docker.io/library/alpine", {}, "https://registry-1.docker.io", False, id="docker hub said"),
        pytest.param("localhost:5000/x", {}, "http://localhost:5000", True, id="localhost with a port"),
        pytest.param("127.0.0.1:5000/x", {}, "http://127.0.0.1:5000", True, id="loopback with a port"),
        pytest.param("[::1]:5000/x", {}, "http://[::1]:5000", True, id="loopback in IPv6"),
        pytest.param("127.0.0.1/x", {}, "https://127.0.0.1", False, id="loopback without a port"),
        pytest.param("127.0.0.2:5000/x", {}, "https://127.0.0.2:5000", False, id="another loopback"),
        pytest.param("r.example/x", {"r.example": Host(http=True)}, "http://r.example", False, id="by rule"),
        pytest.param(
            "localhost:5000/x", {"localhost:5000": Host(ca="ca.pem")}, "https://localhost:5000", True, id="own CA"
        ),
    ],
)  # fmt: skip
def test_plain_http_is_spoken_only_where_it_is_allowed(
    *, repository: str, hosts: dict[str, Host], origin: str, is_local: bool
) -> None:
    endpoint = Endpoint.of(Repository.parse(repository), hosts)

    assert (endpoint.origin, endpoint.is_local) == (origin, is_local)


@pytest.mark.parametrize("name", ["docker.io", "index.docker.io", "registry-1.docker.io"])
def test_a_rule_for_docker_hub_counts_by_any_of_its_names(name: str) -> None:
    rule = Host(concurrency=2)

    assert Endpoint.of(Repository.parse("alpine"), {name: rule}).rule == rule


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("140.82.121.33", True),
        ("2606:50c0:8000::154", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("192.168.1.1", False),
        ("172.16.0.1", False),
        ("100.100.100.200", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),  # noqa: S104  an address that is looked at, not listened on
        ("224.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fd00:ec2::254", False),
        ("fe80::1%eth0", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
        ("not an address", False),
    ],
)
def test_only_addresses_of_the_open_internet_are_public(*, address: str, is_public: bool) -> None:
    assert oci.is_public(address) == is_public


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(listing("1.0", "1.1"), TagList(("1.0", "1.1")), id="two"),
        pytest.param(b'{"name":"x","tags":null}', TagList(()), id="null after the last was deleted"),
        pytest.param(listing(), TagList(()), id="none"),
        pytest.param(listing("1.0", "1.0"), TagList(("1.0",)), id="twice the same"),
        pytest.param(listing("b", "a"), TagList(("b", "a")), id="in no order"),
        pytest.param(
            listing("1.0", "v1\n", "-x", "a b", "", "ü", "a" * 129, "a/b", "$(x)", 7, None, ["1"], {"a": 1}),
            TagList(("1.0",), refused=12),
            id="names that are no tags",
        ),
        pytest.param(b"", Silent.INVALID, id="nothing"),
        pytest.param(b"<html>hello</html>", Silent.INVALID, id="a web page"),
        pytest.param(b'{"tags": ["1.0"', Silent.INVALID, id="cut off"),
        pytest.param(b"[]", Silent.INVALID, id="a list"),
        pytest.param(b"{}", Silent.INVALID, id="no tags at all"),
        pytest.param(b'{"tags": "1.0"}', Silent.INVALID, id="a string"),
        pytest.param(b'{"tags": {"1.0": 1}}', Silent.INVALID, id="an object"),
        pytest.param(b'{"tags": [' + b"[" * 5000, Silent.INVALID, id="deep"),
        pytest.param(b'{"tags": ["\xff"]}', Silent.INVALID, id="not UTF-8"),
    ],
)  # fmt: skip
def test_a_tag_list_is_taken_or_named_invalid(body: bytes, expected: TagList | Silent) -> None:
    heard = asked().hear(answer(body=body))

    assert (code_of(heard) or heard) == expected


@given(st.text(max_size=140) | st.from_regex(r"[A-Za-z0-9_.-]{1,130}", fullmatch=True))
def test_a_listed_name_is_kept_exactly_if_it_parses_as_a_tag(name: str) -> None:
    heard = asked().hear(answer(body=listing(name)))

    try:
        expected = TagList((Tag.parse(name),))
    except PolicyError:
        expected = TagList((), refused=1)
    assert heard == expected


LISTED: st.SearchStrategy[list[object]] = st.lists(
    st.sampled_from(["a", "b", "c", "1.0", "-a", "a\nb", "", "a" * 129, 1, None, [], {}]), max_size=6
)


@given(st.lists(LISTED, max_size=2), st.lists(LISTED, min_size=1, max_size=2))
def test_what_was_known_changes_no_answer(before: list[list[object]], then: list[list[object]]) -> None:
    first = asked()
    _hear_pages(first, before)
    again, fresh = asked(before=first.known), asked()

    heard = _hear_pages(again, then)

    assert heard == _hear_pages(fresh, then)
    if isinstance(heard, TagList):
        known = first.known.answer.names if first.known else frozenset()
        assert heard.names == frozenset(heard.tags)
        assert heard.beside(known) == heard.names - known


def test_a_long_list_remembers_what_is_new_in_it() -> None:
    names = [f"1.0.{number}" for number in range(1_001)]
    first = asked()
    _hear_pages(first, [list(names)])
    assert first.known is not None
    before = first.known.answer.names

    heard = _hear_pages(asked(before=first.known), [[*names[1:], "new"]])

    assert isinstance(heard, TagList)
    assert heard.compared == (before, frozenset({"new"}))
    assert heard.beside(before) is heard.compared[1]
    assert heard.beside(frozenset(before)) == heard.beside(frozenset(names)) == {"new"}


def _hear_pages(talk: TagsAsked, pages: list[list[object]]) -> TagAnswer | None:
    """Have each list answered as a page of its own."""
    heard = None
    for number, names in enumerate(pages):
        link = f"</v2/shop/cart/tags/list?last={number}>; rel=next" if number < len(pages) - 1 else ""
        heard = talk.hear(answer(body=listing(*names), link=link))
        if isinstance(heard, Silence):
            break
    return heard


@pytest.mark.parametrize(
    ("link", "following"),
    [
        ('</v2/shop/cart/tags/list?last=b&n=2>; rel="next"', "/v2/shop/cart/tags/list?last=b&n=2"),
        ("</v2/shop/cart/tags/list?last=b>;rel=next", "/v2/shop/cart/tags/list?last=b"),
        ('<?last=b>; rel="next"', "/v2/shop/cart/tags/list?last=b"),
        ('<https://registry.example.com/p?a=1>; rel="next"', "/p?a=1"),
        ('<https://registry.example.com:443/p>; rel="next"', "/p"),
        ('<http://registry.example.com/p?a=1>; rel="next"', "/p?a=1"),
        ('</first>; rel="first", </v2/p?last=b>; rel="next"', "/v2/p?last=b"),
    ],
)
def test_the_next_page_is_asked_where_the_link_says(link: str, following: str) -> None:
    talk = asked()

    assert talk.hear(answer(body=listing("a", "b"), link=link)) is None
    assert talk.request.url == f"https://registry.example.com{following}"
    assert talk.hear(answer(body=listing("c"))) == TagList(("a", "b", "c"))


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ('<https://evil.example/v2/x/tags/list>; rel="next"', Silent.REFUSED),
        ('<//evil.example/v2/x/tags/list>; rel="next"', Silent.REFUSED),
        ('<https://registry.example.com:8443/v2/x>; rel="next"', Silent.REFUSED),
        ('<https://registry.example.com@evil.example/>; rel="next"', Silent.REFUSED),
        ('<file:///etc/passwd>; rel="next"', Silent.REFUSED),
        ('<https://[::1/>; rel="next"', Silent.INVALID),
        ('<https://registry.example.com:port/>; rel="next"', Silent.INVALID),
        ('<a b>; rel="next"', Silent.INVALID),
        ('<>; rel="next"', Silent.INVALID),
        (f"</{'a' * 9000}>; rel=next", Silent.INVALID),
    ],
)
def test_a_link_to_elsewhere_is_not_followed(link: str, code: Silent) -> None:
    assert code_of(asked().hear(answer(body=listing("a"), link=link))) == code


@pytest.mark.parametrize("link", ["", "nonsense", '</v2/x>; rel="prev"', '</v2/x>; title="rel=next"'[:8]])
def test_without_a_next_link_the_list_is_whole(link: str) -> None:
    assert asked().hear(answer(body=listing("a"), link=link)) == TagList(("a",))


def page(number: int, *tags: str) -> Response:
    return answer(body=listing(*tags), link=f"</v2/shop/cart/tags/list?last={number}>; rel=next")


def test_a_link_that_leads_back_is_invalid() -> None:
    assert code_of(converse(asked(), page(1, "a"), page(2, "b"), page(1, "c"))) == Silent.INVALID


def test_the_same_page_under_ever_new_links_is_invalid() -> None:
    assert code_of(converse(asked(), page(1, "a"), page(2, "a"))) == Silent.INVALID


def test_an_empty_page_in_between_is_allowed() -> None:
    heard = converse(asked(), page(1, "a"), page(2), page(3), answer(body=listing("b")))

    assert heard == TagList(("a", "b"))


@pytest.mark.parametrize(
    ("caps", "expected"),
    [
        pytest.param(Caps(tags=3), TagList(("a", "b", "c"), whole=False), id="tags"),
        pytest.param(Caps(pages=2), TagList(("a", "b", "c", "d"), whole=False), id="pages"),
        pytest.param(Caps(body=50), TagList(("a", "b", "c", "d"), whole=False), id="bytes"),
    ],
)
def test_a_list_past_a_cap_is_cut_and_says_so(caps: Caps, expected: TagList) -> None:
    talk = asked(caps=caps)

    assert converse(talk, page(1, "a", "b"), page(2, "c", "d")) == expected
    assert talk.known is None


def test_one_page_over_the_cap_is_cut_too() -> None:
    heard = asked(caps=Caps(tags=2)).hear(answer(body=listing("a", "b", "c")))

    assert heard == TagList(("a", "b"), whole=False)


def test_a_body_that_was_cut_keeps_the_pages_before() -> None:
    cut = Response(200, (), b"", whole=False)

    assert converse(asked(), page(1, "a"), cut) == TagList(("a",), whole=False)


def test_a_million_elements_are_not_even_decoded() -> None:
    body = b'{"tags":[' + b"[]," * 1_000_001 + b"[]]}"

    assert asked().hear(answer(body=body)) == TagList((), whole=False)


def test_each_page_may_use_only_what_the_others_left() -> None:
    talk = asked(caps=Caps(body=1000))
    first = page(1, "a")

    talk.hear(first)

    assert talk.request.cap == 1000 - len(first.body)


def test_an_unchanged_list_is_the_very_object_of_the_time_before() -> None:
    first = asked()
    old = converse(first, page(1, "a"), answer(body=listing("b")))

    again = asked(before=first.known)

    assert converse(again, page(1, "a"), answer(body=listing("b"))) is old
    assert again.known is not None


def test_an_etag_is_sent_back_and_304_stands_for_the_page() -> None:
    first = asked()
    old = first.hear(answer(body=listing("a"), etag='"v1"'))

    again = asked(before=first.known)

    assert 'If-None-Match: "v1"' in again.request.headers
    assert again.hear(answer(304)) is old


def test_a_changed_page_makes_a_new_list() -> None:
    first = asked()
    first.hear(answer(body=listing("a")))

    assert asked(before=first.known).hear(answer(body=listing("a", "b"))) == TagList(("a", "b"))


def test_304_that_nobody_asked_for_is_invalid() -> None:
    assert code_of(asked().hear(answer(304))) == Silent.INVALID


def test_an_etag_that_could_break_a_header_is_not_sent_back() -> None:
    first = asked()
    first.hear(answer(body=listing("a"), etag="a\r\nX: y"))

    assert asked(before=first.known).request.headers == ("Accept: application/json",)


def test_an_unknown_repository_is_named_with_the_registrys_code() -> None:
    body = orjson.dumps({"errors": [{"code": "NAME_UNKNOWN", "message": "\x1b[31m not shown"}]})

    heard = asked().hear(answer(404, body))

    assert heard == Silence(
        Silent.UNKNOWN,
        "registry.example.com: shop/cart is not known (404 NAME_UNKNOWN); check the image's name in the rules",
    )


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nETag: a\r\nEtag: b\r\n\r\n",
        b"HTTP/2 200 \r\netag: a\r\netag: b\r\n\r\n",
        b"HTTP/1.1 200 Connection established\r\nETag: x\r\n\r\nHTTP/1.1 200 OK\r\nETag:a\r\nETag :b\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\nETag: a\nETag: b\n\n",
        b"HTTP/1.1 200 OK\r\nETag: a\r\nETag: b\r\n\r\nETag: trailer\r\n\r\n",
    ],
    ids=["usual", "HTTP/2", "by a proxy", "early hints", "trailers"],
)
def test_headers_are_those_of_the_answer_itself(head: bytes) -> None:
    assert Response.parse(200, head, b"", whole=True).every("etag") == ["a", "b"]


def digest_talk() -> DigestAsked:
    return DigestAsked(AT, CART, Tag.parse("1.0"))


def test_the_digest_is_asked_by_head_with_index_types_first() -> None:
    request = digest_talk().request

    assert (request.method, request.url) == (
        "HEAD",
        "https://registry.example.com/v2/shop/cart/manifests/1.0",
    )
    assert request.headers[0].startswith("Accept: application/vnd.oci.image.index.v1+json, ")


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        pytest.param(answer(docker_content_digest=DIGEST), Digest(DIGEST), id="there"),
        pytest.param(answer(404), Silent.NO_SUCH_TAG, id="no such tag"),
        pytest.param(answer(docker_content_digest="sha256:abc"), Silent.INVALID, id="short"),
        pytest.param(answer(docker_content_digest=f"sha512:{'a' * 128}"), Silent.INVALID, id="sha512"),
        pytest.param(answer(docker_content_digest=DIGEST.upper()), Silent.INVALID, id="upper case"),
        pytest.param(answer(204), Silent.INVALID, id="another status"),
    ],
)
def test_a_head_names_the_digest_or_why_not(response: Response, expected: Digest | Silent) -> None:
    heard = digest_talk().hear(response)

    assert (code_of(heard) or heard) == expected


@pytest.mark.parametrize("head", [answer(200), answer(405), answer(501)], ids=["silent", "405", "501"])
@pytest.mark.parametrize(
    ("response", "expected"),
    [
        pytest.param(answer(body=MANIFEST), f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}", id="hashed"),
        pytest.param(
            answer(body=MANIFEST, docker_content_digest=DIGEST), Silent.INVALID, id="another's digest"
        ),
        pytest.param(answer(body=b"<html>"), Silent.INVALID, id="a web page"),
        pytest.param(answer(body=b'{"schemaVersion":1}'), Silent.INVALID, id="schema 1"),
        pytest.param(answer(body=b"[2]"), Silent.INVALID, id="a list"),
        pytest.param(Response(200, (), b"", whole=False), Silent.INVALID, id="too large"),
        pytest.param(answer(404), Silent.NO_SUCH_TAG, id="gone meanwhile"),
    ],
)
def test_where_head_says_nothing_the_manifest_is_hashed(
    head: Response, response: Response, expected: str
) -> None:
    talk = digest_talk()

    assert talk.hear(head) is None
    assert (talk.request.method, talk.request.cap) == ("GET", oci.MAX_MANIFEST)
    heard = talk.hear(response)
    assert (code_of(heard) or heard) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            ['Bearer realm="https://auth.example.com/token",service="r",scope="repository:a/b:pull,push"'],
            [Challenge("bearer", "https://auth.example.com/token", "r", "repository:a/b:pull,push")],
        ),
        (["BEARER Realm=https://a.example/t , Service=r"], [Challenge("bearer", "https://a.example/t", "r")]),
        (['Basic realm="a \\"quoted\\" name"'], [Challenge("basic", 'a "quoted" name')]),
        (['Basic realm="x", Bearer realm="https://y"'], [Challenge("basic", "x"), Challenge("bearer", "https://y")]),
        (['Basic realm="x"', 'Bearer realm="https://y"'], [Challenge("basic", "x"), Challenge("bearer", "https://y")]),
        (["Negotiate", 'Digest realm="d", nonce="n"'], []),
        (["Bearer"], [Challenge("bearer")]),
        (["", "=", '"', 'realm="x"', "Bearer realm="], [Challenge("bearer")]),
    ],
    ids=["usual", "case and bare", "escapes", "two in one", "two headers", "others", "bare", "broken"],
)  # fmt: skip
def test_challenges_are_read(values: list[str], expected: list[Challenge]) -> None:
    response = Response(401, tuple(("www-authenticate", value) for value in values))

    assert oci.challenges(response) == expected


@pytest.mark.parametrize(
    ("host", "realm"),
    [
        ("ghcr.io", "https://ghcr.io/token"),
        ("docker.io", "https://auth.docker.io/token"),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth"),
        ("registry.example.co.uk", "https://auth.example.co.uk/token"),
        ("r.example.com:5000", "https://r.example.com:5001/token"),
        ("localhost:5000", "http://localhost:5001/token"),
        ("x.azurecr.io", "https://x.azurecr.io/oauth2/token"),
    ],
)
def test_a_token_service_of_the_registrys_own_is_asked(host: str, realm: str) -> None:
    assert oci.mistrusted(realm, Endpoint.of(Repository.parse(f"{host}/a/b"), {})) == ""


@pytest.mark.parametrize(
    ("host", "realm"),
    [
        ("ghcr.io", "https://evil.example/token"),
        ("ghcr.io", "http://ghcr.io/token"),
        ("ghcr.io", "https://ghcr.io.evil.example/token"),
        ("ghcr.io", "https://evilghcr.io/token"),
        ("ghcr.io", "https://ghcr.io@evil.example/token"),
        ("ghcr.io", "https://user:secret@ghcr.io/token"),
        ("ghcr.io", "https://169.254.169.254/latest/meta-data"),
        ("registry.example.co.uk", "https://evil.co.uk/token"),
        ("example.com.au", "https://evil.com.au/token"),
        ("x.azurecr.io", "https://y.azurecr.io/token"),
        ("10.0.0.1:5000", "https://11.0.0.1/token"),
        ("localhost:5000", "http://127.0.0.1:2375/token"),
        ("r.example.com", "file:///etc/passwd"),
        ("r.example.com", "gopher://r.example.com/"),
        ("r.example.com", "https://r.example.com:port/"),
        ("r.example.com", "https://[::1/"),
        ("r.example.com", "https://r.example.com/a b"),
        ("r.example.com", ""),
    ],
)
def test_a_token_service_of_strangers_is_not_asked(host: str, realm: str) -> None:
    assert oci.mistrusted(realm, Endpoint.of(Repository.parse(f"{host}/a/b"), {})) != ""


def test_a_scope_is_worded_as_the_registry_words_it() -> None:
    usual = Challenge("bearer", scope="repository:shop/cart:pull")

    assert oci.scope_of(usual, "shop/cart", "shop/web") == "repository:shop/web:pull"
    assert oci.scope_of(Challenge("bearer", scope="aws"), "shop/cart", "shop/web") == "aws"
    assert oci.scope_of(Challenge("bearer"), "shop/cart", "shop/web") == "repository:shop/web:pull"


def test_a_token_is_asked_for_with_each_scope_of_its_own() -> None:
    challenge = Challenge("bearer", "https://a.example/token?x=1", "r e")

    request = oci.token_request(challenge, ("repository:a:pull", "repository:b:pull"), Login("ada", "secret"))

    assert request.url == (
        "https://a.example/token?x=1&service=r+e&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull"
    )
    assert request.headers == ("Authorization: Basic YWRhOnNlY3JldA==",)
    assert "secret" not in repr(request)


def test_an_identity_token_goes_into_the_body_only() -> None:
    challenge = Challenge("bearer", "https://a.example/token", "r")

    request = oci.token_request(challenge, ("s1", "s2"), Login(identity_token="canary"))

    assert request.method == "POST"
    assert request.body is not None
    assert b"refresh_token=canary" in request.body
    assert b"scope=s1+s2" in request.body
    assert "canary" not in request.url + "".join(request.headers) + repr(request)


@pytest.mark.parametrize(
    ("said", "life"),
    [
        ({"token": "t", "expires_in": 300}, 300),
        ({"access_token": "t"}, 60),
        ({"token": "", "access_token": "t", "expires_in": "300"}, 60),
        ({"token": "t", "expires_in": -1}, 60),
        ({"token": "t", "expires_in": True}, 60),
        ({"token": "t", "expires_in": 10**18}, 86_400),
    ],
)
def test_a_token_lives_as_long_as_it_says_within_reason(said: dict[str, object], life: float) -> None:
    assert oci.token_of(answer(body=orjson.dumps(said))) == oci.Token("t", life)


@pytest.mark.parametrize(
    "response",
    [
        answer(body=b""),
        answer(body=b"{}"),
        answer(body=b'{"token": 7}'),
        answer(body=b'{"token": "a\\r\\nX-Evil: 1"}'),
        answer(body=b'["t"]'),
        answer(401, b'{"token": "t"}'),
    ],
)
def test_what_is_no_token_is_not_sent(response: Response) -> None:
    assert oci.token_of(response) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "Fri, 20 Nov 2026 12:00:30 GMT", "date": "Fri, 20 Nov 2026 12:00:00 GMT"}, 30.0),
        ({"retry_after": "Fri, 20 Nov 2026 12:00:30 GMT", "date": "Fri, 20 Nov 2026 13:00:00 GMT"}, 0.0),
        ({"retry_after": "Fri, 20 Nov 2026 12:00:30 GMT"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-3"}, None),
        ({"retry_after": "٣"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_both_forms(headers: dict[str, Any], seconds: float | None) -> None:
    assert oci.retry_after(answer(429, **headers)) == seconds


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, Silent.DENIED),
        (403, Silent.DENIED),
        (500, Silent.UNREACHABLE),
        (599, Silent.UNREACHABLE),
        (301, Silent.REFUSED),
        (307, Silent.REFUSED),
        (304, None),
        (200, None),
        (404, None),
    ],
)
def test_some_answers_end_any_question(status: int, code: Silent | None) -> None:
    assert code_of(oci.refusal(answer(status), AT, CART.path, None)) == code


HEADS = st.lists(st.binary(max_size=60), max_size=8).map(b"\r\n".join)
BODIES = (
    st.binary(max_size=300)
    | st.recursive(
        st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["tags", "token", "expires_in", "errors", "code", "schemaVersion"]), inner, max_size=4
        ),
        max_leaves=12,
    ).map(orjson.dumps)
)  # fmt: skip
NAMES = st.sampled_from(
    ["link", "www-authenticate", "retry-after", "date", "etag", "docker-content-digest", "content-type"]
)
VALUES = st.text(max_size=80) | st.lists(
    st.sampled_from(["<", ">", "; rel=next", "Bearer ", "realm=", '"', "\\", ",", "https://", "[", "@", ":"])
).map("".join)  # fmt: skip


@st.composite
def responses(draw: st.DrawFn) -> Response:
    status = draw(st.sampled_from([200, 200, 200, 304, 401, 404, 405, 429, 500]) | st.integers(0, 999))
    if draw(st.booleans()):
        return Response.parse(status, b"HTTP/1.1 200 OK\r\n" + draw(HEADS), draw(BODIES), whole=True)
    headers = tuple(draw(st.lists(st.tuples(NAMES, VALUES), max_size=4)))
    return Response(status, headers, draw(BODIES), draw(st.booleans()))


@given(st.lists(responses(), min_size=1, max_size=6))
def test_no_answers_make_a_tag_conversation_raise(heard: list[Response]) -> None:
    talk = asked()
    for response in heard:
        said = talk.hear(response)
        if said is not None:
            assert isinstance(said, (TagList, Silence))
            assert not isinstance(said, Silence) or said.detail.isprintable()
            return
        assert talk.request.url.startswith("https://registry.example.com/")


@given(responses(), responses())
def test_no_answers_make_a_digest_conversation_raise(first: Response, second: Response) -> None:
    talk = digest_talk()
    said = talk.hear(first)
    if said is None:
        said = talk.hear(second)

    assert isinstance(said, (Digest, Silence))


@given(responses())
def test_no_answer_makes_the_login_part_raise(response: Response) -> None:
    for challenge in oci.challenges(response):
        if not oci.mistrusted(challenge.realm, AT):
            assert "evil" not in oci.token_request(challenge, ("s",), None).url
    oci.token_of(response)
    oci.retry_after(response)
    refused = oci.refusal(response, AT, CART.path, None)
    assert refused is None or refused.detail.isprintable()
