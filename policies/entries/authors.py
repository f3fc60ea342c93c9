"""Who wrote code, or moved a commit, as entries attest it; where that is not known, it is said."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from policies.canonical import Json

AUTHORS = "authors"  # of the code that a version brings
MOVERS = "movers"  # of what came without us: authors, committers, mergers, pushers
LABELS, TAGS = "labels", "tags"  # ways in which it was known which commits to ask about
MAX_WHY = 200  # characters of why something is not known
MAX_ACCOUNTS = 200  # that an entry names: a commit may name as many as its author likes


@dataclass(frozen=True, slots=True)
class Authors:
    """The authors of the source commits between two images, or those by whose hands a commit came.

    ``people`` are those whom rules or links know, ``logins`` all accounts that the forge names, ``unnamed`` the commits
    whose authors it does not know. ``why``: what is not known, and why, on one line. ``ways``: how it was known which
    commits to ask about: by what the images say (labels), by the tags of the source (tags). ``ids``: the numbers of all
    those accounts; older entries say none. ``is_doubtful``: any account may be
    one of them; never written down.
    """

    is_known: bool = False
    people: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()
    unnamed: int = 0
    why: str = ""
    ways: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    is_doubtful: bool = False

    @property
    def is_cut(self) -> bool:
        """Whether there may have been more accounts than are named."""
        return max(len(self.ids), len(self.logins)) >= MAX_ACCOUNTS

    def as_json(self) -> dict[str, Json]:
        """Return it as evidence."""
        found: dict[str, Json] = {
            "known": self.is_known,
            "people": list(self.people),
            "logins": list(self.logins),
        }
        found |= {"unnamed": self.unnamed} if self.unnamed else {}
        found |= {"ways": list(self.ways)} if self.ways else {}
        found |= {"ids": list(self.ids)} if self.ids else {}
        return found | ({"why": self.why} if self.why else {})

    @classmethod
    def attested(cls, evidence: Mapping[str, Json], what: str = AUTHORS) -> Self | None:
        """Read it from an entry; nothing where the entry does not say, or says it in another form."""
        found = evidence.get(what)
        if not isinstance(found, Mapping) or not isinstance(found.get("known"), bool):
            return None
        people, logins, unnamed = found.get("people"), found.get("logins"), found.get("unnamed", 0)
        if not (_is_names(people) and _is_names(logins) and isinstance(unnamed, int)):
            return None
        why, ways = found.get("why"), found.get("ways", [])
        known = cls(is_known=found["known"] is True, why=why if isinstance(why, str) else "")
        known = replace(known, ids=_numbers(found.get("ids")))
        if _is_names(ways):
            known = replace(known, ways=_names(ways))
        return replace(known, people=_names(people), logins=_names(logins), unnamed=max(int(unnamed), 0))


def together(found: Sequence[Authors]) -> Authors | None:
    """Return the authors of several at once: known where all are; nothing where nobody was asked."""
    if len(found) < 2:  # noqa: PLR2004  one is what it is
        return next(iter(found), None)
    return Authors(
        is_known=all(one.is_known for one in found),
        people=tuple(sorted({person for one in found for person in one.people})),
        logins=tuple(sorted({login for one in found for login in one.logins})),
        unnamed=sum(one.unnamed for one in found),
        ways=tuple(way for way in found[0].ways if all(way in one.ways for one in found)),
        why="; ".join(dict.fromkeys(one.why for one in found if one.why))[:MAX_WHY],
        ids=_all_numbers(found),
    )


def accounts_told(
    accounts: Mapping[int, str], known: Collection[int]
) -> tuple[tuple[str, ...], tuple[int, ...], str]:
    """Return the logins and numbers of accounts that an entry names, and what it leaves out ('' = nothing).

    ``accounts``: number -> login. Where there are too many, those whom rules or links know are named first.
    """
    told = sorted(accounts, key=lambda one: (one not in known, one))[:MAX_ACCOUNTS]
    left = len(accounts) - len(told)
    why = f"{left} more accounts are not named" if left else ""
    return tuple(sorted({accounts[one] for one in told})), tuple(sorted(told)), why


def _all_numbers(found: Sequence[Authors]) -> tuple[int, ...]:
    """Return all numbers; none where those of some accounts are not told, for then the logins say more."""
    if any(one.logins and not one.ids for one in found):
        return ()
    return tuple(sorted({number for one in found for number in one.ids}))


def _numbers(value: Json | None) -> tuple[int, ...]:
    """Read a list of numbers; what is anything else tells none."""
    told = value if isinstance(value, list) else []
    numbers = tuple(one for one in told if isinstance(one, int) and not isinstance(one, bool))
    return numbers if len(numbers) == len(told) else ()


def _is_names(value: Json | None) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _names(value: Json | None) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()
