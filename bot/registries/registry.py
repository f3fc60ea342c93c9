"""The registry adapter: many repositories asked at once over libcurl, each host at its own pace."""

import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import pycurl

from bot.measures import MEASURES, Measure
from bot.registries import oci, outside_http
from bot.registries.login import Login, LoginAnswer, LoginFailure, Logins
from bot.registries.oci import Caps, Challenge, DigestAsked, Endpoint, Known, Request, Response, TagsAsked
from bot.registries.oci_content import MAX_CONTENT, ContentAnswer, ContentAsked, Elsewhere, checked
from bot.registries.trust import trust
from policies.images.evidence import DigestAnswer, Silence, Silent, TagAnswer, TagList
from policies.images.image import Repository, Tag
from policies.rules.rules import Host

PUBLIC_CONCURRENCY = 4  # GHCR answers bursts of ten with 429
OWN_CONCURRENCY = 16
BATCH = 50  # scopes in one token request
BATCH_TEXT = 4_000  # characters; nginx takes 8 KB for a request line
TOKEN_USE = 0.8  # of its life; then a new one
TRIES_WHEN_SLOWED = 3
FAILURES = 3  # in a row; then the host is left alone for this pass
LONGEST_PAUSE = 3_600.0  # seconds; whatever a registry asks for
HTTP2_STREAM = 92  # CURLE_HTTP2_STREAM, for which pycurl has no name
IDLE = 0.25  # seconds; select() cannot watch descriptors above 1023, so it never sleeps long


@dataclass(frozen=True, slots=True)
class Limits:
    """How long registries may take and how much they may say."""

    connect: timedelta = timedelta(seconds=10)
    silence: timedelta = timedelta(seconds=20)  # without a byte
    request: timedelta = timedelta(seconds=60)
    whole: timedelta = timedelta(minutes=4)  # one call of `tags` or `digests`
    pause: timedelta = timedelta(
        seconds=30
    )  # longer, and what a registry asked to be left alone for is not waited
    caps: Caps = field(default_factory=Caps)


class PycurlRegistry:
    """Asks registries for tags and digests. Whatever they do, each question gets an answer or a silence."""

    def __init__(
        self, logins: Logins, *, limits: Limits = Limits(), ticks: Callable[[], float] = time.monotonic
    ) -> None:
        """Open nothing yet; ``ticks`` are seconds that only go forward."""
        self._logins = logins
        self._limits = limits
        self._ticks = ticks
        self._hosts: dict[str, _Host] = {}
        self._known: dict[str, Known] = {}
        self._wires: list[_Wire] = []

    def tags(
        self, repositories: Iterable[Repository], hosts: Mapping[str, Host]
    ) -> dict[Repository, TagAnswer]:
        """List the tags of each repository; an unchanged list is the very object of the time before."""
        wanted = {repository: repository.canonical for repository in repositories}
        asks: dict[str, _Ask] = {}
        talks: dict[str, TagsAsked] = {}
        for repository, name in wanted.items():
            if name not in asks:
                endpoint = Endpoint.of(repository, hosts)
                before = self._known.get(endpoint.origin + name)
                talks[name] = TagsAsked(endpoint, repository, self._limits.caps, before)
                asks[name] = _Ask(talks[name])
        self._ask_all(asks.values())
        for name, talk in talks.items():
            if talk.known is not None:
                self._known[talk.endpoint.origin + name] = talk.known
        return {repository: asks[name].settled for repository, name in wanted.items()}

    def digests(
        self, images: Iterable[tuple[Repository, Tag]], hosts: Mapping[str, Host]
    ) -> dict[tuple[Repository, Tag], DigestAnswer]:
        """Look up what each tag stands for: the digest of its index, where it has one."""
        wanted = {(repository, tag): (repository.canonical, tag) for repository, tag in images}
        asks: dict[tuple[str, Tag], _Ask] = {}
        for (repository, tag), name in wanted.items():
            if name not in asks:
                asks[name] = _Ask(DigestAsked(Endpoint.of(repository, hosts), repository, tag))
        self._ask_all(asks.values())
        return {image: asks[name].settled for image, name in wanted.items()}

    def content(self, repository: Repository, where: str, hosts: Mapping[str, Host]) -> bytes | Silence:
        """Return what stands at ``manifests/...``, ``blobs/...`` or ``referrers/...`` below a repository.

        Where the registry sends to a store elsewhere, that is asked once, without our login.
        """
        ask = _Ask(ContentAsked(Endpoint.of(repository, hosts), repository, where))
        self._ask_all([ask])
        answer = ask.settled
        if not isinstance(answer, Elsewhere):
            return answer  # type: ignore[no-any-return]  # as the talk says
        host = f"{ask.talk.endpoint.host}: {repository.path}/{where[:90]}"
        found = outside_http.get(answer.url, ask.talk.endpoint.rule, accept="*/*", cap=MAX_CONTENT)
        if not isinstance(found, Response) or found.status != oci.OK:
            said = found.detail if not isinstance(found, Response) else f"it answered {found.error}"
            return Silence(Silent.UNREACHABLE, f"{host} is kept elsewhere, and {said}")
        if checked(where, found.body) is None:
            return Silence(Silent.INVALID, f"{host} is not what its digest says")
        return found.body

    def close(self) -> None:
        """Close the connections that were kept for the next pass."""
        while self._wires:
            self._wires.pop().close()

    def _ask_all(self, asks: Iterable["_Ask"]) -> None:
        """Ask on a wire of our own, so that a press on a button need not wait for a pass."""
        by_origin: dict[str, list[_Ask]] = {}
        for ask in asks:
            by_origin.setdefault(ask.talk.endpoint.origin, []).append(ask)
        if not by_origin:
            return
        lanes = self._lanes(by_origin)
        try:
            wire = self._wires.pop()
        except IndexError:
            wire = _Wire(self._limits)
        try:
            _Pass(wire, lanes, self._limits, self._ticks).run()
        finally:
            wire.drop()
            self._wires.append(wire)
        for lane in lanes:
            if lane.is_denied:
                self._logins.forget(lane.endpoint.host)

    def _lanes(self, by_origin: Mapping[str, list["_Ask"]]) -> list["_Lane"]:
        endpoints = {origin: asks[0].talk.endpoint for origin, asks in by_origin.items()}
        with ThreadPoolExecutor(max_workers=8) as pool:  # a credential helper may take seconds
            logins = pool.map(self._logins.of, [endpoint.host for endpoint in endpoints.values()])
            found = dict(zip(endpoints, logins, strict=True))
        return [
            _Lane(endpoint, self._host(endpoint, found[origin]), deque(by_origin[origin]))
            for origin, endpoint in endpoints.items()
        ]

    def _host(self, endpoint: Endpoint, login: LoginAnswer) -> "_Host":
        host = self._hosts.get(endpoint.origin)
        if host is None or host.login != login:  # another login: no token of the old one is used again
            host = self._hosts[endpoint.origin] = _Host(login)
        return host


@dataclass(slots=True, eq=False)
class _Grant:
    """A token for one scope, until when it is used, and whether it ever opened anything."""

    token: str = field(repr=False)
    until: float
    is_shared: bool
    is_proved: bool = False


@dataclass(slots=True, eq=False)
class _Ask:
    """One asked thing on its way to an answer."""

    talk: TagsAsked | DigestAsked | ContentAsked
    answer: TagAnswer | DigestAnswer | ContentAnswer | None = None
    scope: str = ""
    grant: _Grant | None = None
    is_sent_with_login: bool = False
    is_alone: bool = False  # wants a token for its own scope only
    is_retried: bool = False
    challenged: int = 0
    slowed: int = 0

    @property
    def settled(self) -> Any:
        """Return the answer; a pass leaves none out."""
        if self.answer is None:
            raise AssertionError(f"{self.talk.path} was never answered")
        return self.answer


@dataclass(slots=True, eq=False)
class _Host:
    """What is remembered of one registry from pass to pass."""

    login: LoginAnswer = field(repr=False)
    challenge: Challenge | None = None
    challenged_path: str = ""
    is_known: bool = False
    batch: int = BATCH
    grants: dict[str, _Grant] = field(default_factory=dict, repr=False)
    paused_until: float = 0.0
    window: float = 0.0


@dataclass(slots=True, eq=False)
class _Lane:
    """What is to be asked of one registry in this pass."""

    endpoint: Endpoint
    host: _Host
    waiting: deque[_Ask]
    running: int = 0
    failures: int = 0
    has_answered: bool = False
    is_denied: bool = False

    @property
    def login(self) -> Login | None:
        return self.host.login if isinstance(self.host.login, Login) else None

    @property
    def limit(self) -> int:
        default = OWN_CONCURRENCY if self.endpoint.may_be_private else PUBLIC_CONCURRENCY
        return max(1, self.endpoint.rule.concurrency or default)

    @property
    def room(self) -> int:
        """How many more may run; the first goes alone, since its answer teaches how to ask."""
        return (int(self.host.window) if self.host.is_known else 1) - self.running


@dataclass(frozen=True, slots=True)
class _Errand:
    """What a request was sent for: one ask, or a token for the scopes of several."""

    lane: _Lane
    asks: list[_Ask]
    scopes: tuple[str, ...] = ()
    sent_at: float = 0.0


@dataclass(frozen=True, slots=True)
class _Failure:
    """No answer came; ``says`` how, for people. ``is_passing`` means that asking again at once may help."""

    code: Silent
    says: str
    is_passing: bool = False


# By libcurl's error codes. Its own sentences are not shown: they differ between versions.
_FAILURES = {
    (
        pycurl.E_GOT_NOTHING,
        pycurl.E_PARTIAL_FILE,
        pycurl.E_RECV_ERROR,
        pycurl.E_SEND_ERROR,
        pycurl.E_HTTP2,
        HTTP2_STREAM,
    ): _Failure(
        Silent.UNREACHABLE, "got an answer that broke off; the next pass asks again", is_passing=True
    ),
    (pycurl.E_COULDNT_RESOLVE_HOST,): _Failure(
        Silent.UNREACHABLE, "cannot be asked for: DNS does not know the host; is it spelled right?"
    ),
    (pycurl.E_COULDNT_RESOLVE_PROXY,): _Failure(
        Silent.UNREACHABLE, "cannot be asked for: DNS does not know the proxy of the environment"
    ),
    (pycurl.E_COULDNT_CONNECT,): _Failure(
        Silent.UNREACHABLE, "cannot be asked for: the connection was refused; is the registry up?"
    ),
    (pycurl.E_SSL_CONNECT_ERROR, pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CACERT_BADFILE): _Failure(
        Silent.UNREACHABLE,
        "cannot be asked for: TLS failed; under registries, `ca` names whom to trust, `http: true` does without",
    ),
    (
        pycurl.E_BAD_CONTENT_ENCODING,
        pycurl.E_UNSUPPORTED_PROTOCOL,
        pycurl.E_URL_MALFORMAT,
        pycurl.E_FTP_WEIRD_SERVER_REPLY,  # CURLE_WEIRD_SERVER_REPLY by its old name
    ): _Failure(Silent.INVALID, "got no answer that is HTTP; are host and port right?"),
}


class _Pass:
    """One call of the adapter: fills each lane as far as its host allows, until everything is settled."""

    def __init__(self, wire: "_Wire", lanes: list[_Lane], limits: Limits, ticks: Callable[[], float]) -> None:
        self._wire = wire
        self._lanes = lanes
        self._limits = limits
        self._ticks = ticks
        self._until = ticks() + limits.whole.total_seconds()
        self._open = {ask: lane for lane in lanes for ask in lane.waiting}
        for lane in lanes:
            lane.host.window = min(lane.host.window or lane.limit, lane.limit)

    def run(self) -> None:
        """Settle every ask."""
        while self._open:
            now = self._ticks()
            if now >= self._until:
                break
            for lane in self._lanes:
                self._fill(lane, now)
            for errand, outcome in self._wire.wait(self._idle(now)):
                self._heard(errand, outcome)
        seconds = self._limits.whole.total_seconds()
        for ask, lane in list(self._open.items()):
            says = f"had no turn within the {seconds:g} s of a pass; if that repeats, give its host more `concurrency`"
            self._settle(ask, _silence(Silent.SLOW, lane, ask, says))

    def _idle(self, now: float) -> float:
        resumes = [
            lane.host.paused_until for lane in self._lanes if lane.waiting and lane.host.paused_until > now
        ]
        return max(0.0, min([self._until, *resumes]) - now)

    def _fill(self, lane: _Lane, now: float) -> None:
        host = lane.host
        pause = host.paused_until - now
        if lane.waiting and pause > min(self._limits.pause.total_seconds(), self._until - now):
            self._close(lane, Silent.THROTTLED, _throttled(pause))
        while lane.waiting and lane.room > 0 and host.paused_until <= now:
            self._start(lane, now)

    def _start(self, lane: _Lane, now: float) -> None:
        """Send what waits first, or the token request that it needs."""
        ask = lane.waiting[0]
        authorization = self._authorization(lane, ask, now)
        if authorization is None:
            self._start_token(lane, now)
            return
        lane.waiting.popleft()
        ask.is_sent_with_login = bool(authorization)
        request = ask.talk.request
        headers = (*request.headers, f"Authorization: {authorization}") if authorization else request.headers
        sent = Request(request.url, request.cap, request.method, headers, request.body)
        self._send(sent, _Errand(lane, [ask]), now)

    def _send(self, request: Request, errand: _Errand, now: float) -> None:
        errand.lane.running += 1
        MEASURES.count(Measure.REGISTRY_REQUESTS, errand.lane.endpoint.host)
        failure = self._wire.start(request, errand, errand.lane.endpoint, self._until - now)
        if failure is not None:
            self._heard(errand, failure)

    def _authorization(self, lane: _Lane, ask: _Ask, now: float) -> str | None:
        """Return the header's value, '' where none is wanted, None where a token has to be had first."""
        ask.grant = None
        if lane.login is not None and lane.login.registry_token:
            return f"Bearer {lane.login.registry_token}"
        if lane.host.challenge is None:
            return ""
        if lane.host.challenge.scheme == "basic":
            return oci.basic(lane.login) if lane.login is not None else ""
        ask.grant = self._grant(lane, ask, now)
        return f"Bearer {ask.grant.token}" if ask.grant is not None else None

    def _grant(self, lane: _Lane, ask: _Ask, now: float) -> _Grant | None:
        if not ask.scope and lane.host.challenge is not None:
            ask.scope = oci.scope_of(lane.host.challenge, lane.host.challenged_path, ask.talk.path)
        grant = lane.host.grants.get(ask.scope)
        usable = grant is not None and now < grant.until and not (ask.is_alone and grant.is_shared)
        return grant if usable else None

    def _start_token(self, lane: _Lane, now: float) -> None:
        """Ask for one token for as many of the waiting scopes as the registry is known to take."""
        first = lane.waiting.popleft()
        asks, scopes = [first], {first.scope: None}
        size = len(first.scope)
        while lane.waiting and not first.is_alone and not lane.waiting[0].is_alone:
            following = lane.waiting[0]
            if self._grant(lane, following, now) is not None:
                break
            if following.scope not in scopes:
                size += len(following.scope)
                if len(scopes) >= lane.host.batch or size > BATCH_TEXT:
                    break
                scopes[following.scope] = None
            asks.append(lane.waiting.popleft())
        challenge = lane.host.challenge or Challenge("bearer")
        request = oci.token_request(challenge, tuple(scopes), lane.login)
        self._send(request, _Errand(lane, asks, tuple(scopes), now), now)

    def _heard(self, errand: _Errand, outcome: Response | _Failure) -> None:
        lane = errand.lane
        lane.running -= 1
        if isinstance(outcome, _Failure):
            self._failed(errand, outcome)
            return
        lane.failures, lane.has_answered, lane.host.is_known = 0, True, True
        if outcome.status == oci.SLOW_DOWN or (
            outcome.status == oci.UNAVAILABLE and oci.retry_after(outcome) is not None
        ):
            self._slowed(errand, outcome)
        elif outcome.status in oci.FAILING and not errand.asks[0].is_retried:
            self._again(errand)
        else:
            lane.host.window = min(lane.limit, lane.host.window + 1 / lane.host.window)
            if errand.scopes:
                self._granted(errand, outcome)
            else:
                self._answered(lane, errand.asks[0], outcome)

    def _again(self, errand: _Errand) -> None:
        for ask in reversed(errand.asks):
            ask.is_retried = True
            errand.lane.waiting.appendleft(ask)

    def _slowed(self, errand: _Errand, response: Response) -> None:
        """Pause the whole host, not the repository: the next one would be told the same."""
        lane, now = errand.lane, self._ticks()
        wait = oci.retry_after(response)
        for ask in reversed(errand.asks):
            ask.slowed += 1
            if ask.slowed >= TRIES_WHEN_SLOWED:
                self._settle(ask, _silence(Silent.THROTTLED, lane, ask, _throttled(wait or 0.0)))
            else:
                lane.waiting.appendleft(ask)
        pause = min(LONGEST_PAUSE, wait if wait is not None else 2.0 ** errand.asks[0].slowed)
        lane.host.paused_until = max(lane.host.paused_until, now + pause)
        lane.host.window = max(1.0, lane.host.window / 2)

    def _failed(self, errand: _Errand, failure: _Failure) -> None:
        lane = errand.lane
        if failure.is_passing and not errand.asks[0].is_retried:
            self._again(errand)
            return
        lane.failures += 1
        says = f"the token service {failure.says}" if errand.scopes else failure.says
        for ask in errand.asks:
            self._settle(ask, _silence(failure.code, lane, ask, says))
        # A host that answered nothing yet is not asked a thousand times more.
        if lane.failures >= FAILURES or not (lane.has_answered or failure.is_passing):
            self._close(lane, failure.code, says)

    def _granted(self, errand: _Errand, response: Response) -> None:
        lane = errand.lane
        token = oci.token_of(response)
        if token is not None:
            until = errand.sent_at + TOKEN_USE * token.life
            is_shared = len(errand.scopes) > 1
            for scope in errand.scopes:
                lane.host.grants[scope] = _Grant(token.text, until, is_shared)
            lane.waiting.extendleft(reversed(errand.asks))
        elif len(errand.scopes) > 1:
            for ask in reversed(errand.asks):
                ask.is_alone = True
                lane.waiting.appendleft(ask)
        else:
            for ask in errand.asks:
                self._settle(ask, _no_token(lane, ask, response))

    def _answered(self, lane: _Lane, ask: _Ask, response: Response) -> None:
        is_doubtful = ask.grant is not None and ask.grant.is_shared and not ask.grant.is_proved
        if response.status == oci.UNAUTHORIZED or (response.status == oci.FORBIDDEN and is_doubtful):
            self._challenged(lane, ask, response)
            return
        if ask.grant is not None and response.status != oci.FORBIDDEN:
            ask.grant.is_proved = True
            if ask.is_alone:  # what a shared token did not open, its own did
                lane.host.batch = 1
        is_elsewhere = isinstance(ask.talk, ContentAsked) and response.status in oci.REDIRECTS
        refusal = None if is_elsewhere else oci.refusal(response, lane.endpoint, ask.talk.path, lane.login)
        answer = refusal or ask.talk.hear(response)
        if answer is None:
            ask.is_retried = False
            lane.waiting.appendleft(ask)
        else:
            lane.is_denied |= isinstance(answer, Silence) and answer.code is Silent.DENIED
            if isinstance(answer, TagList) and not answer.whole:
                lane.host.window = 1.0  # a flood is taken one at a time: each may fill its cap
            self._settle(ask, answer)

    def _challenged(self, lane: _Lane, ask: _Ask, response: Response) -> None:
        """Learn how to ask, or that we may not."""
        if isinstance(lane.host.login, LoginFailure):
            self._settle(
                ask, _silence(Silent.DENIED, lane, ask, f"needs a login, and {lane.host.login.detail}")
            )
            return
        ask.challenged += 1
        challenge = _chosen(oci.challenges(response), lane.login)
        is_final = challenge is None or ask.challenged > TRIES_WHEN_SLOWED
        if ask.is_sent_with_login:
            is_final |= ask.grant is None or not (ask.grant.is_shared or ask.grant.is_proved)
            if ask.grant is not None:
                ask.is_alone = ask.grant.is_shared and not ask.grant.is_proved
                lane.host.grants.pop(ask.scope, None)
        if challenge is None or is_final:
            lane.is_denied = True
            self._settle(ask, oci.refusal(response, lane.endpoint, ask.talk.path, lane.login))
            return
        doubt = oci.mistrusted(challenge.realm, lane.endpoint) if challenge.scheme == "bearer" else ""
        if doubt:
            self._settle(ask, _silence(Silent.REFUSED, lane, ask, f"{doubt}; it was not asked"))
            return
        lane.host.challenge, lane.host.challenged_path = challenge, ask.talk.path
        ask.scope = ""
        lane.waiting.appendleft(ask)

    def _close(self, lane: _Lane, code: Silent, says: str) -> None:
        while lane.waiting:
            ask = lane.waiting.popleft()
            self._settle(ask, _silence(code, lane, ask, says))

    def _settle(self, ask: _Ask, answer: TagAnswer | DigestAnswer | ContentAnswer | None) -> None:
        ask.answer = answer
        self._open.pop(ask, None)


def _chosen(found: list[Challenge], login: Login | None) -> Challenge | None:
    """Prefer a token over sending the password each time; Basic means nothing without a login."""
    bearer = next((challenge for challenge in found if challenge.scheme == "bearer"), None)
    basic = next((challenge for challenge in found if challenge.scheme == "basic"), None)
    return bearer or (basic if login is not None else None)


def _no_token(lane: _Lane, ask: _Ask, response: Response) -> Silence:
    refused = oci.refusal(response, lane.endpoint, ask.talk.path, lane.login)
    if refused is not None:
        return refused
    if oci.BAD_REQUEST <= response.status < oci.FAILING.start:
        says = f"was refused a token ({response.status}); check the login in the Docker config for this host"
        return _silence(Silent.DENIED, lane, ask, says)
    return _silence(
        Silent.INVALID, lane, ask, "was answered by the token service with something that is no token"
    )


def _throttled(pause: float) -> str:
    told = f", for {pause:.0f} s" if pause else ""
    return f"has to wait: the registry asks to be left alone{told}; a longer interval or a login helps"


def _silence(code: Silent, lane: _Lane, ask: _Ask, says: str) -> Silence:
    return Silence(code, f"{lane.endpoint.host}: {ask.talk.path} {says}")


class _Body:
    """Collects an answer's body up to its cap."""

    __slots__ = ("cap", "is_cut", "pieces", "size")

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.size = 0
        self.is_cut = False
        self.pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        """Take a piece; any number but its length makes libcurl stop."""
        self.size += len(piece)
        if self.size > self.cap:
            self.is_cut = True
            self.pieces.clear()
            return 0
        self.pieces.append(piece)
        return len(piece)

    def taken(self) -> bytes:
        """Hand the body over, and keep no second copy."""
        body = b"".join(self.pieces)
        self.pieces.clear()
        return body


@dataclass(slots=True, eq=False)
class _Flight:
    """A request on its way."""

    errand: _Errand
    body: _Body
    head: BytesIO = field(default_factory=BytesIO)
    refused: str = ""  # the address that was not to be connected to


class _Wire:
    """One CurlMulti with its handles and kept connections: requests go in, answers and failures come out."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._multi = pycurl.CurlMulti()
        self._free: list[Any] = []
        self._flights: dict[Any, _Flight] = {}
        self._sockets: list[socket.socket] = []
        self._proxies: dict[str, str] = {}

    def start(self, request: Request, errand: _Errand, endpoint: Endpoint, seconds: float) -> _Failure | None:
        """Send a request; return why that could not even be tried."""
        parts = urlsplit(request.url)
        proxy = "" if endpoint.is_local else self._proxy(parts.scheme, parts.netloc)
        if proxy and _is_literal(parts.hostname or "") and not endpoint.allows(parts.hostname or ""):
            return _private(parts.hostname or "")
        curl = self._free.pop() if self._free else pycurl.Curl()
        flight = _Flight(errand, _Body(request.cap))
        try:
            self._prepare(curl, request, endpoint, seconds)
            curl.setopt(pycurl.PROXY, proxy)
            curl.setopt(pycurl.NOPROXY, "")
            if not proxy and not endpoint.may_be_private:
                curl.setopt(pycurl.OPENSOCKETFUNCTION, partial(self._open_socket, flight, endpoint))
            curl.setopt(pycurl.WRITEFUNCTION, flight.body.write)
            curl.setopt(pycurl.HEADERFUNCTION, flight.head.write)
            self._multi.add_handle(curl)
        except (pycurl.error, ValueError) as error:
            curl.close()
            return _Failure(Silent.INVALID, f"cannot be asked for: {type(error).__name__} for its address")
        self._flights[curl] = flight
        return None

    def wait(self, seconds: float) -> list[tuple[_Errand, Response | _Failure]]:
        """Move everything on; return what has ended, after at most ``seconds``."""
        self._multi.perform()
        self._close_sockets()
        ended = self._ended()
        if ended or seconds <= 0:
            return ended
        due = self._multi.timeout()
        nap = min(seconds, IDLE, due / 1000 if due >= 0 else IDLE)
        if not self._flights or self._multi.select(nap) == -1:
            time.sleep(min(nap, seconds) if not self._flights else min(nap, 0.01))
        self._multi.perform()
        self._close_sockets()
        return self._ended()

    def drop(self) -> None:
        """Break off whatever still runs."""
        for curl in list(self._flights):
            self._multi.remove_handle(curl)
            curl.close()
        self._flights.clear()
        self._close_sockets()

    def close(self) -> None:
        """Close connections and handles."""
        self.drop()
        self._multi.close()
        while self._free:
            self._free.pop().close()

    def _prepare(self, curl: Any, request: Request, endpoint: Endpoint, seconds: float) -> None:
        limits = self._limits
        curl.setopt(pycurl.URL, request.url)
        curl.setopt(pycurl.HTTPHEADER, list(request.headers))
        if request.method == "HEAD":
            curl.setopt(pycurl.NOBODY, 1)
        if request.body is not None:
            curl.setopt(pycurl.POSTFIELDS, request.body)
        curl.setopt(pycurl.USERAGENT, "countersign")
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        curl.setopt(pycurl.PIPEWAIT, 1)
        curl.setopt(pycurl.ACCEPT_ENCODING, "")
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(limits.connect.total_seconds() * 1000))
        whole = min(limits.request.total_seconds(), seconds)
        curl.setopt(pycurl.TIMEOUT_MS, max(1, int(whole * 1000)))
        curl.setopt(pycurl.LOW_SPEED_LIMIT, 1)
        curl.setopt(pycurl.LOW_SPEED_TIME, max(1, int(limits.silence.total_seconds())))
        if request.url.startswith("https:"):
            trust(curl, endpoint.rule.ca)

    def _open_socket(self, flight: _Flight, endpoint: Endpoint, _purpose: int, address: Any) -> Any:
        """Open a connection's socket after its name was resolved, unless it leads to where it must not."""
        family, kind, protocol, where = address
        if not isinstance(where, tuple) or not endpoint.allows(str(where[0])):
            flight.refused = str(where[0] if isinstance(where, tuple) else "a local socket")
            return pycurl.SOCKET_BAD
        try:
            opened = socket.socket(family, kind, protocol)
        except OSError:
            return pycurl.SOCKET_BAD
        self._sockets.append(opened)  # pycurl goes on with a duplicate
        return opened

    def _close_sockets(self) -> None:
        while self._sockets:
            self._sockets.pop().close()

    def _ended(self) -> list[tuple[_Errand, Response | _Failure]]:
        ended: list[tuple[_Errand, Response | _Failure]] = []
        left = 1
        while left:
            left, good, bad = self._multi.info_read(1_000)
            for curl, code in [
                *((curl, pycurl.E_OK) for curl in good),
                *((curl, code) for curl, code, _ in bad),
            ]:
                flight = self._flights.pop(curl)
                ended.append((flight.errand, _outcome(curl, code, flight, self._limits)))
                self._multi.remove_handle(curl)
                curl.reset()
                self._free.append(curl)
        return ended

    def _proxy(self, scheme: str, place: str) -> str:
        """Return the proxy of the environment, '' for none; said to libcurl, so that both know the same."""
        origin = f"{scheme}://{place}"
        if origin not in self._proxies:
            proxies = getproxies()
            found = proxies.get(scheme) or proxies.get("all") or ""
            self._proxies[origin] = "" if not found or proxy_bypass(place) else found
        return self._proxies[origin]


def _outcome(curl: Any, code: int, flight: _Flight, limits: Limits) -> Response | _Failure:
    if code == pycurl.E_OK or flight.body.is_cut:
        status, body = curl.getinfo(pycurl.RESPONSE_CODE), flight.body.taken()
        return Response.parse(status, flight.head.getvalue(), body, whole=not flight.body.is_cut)
    if flight.refused:
        return _private(flight.refused)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        if curl.getinfo(pycurl.CONNECT_TIME) > 0:
            return _Failure(Silent.SLOW, "was not answered in time; the next pass asks again")
        seconds = limits.connect.total_seconds()
        return _Failure(Silent.UNREACHABLE, f"got no connection within {seconds:g} s; is the registry up?")
    return _failure(code)


def _failure(code: int) -> _Failure:
    for codes, failure in _FAILURES.items():
        if code in codes:
            return failure
    return _Failure(Silent.UNREACHABLE, f"cannot be asked for (curl {code}); the next pass asks again")


def _private(address: str) -> _Failure:
    says = f"was not asked for: the host leads to {address}, which is not public"
    return _Failure(Silent.REFUSED, f"{says}; `private: true` for it under registries allows that")


def _is_literal(host: str) -> bool:
    return ":" in host or host.rpartition(".")[2].isdigit()
