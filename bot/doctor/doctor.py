"""What the doctor looks at by himself: git, repository, rules, ledger, registries, clocks; each check is one line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path

from bot import assembly
from bot.claims import made_up
from bot.errors import BotError
from bot.linting import lint_commit
from bot.looking.asking import pulled
from bot.looking.book import RulesAt
from bot.promoting.desk import Desk
from bot.registries.login import LoginFailure, Logins
from bot.registries.registry import PycurlRegistry
from bot.repository.git import OLDEST, Git
from bot.repository.mirror import Tips
from bot.repository.objects import Oid
from bot.settings import SIGNING_KEY_FILE, SOURCES, Settings
from bot.signing import Signer
from policies.images.evidence import Silence, TagList
from policies.rulebook.findings import Finding, Weight, visible
from policies.rules.rules import Rules

MAX_LISTED = 10  # findings of one kind; `countersign lint` shows the others
MAX_SKEW = timedelta(seconds=60)
_SKEW_SHOWN = timedelta(seconds=2)  # a header has whole seconds, and its answer was under way


class Mark(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: how it is, and the line that mends it ('' where nothing has to be)."""

    mark: Mark
    what: str
    detail: str
    remedy: str = ""

    def __str__(self) -> str:
        behind = f" -> {self.remedy}" if self.remedy else ""
        return visible(f"{self.mark:<4} {self.what}: {self.detail}{behind}")


def ok(what: str, detail: str) -> Check:
    """Say that something is as it should be."""
    return Check(Mark.OK, what, detail)


def warn(what: str, detail: str, remedy: str) -> Check:
    """Say what may be meant, and is rarely."""
    return Check(Mark.WARN, what, detail, remedy)


def fail(what: str, detail: str, remedy: str) -> Check:
    """Say what does not work."""
    return Check(Mark.FAIL, what, detail, remedy)


def left_out(what: str, detail: str, remedy: str = "") -> Check:
    """Say what was not looked at, and why."""
    return Check(Mark.LEFT_OUT, what, detail, remedy)


def broken(what: str, error: BotError, remedy: str) -> Check:
    """Say what an error says; what stands behind its last semicolon is what to do."""
    detail, semicolon, own = str(error).rpartition("; ")
    return fail(what, detail, own) if semicolon else fail(what, own, remedy)


@dataclass(frozen=True, slots=True)
class Seen:
    """The repository as far as it could be opened, for the checks that need it."""

    desk: Desk
    tips: Tips
    rules: Rules | None


# --- settings and git -------------------------------------------------------------------------------------------


def settings_checks(settings: Settings, switches: tuple[str, ...] = ()) -> Iterator[Check]:
    """Say what is set; what is not set is left out by the checks that need it."""
    unknown = sorted(set(settings.unknown) - set(switches))
    for name in unknown:
        yield warn("settings", f"{name} is set, and no setting of ours", f"unset {name}; see docs/connect.md")
    if not settings.repository:
        yield fail(
            "settings", "COUNTERSIGN_REPOSITORY is not set", f"set it: {_source('COUNTERSIGN_REPOSITORY')}"
        )
    elif not unknown:
        yield ok("settings", "every value is well-formed")


def _source(name: str) -> str:
    return SOURCES.get(name, "see docs/connect.md")


def git_check() -> Check:
    """Look whether git is there and new enough."""
    oldest = ".".join(map(str, OLDEST))
    git = Git(Path())
    try:
        git.require_version()
        return ok("git", git.run(["version"]).out.decode("ascii", "replace").strip())
    except BotError as error:
        return broken("git", error, f"install git {oldest} or newer")
    except OSError as error:
        return fail("git", f"it cannot be started: {error.strerror}", f"install git {oldest} or newer")


# --- the repository ---------------------------------------------------------------------------------------------


def repository_checks(settings: Settings) -> tuple[list[Check], Seen | None]:
    """Open the repository as a pass does, and look at branch, rules and ledger."""
    signer, key = _signer(settings)
    try:
        desk = assembly.open_desk(settings, signer)
        tips = desk.mirror.fetch()
    except BotError as error:
        return [broken("repository", error, "see COUNTERSIGN_REPOSITORY in docs/connect.md")], None
    except OSError as error:
        folder = settings.state_folder
        detail = f"the clone cannot be kept in {folder}: {error.strerror}"
        return [fail("repository", detail, "make the folder writable, or set COUNTERSIGN_DATABASE")], None
    checks = [ok("repository", f"reachable; branch {desk.mirror.branch} is at {tips.target[:12]}")]
    rules, found = _rules(desk, tips, settings.rules)
    checks += found
    checks += _ledger(desk, tips, is_our_key=signer is not None)
    return [*checks, key], Seen(desk, tips, rules)


def _rules(desk: Desk, tips: Tips, folder: str) -> tuple[Rules | None, list[Check]]:
    try:
        found = desk.book.rules_in_force(tips.target)
        if isinstance(found, RulesAt):
            findings = lint_commit(desk.mirror, tips.target, folder)
            return found.rules, _findings(findings) or [_fine(found.rules)]
    except BotError as error:
        return None, [broken("rules", error, "countersign lint")]
    if not found.findings:
        detail = f"there are no files in {folder}/"
        return None, [fail("rules", detail, "countersign init, in a clone of the repository, proposes some")]
    return None, _findings(found.findings)


def _fine(rules: Rules) -> Check:
    return ok(
        "rules",
        f"{len(rules.environments)} environments, {len(rules.services)} services, {len(rules.people)} people",
    )


def _findings(findings: tuple[Finding, ...]) -> list[Check]:
    """Say errors and warnings, the worst first; notes are for lint."""
    marks = {Weight.ERROR: Mark.FAIL, Weight.WARNING: Mark.WARN}
    told = sorted(
        (one for one in findings if one.weight in marks), key=lambda one: one.weight is not Weight.ERROR
    )
    checks = [
        Check(marks[one.weight], "rules", f"{one.at}: {one.what}", f"expected {one.expected}")
        for one in told[:MAX_LISTED]
    ]
    if len(told) > MAX_LISTED:
        checks.append(warn("rules", f"{len(told) - MAX_LISTED} more findings", "countersign lint"))
    return checks


def _signer(settings: Settings) -> tuple[Signer | None, Check]:
    """Return the key that a pass would sign with, without making one."""
    has_file = (settings.state_folder / SIGNING_KEY_FILE).exists()
    if not settings.signing_key.get_secret_value() and not has_file:
        remedy = "ssh-keygen -t ed25519 -N '' -f signing_key, and set COUNTERSIGN_SIGNING_KEY to it"
        return None, warn("signing key", "none is set; the first pass makes one in its state folder", remedy)
    try:
        signer, _ = settings.signer()
    except BotError as error:
        return None, broken(
            "signing key", error, "set COUNTERSIGN_SIGNING_KEY to a key of ssh-keygen -t ed25519"
        )
    kept = (
        "COUNTERSIGN_SIGNING_KEY" if settings.signing_key.get_secret_value() else "a file in the state folder"
    )
    return signer, ok("signing key", f"{signer.public_key.split()[0]}, from {kept}")


def _ledger(desk: Desk, tips: Tips, *, is_our_key: bool) -> list[Check]:
    """Read the ledger, and say whether a pass could go on with it."""
    if not tips.ledgers:
        return [ok("ledger", "empty: the first pass begins it")]
    try:
        chain = desk.ledger.read(tips)
        because = desk.ledger.read_only_because(tips) if is_our_key or chain.faults else ""
    except BotError as error:
        return [broken("ledger", error, "countersign verify")]
    checks = [ok("ledger", f"ledger/{chain.year} holds {len(chain.entries)} entries")] if not because else []
    if because:
        detail, _, remedy = because.rpartition("; ")
        checks.append(fail("ledger", detail or because, remedy if detail else "countersign verify"))
    checks += _second(desk)
    checks += [
        warn(
            "trailers",
            f"commit {one.commit[:12]} says that it is ours ({one.said}), and no entry of the ledger names it",
            f"git show {one.commit[:12]}; nothing follows from them, but somebody pushed them",
        )
        for one in made_up(desk.mirror, chain.state, tips.target)[:MAX_LISTED]
    ]
    if not because and not is_our_key:
        remedy = "set COUNTERSIGN_SIGNING_KEY to the key that the bot runs with"
        checks.append(warn("ledger", "whether its key is ours is not known: there is no key here", remedy))
    return checks


def _second(desk: Desk) -> list[Check]:
    """Say whether the second remote is there and holds no end that the ledger lacks."""
    second = desk.ledger.second
    if second is None:
        return []
    try:
        ends = second.ask()
    except BotError as error:
        return [broken("second remote", error, "see COUNTERSIGN_MIRROR_REMOTE in docs/connect.md")]
    held = ", ".join(f"ledger/{year} at {oid[:12]}" for year, oid in sorted(ends.items())) or "nothing yet"
    return [ok("second remote", f"reachable; it holds {held}")]


# --- clocks and registries --------------------------------------------------------------------------------------


def clock_check(dates: Mapping[str, tuple[str, datetime]]) -> Check:
    """Hold our clock against others': by host its Date header, and what time it was here then (UTC)."""
    apart: dict[str, timedelta] = {}
    for host, (header, at) in dates.items():
        theirs = _date(header)
        if theirs is not None:
            apart[host] = at - theirs
    if not apart:
        return left_out("clock", "no host said what time it is")
    host, skew = max(apart.items(), key=lambda one: abs(one[1]))
    seconds = round(abs(skew).total_seconds())
    if abs(skew) > MAX_SKEW:
        way = "ahead of" if skew > timedelta(0) else "behind"
        detail = f"this machine is {seconds} s {way} {host}"
        return warn("clock", detail, "set it by NTP: windows, waits and signatures of Slack go by it")
    return ok(
        "clock", f"within {max(seconds, round(_SKEW_SHOWN.total_seconds()))} s of {', '.join(sorted(apart))}"
    )


def _date(header: str) -> datetime | None:
    """Read a Date header (RFC 9110); None where it is none."""
    try:
        read = parsedate_to_datetime(header)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def registry_checks(settings: Settings, rules: Rules) -> Iterator[Check]:
    """Ask for one list of tags of each repository that the rules name, with the login that there is."""
    logins = Logins(settings.docker_config)
    images = sorted({image for service in rules.services for image in pulled(rules, service)})
    for host in sorted({image.host for image in images}):
        login = logins.of(host)
        if isinstance(login, LoginFailure):
            yield fail(
                "registry login", login.detail, f"docker login {host}, or mend {settings.docker_config}"
            )
        else:
            yield ok(
                "registry login", f"{host}: {'a login is configured' if login else 'nobody is logged in'}"
            )
    registry = PycurlRegistry(logins)
    try:
        for image, answer in sorted(registry.tags(images, rules.registries).items()):
            yield _tags(image, answer, settings)
    finally:
        registry.close()


def _tags(image: str, answer: TagList | Silence, settings: Settings) -> Check:
    if isinstance(answer, Silence):
        host = image.partition("/")[0]
        remedy = f"docker login {host} with {settings.docker_config}, or mend the image in the rules"
        return fail("registry", f"{image}: {answer.code}: {answer.detail}", remedy)
    if not answer.tags:
        return warn("registry", f"{image} has no tags", "push one, or mend the image in the rules")
    if not answer.whole:
        return warn("registry", f"{image} has more tags than are read", "let the registry delete old tags")
    return ok("registry", f"{image}: {len(answer.tags)} tags")


def target(seen: Seen) -> tuple[str, Oid]:
    """Return the branch that promotions reach, and where it ends."""
    return seen.desk.mirror.branch, seen.tips.target
