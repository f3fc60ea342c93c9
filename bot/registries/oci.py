"""The OCI distribution protocol without I/O: what a registry is asked, and what its answers mean."""

import hashlib
import ipaddress
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from itertools import chain
from typing import Any, Self
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

import orjson

from bot.registries.login import HUB, Login, canonical_host
from policies.errors import PolicyError
from policies.images.evidence import DigestAnswer, Silence, Silent, TagAnswer, TagList
from policies.images.image import Digest, Repository, Tag
from policies.rules.rules import Host

HUB_ENDPOINT = "registry-1.docker.io"
# Registries whose token service lives elsewhere by their own documentation.
KNOWN_REALMS = {HUB_ENDPOINT: "auth.docker.io"}
# Suffixes under which strangers live beside each other: only the very same host is trusted there.
SHARED_SUFFIXES = ("amazonaws.com", "azurecr.io", "github.io", "icr.io", "jfrog.io", "pkg.dev", "scw.cloud")
# Index types first: what is pinned is the index, not one platform's manifest.
MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)
PAGE = 1000  # ECR refuses more; who allows less answers with less
MAX_MANIFEST = 4 * 1024 * 1024  # OCI distribution specification, "Pushing manifests"
MAX_TOKEN = 256 * 1024
MAX_HEADER = 8 * 1024
MAX_SCOPE = 1024
MAX_NAME = 253  # RFC 1035, a host's name
MAX_ELEMENTS = 1_000_000  # more commas than this are not decoded: the list alone would fill the memory
TOKEN_LIFE = 60  # seconds; distribution token specification, where `expires_in` is left out
MAX_TOKEN_LIFE = 24 * 3600

OK, NOT_MODIFIED, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 200, 304, 400, 401, 403, 404
HEAD_UNKNOWN = frozenset({405, 501})  # a registry that does not know HEAD
SLOW_DOWN = 429
UNAVAILABLE = 503
FAILING = range(500, 600)
REDIRECTS = range(300, 400)

# OCI distribution specification, "Pulling manifests"; policies.image.Tag has the same grammar, one tag at a time.
_MAX_TAG = 128
_TAG_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_ODD_LEAD = re.compile(rb"\n[.\n-]")  # a line that begins as no tag may
_LOCAL = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\]):[0-9]{1,5}", re.ASCII)
_URL = re.compile(r"[!-~]{1,8192}", re.ASCII)
_BEARER_TOKEN = re.compile(r"[!-~]{1,65536}", re.ASCII)
_ERROR_CODE = re.compile(r"[A-Z][A-Z_]{1,40}", re.ASCII)
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_NEXT = re.compile(r";\s*rel\s*=\s*\"?next\"?", re.IGNORECASE)
# A scheme, or one of its parameters (RFC 9110, section 11.3).
_CHALLENGE_PART = re.compile(
    r"[\s,]*([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]*)))?"
)


@dataclass(frozen=True, slots=True)
class Caps:
    """How much a registry may say before it is cut short."""

    tags: int = 200_000
    body: int = 32 * 1024 * 1024  # bytes, all pages of a list together
    pages: int = 2_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a registry listens, and what its host may do."""

    host: str  # as people write it
    origin: str
    rule: Host
    is_local: bool

    @classmethod
    def of(cls, repository: Repository, hosts: Mapping[str, Host]) -> Self:
        """Find the endpoint of ``repository`` under the rules of its host."""
        host = canonical_host(repository.host)
        names = (repository.host, host) if host != HUB else (HUB, "docker.io", HUB_ENDPOINT)
        rule = next((hosts[name] for name in names if name in hosts), Host())
        is_local = _LOCAL.fullmatch(host) is not None
        plain = rule.http or (is_local and not rule.ca)
        name = HUB_ENDPOINT if host == HUB else host
        return cls(host, f"{'http' if plain else 'https'}://{name}", rule, is_local)

    @property
    def may_be_private(self) -> bool:
        """Say whether this host's name may lead to a private, loopback or link-local address."""
        return self.rule.private or self.is_local

    def allows(self, address: str) -> bool:
        """Say whether a connection for this host may go to the IP ``address``."""
        return self.may_be_private or is_public(address)


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``headers`` and ``body`` may hold secrets and are never shown."""

    url: str
    cap: int  # bytes of the answer's body
    method: str = "GET"
    headers: tuple[str, ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, its header names in lower case; ``whole`` is false where the cap cut the body."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    whole: bool = True

    @classmethod
    def parse(cls, status: int, head: bytes, body: bytes, *, whole: bool) -> Self:
        """Read raw header blocks: the last that begins a message counts, not a proxy's, a 1xx or trailers."""
        blocks = head.replace(b"\r\n", b"\n").split(b"\n\n")
        block = next((block for block in reversed(blocks) if block.startswith(b"HTTP/")), b"")
        pairs = (line.partition(":") for line in block.decode("latin-1").split("\n")[1:])
        named = tuple(
            (name.strip().lower(), value.strip()[:MAX_HEADER]) for name, colon, value in pairs if colon
        )
        return cls(status, named, body, whole)

    def every(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for key, value in self.headers if key == name]

    def header(self, name: str) -> str:
        """Return the first value of a header, '' where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def error(self) -> str:
        """Return the status, with the registry's error code where it sent one: ``404 NAME_UNKNOWN``."""
        document = _decoded(self.body) if self.whole and len(self.body) <= MAX_TOKEN else None
        errors = document.get("errors") if isinstance(document, dict) else None
        first = errors[0] if isinstance(errors, list) and errors else None
        code = first.get("code") if isinstance(first, dict) else None
        known = isinstance(code, str) and _ERROR_CODE.fullmatch(code) is not None
        return f"{self.status} {code}" if known else str(self.status)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry wants before it answers: the scheme in lower case, and its parameters."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and how long it lives, in seconds."""

    text: str = field(repr=False)
    life: float


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a tag list, kept so that an unchanged page need not be decoded again."""

    etag: str
    fingerprint: int
    size: int
    listed: "Listed"
    following: str  # URL of the next page, '' on the last


@dataclass(frozen=True, slots=True)
class Listed:
    """What a page says: its tags, which of them the last answer did not have, how many names were no tags."""

    tags: tuple[str, ...]
    names: frozenset[str]
    new: frozenset[str]
    refused: int = 0
    is_cut: bool = False  # it held more than any list may


@dataclass(frozen=True, slots=True)
class Known:
    """The last whole answer for a repository, by page."""

    pages: Mapping[str, Page]
    answer: TagList


_MANY = 1_000  # tags
_NOTHING = Listed((), frozenset(), frozenset())


class TagsAsked:
    """One repository's tag list, asked page by page; ``known`` is what is worth keeping in the end."""

    def __init__(self, endpoint: Endpoint, repository: Repository, caps: Caps, before: Known | None) -> None:
        """Begin at the first page; ``before`` is what the last pass kept."""
        self.endpoint = endpoint
        self.path = repository.path
        self.known: Known | None = None
        self._before = before
        self._names_before: frozenset[str] = before.answer.names if before else frozenset()
        self._caps = caps
        self._url = f"{endpoint.origin}/v2/{repository.path}/tags/list?n={PAGE}"
        self._pages: dict[str, Page] = {}
        self._left = caps.body
        self._count = 0

    @property
    def request(self) -> Request:
        """Say what to ask next."""
        page = self._page_before()
        headers: tuple[str, ...] = ("Accept: application/json",)
        if page is not None and page.etag:
            headers = (*headers, f"If-None-Match: {page.etag}")
        return Request(self._url, self._left, headers=headers)

    def hear(self, response: Response) -> TagAnswer | None:
        """Take one page in: the answer, or None where `request` has the next question."""
        if response.status == NOT_FOUND:
            advice = "check the image's name in the rules"
            return _silence(
                Silent.UNKNOWN, self.endpoint, self.path, f"is not known ({response.error}); {advice}"
            )
        page = self._page_before()
        if response.status == OK:
            heard = self._read(response, page) if response.whole else None
            if heard is None:
                return self._answer(whole=False)
            if isinstance(heard, Silence):
                return heard
            page = heard
        elif response.status != NOT_MODIFIED or page is None:
            return self._invalid(f"answered {response.error} for its tags")
        return self._take(page)

    def _page_before(self) -> Page | None:
        return self._before.pages.get(self._url) if self._before is not None else None

    def _read(self, response: Response, before: Page | None) -> Page | Silence | None:
        """Read a page; None where it holds more than is ever decoded."""
        # The built-in hash is keyed anew in each process: nobody outside can aim for a collision.
        fingerprint, size = hash(response.body), len(response.body)
        following = next_page(response, self._url, self.endpoint)
        if isinstance(following, Silence):
            return following
        etag = _etag(response)
        if before is not None and (before.fingerprint, before.size) == (fingerprint, size):
            return Page(etag, fingerprint, size, replace(before.listed, new=frozenset()), following)
        if size > MAX_ELEMENTS and response.body.count(b",") > MAX_ELEMENTS:
            return None
        listed = _listed(response.body, self._caps.tags, self._names_before)
        if listed is None:
            return self._invalid("answered something that is no tag list")
        return Page(etag, fingerprint, size, listed, following)

    def _take(self, page: Page) -> TagAnswer | None:
        listed = page.listed
        again = listed.tags and any(page.fingerprint == taken.fingerprint for taken in self._pages.values())
        self._pages[self._url] = page
        if again or page.following in self._pages:
            return self._invalid("sends the same page of tags again and again")
        self._left -= page.size
        self._count += len(listed.tags)
        if listed.is_cut or not page.following:
            return self._answer(whole=not listed.is_cut)
        if self._count >= self._caps.tags or len(self._pages) >= self._caps.pages or self._left <= 0:
            return self._answer(whole=False)
        self._url = page.following
        return None

    def _answer(self, *, whole: bool) -> TagList:
        if whole and self._before is not None and self._is_as_before(self._before):
            self.known = Known(self._pages, self._before.answer)
            return self._before.answer
        pages = [page.listed for page in self._pages.values()] or [_NOTHING]
        tags, names, new = pages[0].tags, pages[0].names, pages[0].new
        if len(pages) > 1:
            tags = tuple(chain.from_iterable(page.tags for page in pages))
            names, new = (
                names.union(*(page.names for page in pages)),
                new.union(*(page.new for page in pages)),
            )
        if len(names) < len(tags):
            tags = tuple(dict.fromkeys(tags))
        refused = sum(page.refused for page in pages)
        if len(tags) > self._caps.tags:
            whole, tags = False, tags[: self._caps.tags]
            names = new = frozenset(tags)
        answer = TagList(tags, whole=whole, refused=refused, names=names)
        if len(tags) > _MANY:  # what is compared in no time is not worth keeping the names of the time before
            answer = replace(answer, compared=(self._names_before, new))
        self.known = Known(self._pages, answer) if answer.whole else None
        return answer

    def _is_as_before(self, before: Known) -> bool:
        return list(before.pages) == list(self._pages) and all(
            before.pages[url].listed.tags is page.listed.tags
            and before.pages[url].listed.refused == page.listed.refused
            for url, page in self._pages.items()
        )

    def _invalid(self, what: str) -> Silence:
        advice = "what it says is not used until it is put right there"
        return _silence(Silent.INVALID, self.endpoint, self.path, f"{what}; {advice}")


class DigestAsked:
    """The digest that a tag stands for: by HEAD, and by hashing the manifest where HEAD does not tell."""

    def __init__(self, endpoint: Endpoint, repository: Repository, tag: Tag) -> None:
        """Begin with HEAD, which no registry counts as a pull."""
        self.endpoint = endpoint
        self.path = repository.path
        self._name = f"{repository.path}:{tag}"
        self._url = f"{endpoint.origin}/v2/{repository.path}/manifests/{tag}"
        self._method = "HEAD"

    @property
    def request(self) -> Request:
        """Say what to ask next."""
        return Request(self._url, MAX_MANIFEST, self._method, (f"Accept: {MANIFEST_TYPES}",))

    def hear(self, response: Response) -> DigestAnswer | None:
        """Take the answer in: the digest, or None where `request` has the next question."""
        if response.status == NOT_FOUND:
            return self._silence(
                Silent.NO_SUCH_TAG, f"is not there ({response.error}); was it deleted or renamed?"
            )
        named = response.header("docker-content-digest")
        if self._method == "HEAD" and (
            response.status in HEAD_UNKNOWN or (response.status == OK and not named)
        ):
            self._method = "GET"
            return None
        if response.status != OK:
            return self._silence(Silent.INVALID, f"was answered with {response.error}")
        if self._method == "GET":
            return self._hashed(response, named)
        return self._parsed(named)

    def _parsed(self, named: str) -> DigestAnswer:
        try:
            return Digest.parse(named)
        except PolicyError:
            return self._silence(Silent.INVALID, "came with a digest that is not sha256 of 64 digits")

    def _hashed(self, response: Response, named: str) -> DigestAnswer:
        if not response.whole:
            return self._silence(Silent.INVALID, f"has a manifest of more than {MAX_MANIFEST} bytes")
        manifest = _decoded(response.body)
        if not isinstance(manifest, dict) or manifest.get("schemaVersion") != 2:  # noqa: PLR2004  OCI image-spec: "MUST be 2"
            return self._silence(Silent.INVALID, "came with something that is no manifest")
        computed = f"sha256:{hashlib.sha256(response.body).hexdigest()}"
        if named not in {"", computed}:
            return self._silence(Silent.INVALID, "came with a digest that is not its manifest's")
        return Digest.parse(computed)

    def _silence(self, code: Silent, what: str) -> Silence:
        return _silence(code, self.endpoint, self._name, what)


def next_page(response: Response, url: str, endpoint: Endpoint) -> str | Silence:
    """Return the URL that ``Link`` names as the next page, '' where there is none; never another host's."""
    links = [
        match[1]
        for value in response.every("link")
        for match in _LINK.finditer(value)
        if _NEXT.search(match[2])
    ]
    if not links:
        return ""
    target = _split(links[0], url) if _URL.fullmatch(links[0]) is not None else None
    if target is None:
        return _silence(Silent.INVALID, endpoint, "its tag list", "names a next page that is no address")
    if _place(target) != _place(urlsplit(endpoint.origin)):
        advice = "it is not followed; name the registry's own host in the rules"
        return _silence(Silent.REFUSED, endpoint, "its tag list", f"goes on at another host; {advice}")
    # The scheme stays ours: behind a proxy some registries write http where they are asked by https.
    return f"{endpoint.origin}{target.path}" + (f"?{target.query}" if target.query else "")


def challenges(response: Response) -> list[Challenge]:
    """Read every challenge of a 401 that we can answer, in the order in which they came."""
    found: list[tuple[str, dict[str, str]]] = []
    for value in response.every("www-authenticate"):
        for part in _CHALLENGE_PART.finditer(value):
            name, quoted, bare = part[1].lower(), part[2], part[3]
            if quoted is None and bare is None:
                found.append((name, {}))
            elif found:
                text = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
                found[-1][1].setdefault(name, text)
    return [
        Challenge(scheme, said.get("realm", ""), said.get("service", ""), said.get("scope", "")[:MAX_SCOPE])
        for scheme, said in found
        if scheme in {"bearer", "basic"}
    ]


def mistrusted(realm: str, endpoint: Endpoint) -> str:
    """Say why a token service must not be asked in this registry's name; '' where it may be.

    A registry that could name any address would have us knock there, and hand over the login.
    """
    url = _split(realm) if _URL.fullmatch(realm) is not None else None
    if url is None or url.hostname is None or url.scheme not in {"http", "https"} or "@" in url.netloc:
        return "names a token service whose address cannot be read"
    own = urlsplit(endpoint.origin)
    if url.scheme == "http" and own.scheme != "http":
        return f"names a token service at {url.hostname[:MAX_NAME]} by plain HTTP"
    host = own.hostname or ""
    if url.hostname == host or KNOWN_REALMS.get(host) == url.hostname or _are_kin(host, url.hostname):
        return ""
    return f"names a token service at {url.hostname[:MAX_NAME]}, which does not belong to it"


def scope_of(challenge: Challenge, asked: str, path: str) -> str:
    """Return the scope for ``path``, worded as in the challenge that came for the path ``asked``."""
    return (
        challenge.scope.replace(f":{asked}:", f":{path}:") if challenge.scope else f"repository:{path}:pull"
    )


def token_request(challenge: Challenge, scopes: tuple[str, ...], login: Login | None) -> Request:
    """Ask the token service for ``scopes``, as whoever ``login`` is (distribution token specification)."""
    service = [("service", challenge.service)] if challenge.service else []
    if login is not None and login.identity_token:
        form = [
            ("grant_type", "refresh_token"),
            *service,
            ("client_id", "countersign"),
            ("scope", " ".join(scopes)),
            ("refresh_token", login.identity_token),
        ]
        return Request(challenge.realm, MAX_TOKEN, "POST", body=urlencode(form).encode())
    query = urlencode([*service, *(("scope", scope) for scope in scopes)])
    joint = "&" if "?" in challenge.realm else "?"
    headers = (f"Authorization: {basic(login)}",) if login is not None else ()
    return Request(f"{challenge.realm.partition('#')[0]}{joint}{query}", MAX_TOKEN, headers=headers)


def basic(login: Login) -> str:
    """Word a login as HTTP Basic wants it (RFC 7617)."""
    return "Basic " + b64encode(f"{login.username}:{login.secret}".encode()).decode()


def token_of(response: Response) -> Token | None:
    """Read the token service's answer; None where it holds no token that could be sent."""
    said = _decoded(response.body) if response.status == OK and response.whole else None
    if not isinstance(said, dict):
        return None
    text = said.get("token") or said.get("access_token")
    if not isinstance(text, str) or _BEARER_TOKEN.fullmatch(text) is None:
        return None
    life = said.get("expires_in")
    usable = isinstance(life, (int, float)) and not isinstance(life, bool) and life > 0
    return Token(text, min(float(life), MAX_TOKEN_LIFE) if usable and life is not None else TOKEN_LIFE)


def retry_after(response: Response) -> float | None:
    """Return for how many seconds the registry wants to be left alone; None where it did not say."""
    value = response.header("retry-after")
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        # Both moments are the registry's own, so its clock need not agree with ours.
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(response.header("date"))
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, wait.total_seconds())


def refusal(response: Response, endpoint: Endpoint, path: str, login: Login | None) -> Silence | None:
    """Say what an answer means that ends any question alike; None where the question itself must hear it."""
    if response.status in {UNAUTHORIZED, FORBIDDEN}:
        if login is None:
            advice = f"if it exists, it needs a login: docker login {endpoint.host}"
        else:
            advice = f"check that the login in the Docker config for {endpoint.host} is valid and may read it"
        return _silence(Silent.DENIED, endpoint, path, f"was denied ({response.error}); {advice}")
    if response.status in FAILING:
        what = f"was answered with {response.error}, twice; the next pass asks again"
        return _silence(Silent.UNREACHABLE, endpoint, path, what)
    if response.status in REDIRECTS and response.status != NOT_MODIFIED:
        advice = "redirects are not followed; name the registry's own host in the rules"
        return _silence(
            Silent.REFUSED, endpoint, path, f"was answered with a redirect ({response.status}); {advice}"
        )
    return None


def is_public(address: str) -> bool:
    """Say whether an IP address is of the open internet: not private, loopback, link-local or metadata."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _embedded(ip) if isinstance(ip, ipaddress.IPv6Address) else None
    return ip.is_global and not ip.is_multicast and (inner is None or inner.is_global)


def _embedded(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in ipaddress.IPv6Network("64:ff9b::/96"):  # RFC 6052: a NAT64 gateway leads to the last 32 bits
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def _are_kin(host: str, other: str) -> bool:
    """Do two host names share the domain that somebody registered? Where in doubt, no."""
    if _is_ip(host) or _is_ip(other):
        return False
    domain = ".".join(host.split(".")[-_registrable(host) :])
    is_own = domain.count(".") >= 1 and domain not in SHARED_SUFFIXES
    return is_own and (host == domain or host.endswith(f".{domain}")) and f".{other}".endswith(f".{domain}")


def _registrable(host: str) -> int:
    # Below a country's domain, short second labels (co.uk, com.au) are for everybody: one label more.
    labels = host.split(".")
    short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3  # noqa: PLR2004  labels and letters
    return 3 if short else 2


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.rpartition(".")[2].isdigit()
    return True


def _split(url: str, base: str = "") -> SplitResult | None:
    try:
        parts = urlsplit(urljoin(base, url))
        _ = parts.port  # read here, because a port that is no number is found only now
    except ValueError:
        return None
    return parts


def _place(url: SplitResult) -> tuple[str | None, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.hostname, url.port if url.port != default else None


def _etag(response: Response) -> str:
    etag = response.header("etag")
    return etag if etag and etag.isascii() and etag.isprintable() else ""


def _listed(body: bytes, cap: int, known: frozenset[str]) -> Listed | None:
    """Read a page; names that are ``known`` were found to be tags before."""
    document = _decoded(body)
    if not isinstance(document, dict) or "tags" not in document:
        return None
    named = document["tags"]
    if named is None:  # docker-registry writes null once the last tag was deleted
        return _NOTHING
    if not isinstance(named, list):
        return None
    taken = named[:cap]
    is_cut = len(named) > cap
    try:
        names = frozenset(taken)
    except TypeError:  # lists and maps among them
        names = frozenset()
    new = names - known if known else names  # the very set, not another one of a hundred thousand names
    if _are_tags(list(new) if known else taken) and bool(names) is bool(taken):
        return Listed(tuple(taken), names, new, 0, is_cut)
    fits = _TAG.fullmatch
    tags = tuple([name for name in taken if isinstance(name, str) and fits(name) is not None])
    names = frozenset(tags)
    new = names - known if known else names
    return Listed(tags, names, new, len(taken) - len(tags), is_cut)


def _are_tags(names: list[Any]) -> bool:
    """Say whether all names match the grammar of tags, in half the time that it takes to match each."""
    if not names:
        return True
    try:
        lines = ("\n" + "\n".join(names)).encode("utf-8", "surrogatepass")
    except TypeError:  # something else than text
        return False
    return (
        lines.translate(None, _TAG_BYTES) == b"\n" * len(names)
        and _ODD_LEAD.search(lines) is None
        and not lines.endswith(b"\n")
        and max(map(len, names)) <= _MAX_TAG
    )


def _decoded(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _silence(code: Silent, endpoint: Endpoint, what: str, said: str) -> Silence:
    return Silence(code, f"{endpoint.host}: {what} {said}")
