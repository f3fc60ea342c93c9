"""The dossier of a change: all that a clone can show of it. Nothing is asked of the network but the clone itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.chains.chain import Chain
from bot.looking.book import Book
from bot.repository.mirror import Mirror
from bot.repository.objects import CommitInfo, Oid, oid_of
from policies.allowed.reperformed import Judged, reperformed
from policies.canonical import Json
from policies.entries.redacted import without_notes
from policies.errors import PolicyError
from policies.ledger.population import Change
from policies.rule_text import Excerpt, excerpt
from policies.rules.rules import EffectiveRule, Position, Rules, moving_rule
from policies.rules.shown import RuleLine, rule_lines
from policies.texts.unified_diff import unified

MAX_DIFF_BYTES = 1 << 20  # of one file; more is no change that a person has read


@dataclass(frozen=True, slots=True)
class Dossier:
    """One change with its evidence. ``diff`` '' and ``missing`` say what the clone does not have any more."""

    change: Change
    canonical: dict[str, Json]
    keys: tuple[RuleLine, ...]
    excerpts: tuple[Excerpt, ...]
    members: tuple[tuple[str, tuple[str, ...]], ...]
    gates: tuple[Judged, ...]
    commit: CommitInfo | None
    diff: str
    missing: str = ""


def dossiers(chain: Chain, mirror: Mirror, book: Book, changes: Sequence[Change]) -> Iterator[Dossier]:
    """Yield the dossier of each change, in their order. Raises: BotError."""
    wanted = {one.decided for one in changes if one.decided}
    entries = without_notes(chain.entries, chain.state.redacted)
    judged = dict(reperformed(chain.year, entries, book, wanted))
    for one in changes:
        rules = book.rules(one.rule.commit) if one.rule else None
        rule = moving_rule(rules, one.environment, one.service) if rules else None
        parts = (rule.parts or (rule,)) if rule else ()
        named = {one.service, *(part.service.name for part in parts)}
        commit, before = _commits(mirror, one)
        info = mirror.commit_info(commit) if commit else None
        diff, missing = _diff(mirror, before, commit) if commit and before else ("", _why_none(one))
        yield Dossier(
            one,
            rule.canonical() if rule else {},
            tuple(line for part in parts for line in rule_lines(part, rules.provenance)) if rules else (),
            tuple(dict.fromkeys(found for part in parts for found in _excerpts(mirror, one, part))),
            tuple(dict.fromkeys(found for part in parts for found in _members(rules, part))) if rules else (),
            tuple(gate for gate in judged.get(one.decided, ()) if gate.service in named),
            info,
            diff,
            missing,
        )


def _commits(mirror: Mirror, change: Change) -> tuple[Oid | None, Oid | None]:
    """Return the commit that shows the change and what it is compared with: what landed, else what was built."""
    for name in (change.commit, change.head):
        if name and mirror.known([oid_of(name)]):
            return Oid(name), next(iter(mirror.parents(Oid(name))), None)
    return None, None


def _why_none(change: Change) -> str:
    named = change.commit or change.head
    return f"commit {named} is not in the clone" if named else "nothing was built"


def _diff(mirror: Mirror, before: Oid, after: Oid) -> tuple[str, str]:
    paths = mirror.changed_paths(before, after)
    try:
        old, new = mirror.listing(before, paths), mirror.listing(after, paths)
    except PolicyError as error:  # a path that no bot would write: git shows it
        return "", f"the paths cannot be shown ({error}); see: git diff {before} {after}"
    content = mirror.blobs([*old.values(), *new.values()])
    pieces, missing = [], []
    for path in paths:
        was, now = (content.get(side[path], b"") if path in side else b"" for side in (old, new))
        if max(len(was), len(now)) > MAX_DIFF_BYTES or b"\0" in was + now:
            missing.append(path)
            continue
        pieces.append(unified(path, was.decode("utf-8", "replace"), now.decode("utf-8", "replace")))
    return "".join(pieces), f"not shown: {', '.join(missing)}" if missing else ""


def _excerpts(mirror: Mirror, change: Change, rule: EffectiveRule) -> Iterator[Excerpt]:
    """Yield the lines that say the rule: of the environment and of the service, as they stood at its commit."""
    if change.rule is None:
        return
    for about, at in (
        (f"environment {rule.environment.name}", rule.environment.at),
        (f"service {rule.service.name}", rule.service.at),
    ):
        if content := _file(mirror, Oid(change.rule.commit), at):
            yield excerpt(about, at.file, content, at.line)


def _file(mirror: Mirror, commit: Oid, at: Position) -> bytes:
    listing = mirror.listing(commit, [at.file])
    return mirror.blobs(listing.values())[listing[at.file]] if at.file in listing else b""


def _members(rules: Rules, rule: EffectiveRule) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return who was in each team that the rule names, by the rules of that day."""
    lines = (*rule.environment.approvals, *rule.environment.rollback.approvals)
    names = dict.fromkeys(name for line in lines for name in line.of)
    return tuple((name, tuple(sorted(rules.members((name,), rule.service)))) for name in names)
