"""What comes from outside, bent a little at random, to every reader: refused with a reason or read, and nothing else.

A seed has one shape of what is right; a mutant has some of its bytes turned over, cut, doubled, spliced with another's.
It runs in this process and needs no library: a seed number finds a mutant again.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bot.registries.oci import (
    Caps,
    DigestAsked,
    Endpoint,
    Response,
    TagsAsked,
    challenges,
    next_page,
    refusal,
    retry_after,
    token_of,
)
from bot.wording import parse_trailers
from handlers.slack.command import parse as parse_command
from handlers.slack.names import Names
from handlers.slack.speaking import (
    address_of_command,
    address_of_interaction,
    candidate_of,
    of_command,
    of_interaction,
    promotion_of,
    text_of_message,
    value_of,
)
from handlers.slack.typed import typed
from policies.entries.entry import By, Entry, EntryError, Kind, Pinned, RuleAt, Sighting, write_time
from policies.entries.entry import parse as parse_entry
from policies.errors import PolicyError
from policies.images.evidence import Silence
from policies.images.image import ImageReference, Repository, Tag
from policies.manifests import references
from policies.rulebook import parse as rules_parse
from policies.rulebook.findings import RulesError

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SLOW_SECONDS = 5.0  # of the processor: one mutant that takes more would hold the others up
_REPOSITORY = Repository.parse("registry.example.com/shop/cart")
_ENDPOINT = Endpoint.of(_REPOSITORY, {})
_NAMES = Names(("web", "cart"), ("staging", "production"))
_TOKENS: tuple[bytes, ...] = (
    *(
        b"\x00",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xe2\x80\xae",
        b"\\ud800",
        b"\n",
        b"\r\n",
        b": ",
        b"- ",
        b"&a",
        b"*a",
    ),
    *(
        b"!!",
        b'"',
        b"'",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b"<",
        b">",
        b";",
        b"=",
        b"NaN",
        b"-1",
        b"null",
        b"true",
    ),
    *(b"9" * 400, b"1e999", b"{" * 300, b"[" * 300),
)


@dataclass(frozen=True, slots=True)
class Sink:
    """One reader: seeds of what is right, and how it may refuse."""

    name: str
    seeds: tuple[bytes, ...]
    read: Callable[[bytes], object]
    known: tuple[type[Exception], ...] = ()


@dataclass
class Fuzz:
    """What a run came to."""

    tried: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def give(self, sink: Sink, mutant: bytes, number: int) -> None:
        """Give one mutant to one reader."""
        self.tried[sink.name] += 1
        began = time.process_time()
        try:
            found = sink.read(mutant)
        except sink.known as error:
            self.refused[sink.name] += 1
            found = str(error)
            if not found.strip():
                self.wrong.append(f"{sink.name} #{number}: refused without a reason: {mutant[:300]!r}")
        except Exception as error:  # noqa: BLE001  what nobody foresaw is what is looked for
            self.wrong.append(
                f"{sink.name} #{number}: {type(error).__name__}: {error}: {mutant[:300]!r}"[:600]
            )
            return
        if isinstance(found, Silence):
            self.refused[sink.name] += 1
            if not found.detail.strip():
                self.wrong.append(f"{sink.name} #{number}: silent without a reason: {mutant[:300]!r}")
        if time.process_time() - began > SLOW_SECONDS:
            self.wrong.append(
                f"{sink.name} #{number}: it took {time.process_time() - began:.1f} s: {mutant[:300]!r}"
            )


def mutant(seeds: Sequence[bytes], seed: int, number: int) -> bytes:
    """Return the so many-th mutant of these seeds."""
    chance = random.Random(seed << 32 | number)  # noqa: S311  it bends, it guards nothing
    found = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randint(0, len(found))
        until = min(len(found), at + chance.choice((1, 1, 2, 8, 64)))
        match chance.randint(0, 7):
            case 0 if found:
                found[at % len(found)] ^= 1 << chance.randint(0, 7)
            case 1:
                del found[at:until]
            case 2:
                found[at:at] = found[at:until] * chance.choice((1, 2, 50))
            case 3:
                found[at:until] = chance.choice(_TOKENS)
            case 4:
                other = chance.choice(seeds)
                cut = chance.randint(0, len(other))
                found[at:] = other[cut:]
            case 5:
                found[at:at] = chance.choice(_TOKENS)
            case 6:
                found[at:until] = chance.randbytes(until - at)
            case _:
                digits = [index for index, one in enumerate(found) if 48 <= one <= 57]
                if digits:
                    found[chance.choice(digits)] = 48 + chance.randint(0, 9)
    return bytes(found)


def fuzz(count: int, seed: int) -> Fuzz:
    """Give so many mutants to each reader."""
    found = Fuzz()
    for sink in SINKS:
        for number in range(count):
            found.give(sink, mutant(sink.seeds, seed, number), number)
    return found


def fuzzed(about: tuple[int, int]) -> Fuzz:
    """Give so many mutants of one seed to each reader."""
    return fuzz(*about)


# --- readers ----------------------------------------------------------------------------------------------------


def _response(raw: bytes) -> Response:
    """Read an answer of a registry: its status, its headers, its body."""
    head, _, body = raw.partition(b"\r\n\r\n")
    status = int(head[9:12]) if head[9:12].isdigit() else 200
    return Response.parse(status, head + b"\r\n\r\n", body, whole=True)


def _tags(raw: bytes) -> object:
    asked = TagsAsked(_ENDPOINT, _REPOSITORY, Caps(tags=1_000, body=100_000, pages=5), None)
    answer: object = None
    for _ in range(6):
        answer = asked.hear(_response(raw))
        if answer is not None:
            break
        assert asked.request.url.startswith("https://registry.example.com/"), asked.request.url
    return answer


def _headers(raw: bytes) -> object:
    response = _response(raw)
    for one in challenges(response):
        assert isinstance(one.scheme, str)
    retry_after(response)
    token_of(response)
    refusal(response, _ENDPOINT, "shop/cart", None)
    following = next_page(response, "https://registry.example.com/v2/shop/cart/tags/list", _ENDPOINT)
    assert isinstance(following, Silence) or following == "" or following.startswith(_ENDPOINT.origin)
    return following


def _payload(raw: bytes) -> object:
    try:
        body: Any = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    heard = (
        of_command(body),
        of_interaction(body, "button"),
        address_of_command(body),
        address_of_interaction(body),
    )
    value = value_of(body)
    text = text_of_message(body)
    return heard, promotion_of(value), candidate_of(value), typed(text), parse_command(text, _NAMES, AT)


def _trailers(raw: bytes) -> object:
    text = raw.decode("utf-8", "replace")
    for name, value in parse_trailers(text):
        assert "\n" not in name + value
    return None


def _image(raw: bytes) -> object:
    text = raw.decode("utf-8", "surrogateescape")
    found = ImageReference.parse(text)
    assert ImageReference.parse(str(found)) == found
    return found


def _json(**fields: Any) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


_BY = By("ada", "button", "T0", "U0ADA")
_WEB, _DIGEST = Repository.parse("ghcr.io/example/web"), f"sha256:{'0' * 64}"
_SEEN = Sighting("web", _WEB, "1.0.0", _DIGEST)
_ENTRIES = tuple(
    replace(one, prev="0" * 40).line()
    for one in (
        Entry(
            kind=Kind.FREEZE,
            at=write_time(AT),
            key="freeze/production/c",
            by=_BY,
            seq=7,
            environment="production",
            trigger="c",
            note="x",
            evidence={"account": {"active": True, "bot": False, "guest": False, "home": True}},
        ),
        Entry(kind=Kind.SEEN, at=write_time(AT), key="seen/x", seq=2, seen=(_SEEN,)),
        Entry(
            kind=Kind.APPROVE,
            at=write_time(AT),
            key="approve/p",
            by=_BY,
            seq=9,
            environment="production",
            service="web",
            promotion="0123456789ab",
            change="c" * 64,
            rule=RuleAt("0" * 40, ("promotion/rules.yaml",), "1" * 64),
            image=(Pinned(_WEB, "1.0.0", _DIGEST),),
            head="2" * 40,
            note="fine",
        ),
    )
)
_LIST = b'{"name":"shop/cart","tags":["1.0.0","1.1.0","v2","latest"]}'
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_NEXT = b'Link: </v2/shop/cart/tags/list?n=1000&last=v2>; rel="next"\r\n'
_ANSWERS = (
    _OK + b"\r\n" + _LIST,
    _OK + _NEXT + b"\r\n" + _LIST,
    _OK + b'ETag: "abc"\r\n\r\n' + _LIST,
    b"HTTP/1.1 404 Not Found\r\n\r\n" + b'{"errors":[{"code":"NAME_UNKNOWN","message":"no","detail":{}}]}',
    b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\n\r\n" + b'{"token":"abc","expires_in":300,"issued_at":"2026-11-23T09:00:00Z"}',
    b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm="https://auth.example.com/token",service="r",scope="repository:shop/cart:pull"\r\n\r\n{}',
    b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x", Bearer realm="y"\r\nDocker-Content-Digest: '
    b"sha256:" + b"0" * 64 + b"\r\n\r\n{}",
)
_RULES = b"""environments:
  staging: {path: apps/staging, channel: deploys, approvals: none}
  production:
    path: apps/production
    after: staging
    approvals: [1 of release-managers, 1 of shop or oncall]
    soak: 2h
    freeze: [Fri 15:00 - Mon 08:00, 2026-12-24..2027-01-01]
    emergency: {approvals: 1 of ada, review: 2d, skips: [freeze]}
    gates: [{http: {url: https://example.com/<service>, is: open}}]
    channel: deploys
services:
  web: {image: ghcr.io/example/web, versions: 1.x, owner: shop}
  cart: {image: ghcr.io/example/cart, versions: {numerical: asc, tags: '^main-(?P<ts>[0-9]+)$', extract: $ts}}
people: {ada: {slack: U0ADA, github: ada-l}, bob: {slack: U0BOB}}
teams: {release-managers: [ada, bob], shop: [ada], oncall: [bob]}
"""
_PAYLOADS = (
    _json(
        team_id="T0",
        user_id="U0ADA",
        trigger_id="1.2.3",
        channel_id="C1",
        response_url="https://x",
        text="web 1.2.0 to production because we can",
    ),
    _json(
        user={"id": "U0ADA", "team_id": "T0"},
        team={"id": "T0"},
        actions=[{"value": "0123456789ab|abcdefabcdef", "action_ts": "1.2"}],
        channel={"id": "C1"},
        message={"text": "approve #12"},
    ),
    _json(
        user={"id": "U"},
        actions=[{"value": "production|web|1.2.0"}],
        container={"channel_id": "C1"},
        message={"text": "freeze production until 15:00 because x"},
    ),
)
_MANIFESTS = (
    b"""apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
images:
  - name: ghcr.io/example/web
    newTag: 1.0.0 # why
""",
    b"""kind: Deployment
spec:
  template:
    spec:
      containers:
        - {name: web, image: "ghcr.io/example/web:1.0.0"} # {"$imagepolicy": "flux-system:web"}
""",
)
_MESSAGE = b"""production: web 1.0.0 -> 1.1.0

We want it.

Promotion: 0123456789ab
Environment: production
Approved-By: ada (github:ada-l/583) 2026-11-23T09:00:00Z
Ledger: 0000000000000000000000000000000000000000
"""

SINKS: tuple[Sink, ...] = (
    Sink("entry", _ENTRIES, parse_entry, (EntryError,)),
    Sink("trailers", (_MESSAGE,), _trailers, (PolicyError,)),
    Sink("tag list", _ANSWERS, _tags),
    Sink(
        "digest", _ANSWERS, lambda raw: DigestAsked(_ENDPOINT, _REPOSITORY, Tag("1.0.0")).hear(_response(raw))
    ),
    Sink("headers", _ANSWERS, _headers),
    Sink("payload", _PAYLOADS, _payload),
    Sink("rules", (_RULES,), lambda raw: rules_parse.parse({"promotion/rules.yaml": raw}), (RulesError,)),
    Sink("manifest", _MANIFESTS, lambda raw: references.find("a.yaml", raw), (PolicyError,)),
    Sink("image", (b"ghcr.io/example/web:1.0.0@sha256:" + b"0" * 64, b"web:v1"), _image, (PolicyError,)),
)
