"""Whether what the bot notes is so: rules, sightings, moves by others, refusals; and who may review."""

from collections.abc import Mapping
from itertools import pairwise

from policies.allowed.asked import Asked, No, Refusal
from policies.codes import Code
from policies.entries.carried import restore
from policies.entries.tables import Tables
from policies.errors import PolicyError
from policies.ledger.people import known
from policies.ledger.renames import renames
from policies.rules.hash import rules_hash
from policies.rules.rules import ConfigRule, Environment

# why of a `config`: whether somebody has to review it; where it is ignored there is none
CONFIG_CODES: Mapping[ConfigRule, str] = {ConfigRule.RECORD: "recorded", ConfigRule.GUARD: "guarded"}


def nothing(_asked: Asked) -> No:
    """Ask nothing more: who says it, and where it stands, is all."""
    yield from ()


def genesis(asked: Asked) -> No:
    """Can what it carries be read? Whether it is what the old year stood for, the branches show (verify)."""
    carried = asked.entry.carried
    if not carried:
        return
    year = carried.get("year")
    if not isinstance(year, str) or not isinstance(carried.get("tip"), str) or year >= asked.state.year:
        yield Refusal(Code.OUT_OF_LINE, "it names an earlier year, and where that one ended")
    try:
        restore(Tables(asked.state.year), carried)
    except PolicyError as error:
        yield Refusal(Code.OUT_OF_LINE, str(error))


def rules(asked: Asked) -> No:
    """Do they parse, are they named rightly, and do they come after the last ones on the target branch?"""
    entry, state, book = asked.entry, asked.state, asked.book
    rules = book.rules(entry.commit)
    if rules is None:
        yield from _nowhere(asked)
        return
    if state.rules and not book.follows(entry.commit, entry.commit):
        yield Refusal(Code.OUT_OF_LINE, f"{entry.commit[:12]} is not on the line of the target branch")
    elif state.rules and not book.follows(state.rules.commit, entry.commit):
        yield Refusal(Code.OUT_OF_LINE, f"{entry.commit[:12]} does not come after {state.rules.commit[:12]}")
    start = state.genesis.commit if state.genesis else ""
    if not state.rules and not (book.follows(entry.commit, start) or book.follows(start, entry.commit)):
        yield Refusal(Code.OUT_OF_LINE, f"{entry.commit[:12]} is not on the line of {start[:12]}")
    if entry.rule is None or entry.rule.commit != entry.commit or entry.rule.hash != rules_hash(rules):
        yield Refusal(Code.RULE_MOVED, "the rules named are not those of its commit")
    if entry.evidence.get("renamed", {}) != renames(rules).to_json():
        yield Refusal(Code.RULE_MOVED, "the renames are not those of the rules (`was`)")


def _nowhere(asked: Asked) -> No:
    """Say why there are no rules at a commit: it is not on the line, or they do not parse there."""
    commit = asked.entry.commit
    if asked.book.follows(commit, commit):
        yield Refusal(Code.NO_RULE, f"the rules at {commit[:12]} do not parse")
    else:
        yield Refusal(Code.OUT_OF_LINE, f"{commit[:12]} is not on the line of the target branch")


def seen(asked: Asked) -> No:
    """Does it say what each tag was?"""
    if not all(one.digest for one in asked.entry.seen):
        yield Refusal(Code.DIGEST_UNKNOWN, "a first sighting says what the tag was")


def config(asked: Asked) -> No:
    """Is it about commits after the last such entry, on the line, judged as the rules say?"""
    yield from known_names(asked)
    entry, state, book = asked.entry, asked.state, asked.book
    start = state.genesis.commit if state.genesis else ""
    since = state.configured.get(entry.environment, start)
    if entry.since != since:
        yield Refusal(Code.OUT_OF_LINE, f"it goes on from {since[:12]}")
    line = (entry.since, *entry.commits)
    if entry.commits[-1] != entry.commit or not all(
        old != new and book.follows(old, new) for old, new in pairwise(line)
    ):
        yield Refusal(Code.OUT_OF_LINE, "its commits do not follow each other on the target branch")
    where = asked.rules.environments.get(entry.environment) if asked.rules else None
    expected = CONFIG_CODES.get(where.config, "") if where else ""
    if not expected or entry.why != expected:  # it decides whether somebody has to review it
        yield Refusal(Code.OUT_OF_LINE, f"of {entry.environment} is said: {expected or 'nothing'}")


def known_names(asked: Asked) -> No:
    """Do the rules know the environment and the service?"""
    entry, rules = asked.entry, asked.rules
    if rules is None:
        return
    if entry.environment and entry.environment not in rules.environments:
        yield Refusal(Code.NO_RULE, f"no environment is called {entry.environment}")
    if entry.service and entry.service not in rules.services:
        yield Refusal(Code.NO_RULE, f"no service is called {entry.service}")


def external(asked: Asked) -> No:
    """Is it not ours, and said to be guarded where the rules say so?"""
    entry, rules = asked.entry, asked.rules
    if found := asked.state.ours.get(entry.commit):
        yield Refusal(Code.OUT_OF_LINE, f"the commit has its entry: #{found}")
    yield from known_names(asked)
    if rules is None:
        yield Refusal(Code.NO_RULE, "there are no rules yet")
    elif entry.environment in rules.environments:
        expected = moved_past(rules.environment_for(entry.environment, entry.service))
        if entry.why != expected:  # it decides whether somebody has to review it
            yield Refusal(Code.OUT_OF_LINE, f"{entry.environment} is {expected}")


def moved_past(environment: Environment) -> str:
    """Return what a move by others is there: reviewed, holding the service for a while, or what is observed."""
    if environment.is_observed:
        return "observed"
    return "guarded" if environment.is_guarded else "unguarded"


def refused(asked: Asked) -> No:
    """Is it about a known promotion and a known person?"""
    promotion = asked.promotion
    if promotion is None:
        yield Refusal(Code.CLOSED, f"there is no promotion {asked.entry.promotion}")
    named, state = asked.entry.evidence.get("person"), asked.state
    if asked.rules and not (
        isinstance(named, str) and known(asked.rules, state.links, state.forge_ids, named)
    ):
        yield Refusal(Code.UNKNOWN_PERSON, "a refusal names a known person")
