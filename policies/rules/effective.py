"""The effective rule that judges one service in one environment, and its canonical form, which approvals bind to."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from policies.canonical import Json, digest_of
from policies.rules.places import ONE_MAJOR, Environment, Service
from policies.rules.terms import AUTHORS, Apart, ConfigRule, Evidence, Line, Merges, Takes, jump_text
from policies.times.calendar import Calendar

NO_CALENDAR = Calendar()


@dataclass(frozen=True, slots=True)
class EffectiveRule:
    """The rule that judges one service in one environment; ``group`` are the services that move with it.

    Of a group that moves as one, ``parts`` are the rules of its members there, in the group's order; ``service`` stands
    for all of them, with the group's name and every image, and ``environment`` for the way that they have in common.
    """

    environment: Environment
    service: Service
    calendar: Calendar = NO_CALENDAR
    group: tuple[str, ...] = ()
    does_email_approve: bool = False
    parts: tuple["EffectiveRule", ...] = ()
    _hashed: list[str] = field(init=False, default_factory=list, compare=False, repr=False)  # computed once

    def moving(self, services: Collection[str]) -> tuple["EffectiveRule", ...]:
        """Return the rules of these members of a group; its own where none is named, none where one is no member."""
        if not services:
            return () if self.parts else (self,)
        found = tuple(one for one in self.parts if one.service.name in services)
        return found if len(found) == len(services) else ()

    def canonical(self) -> dict[str, Json]:
        """Return the judging keys as resolved: durations in seconds, team names not members, no versions.

        Keys that came later are left out where they ask for nothing, so that the hash of older rules stands.
        """
        if self.parts:
            return {"group": list(self.group), "members": [one.canonical() for one in self.parts]}
        where = self.environment
        return {
            "after": list(where.after),
            "approvals": _lines(where.approvals),
            "digest": where.digest.value,
            "environment": where.name,
            "exclude": list(where.exclude),
            "expire": _seconds(where.expire),
            "images": list(self.service.images),
            "merge-within": _seconds(where.merge_within),
            "owner": self.service.owner,
            "path": list(where.paths_of(self.service.name)),
            "rollback": _lines(where.rollback.approvals),
            "service": self.service.name,
            "via": where.via.value,
            **{key: value for key, value in self.may_be_left_out().items() if value},
        }

    def may_be_left_out(self) -> dict[str, Json]:
        """Return the keys that may be left out, each with something false where it asks for nothing."""
        where, what = self.environment, self.service
        return {
            "after-any": where.after_any,
            "age": _seconds(where.age),
            "approvals-as": where.approvals_as,
            "calendar": _calendar(self.calendar),
            "config": _unless(where.config, ConfigRule.RECORD),
            "email-approves": self.does_email_approve,
            "emergency": _apart(where.emergency) if where.emergency else {},
            "evidence": _unless(where.evidence, Evidence.SLACK),
            "freeze": [str(window) for window in where.freeze],
            "gates": [
                {
                    "kind": gate.kind,
                    "name": gate.name,
                    "settings": {key: list(values) for key, values in gate.settings.items()},
                }
                for gate in where.gates
            ],
            "group": list(self.group),
            "health": list(where.health),
            "jump": "" if where.jump == ONE_MAJOR else jump_text(where.jump),
            "limit": str(where.limit or ""),
            "merges": _unless(where.merges, Merges.WHEN_APPROVED),
            "observed": where.is_observed,
            "platforms": list(what.platforms),
            "pulled-from": where.pulled_from,
            "rollback-rest": {key: value for key, value in _rest(where.rollback).items() if value},
            "soak": _seconds(where.soak),
            "source": what.source if AUTHORS in where.exclude else "",
            "takes": _unless(where.takes, Takes.NEWEST),
            "zone": where.zone,
        }

    @property
    def hash(self) -> str:
        """The sha256 of the canonical form, 64 hexadecimal digits: what an approval binds to."""
        if not self._hashed:
            self._hashed.append(digest_of(self.canonical()))
        return self._hashed[0]


def _lines(lines: tuple[Line, ...]) -> list[Json]:
    return [{"count": line.count, "of": list(line.of)} for line in lines]


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _unless(said: str, built_in: str) -> str:
    return "" if said == built_in else str(said)


def _apart(apart: Apart) -> dict[str, Json]:
    return {"approvals": _lines(apart.approvals), **_rest(apart)}


def _rest(apart: Apart) -> dict[str, Json]:
    review = 0 if apart.review is None else _seconds(apart.review)
    return {"review": review, "skips": list(apart.skips)}


def _calendar(calendar: Calendar) -> dict[str, Json]:
    found: dict[str, Json] = {
        "closed": [str(dates) for dates in calendar.closed],
        "working": [str(hours) for hours in calendar.working],
        "zone": calendar.zone,
    }
    return found if calendar.closed or calendar.working else {}
