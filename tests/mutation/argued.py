"""Faults that no test can notice, each with the reason; by module and by what the fault says of itself."""

from collections.abc import Mapping
from types import MappingProxyType

_A_TYPE = "the name of a type: no running code reads it"
_FOR_TYPES = "what comes before or after says so, too: for the type checker alone"
_BY_PLACE = "asked for by place: a place with nothing and no such place are one answer"
_EVERYWHERE = "what no environment or service is called stands for all of them, as nothing does"
_NO_RULES = "whatever reads the rules there is asked for nobody, or for no part, where there are none"
_SPARES = "spares looking at the calendar; the calendar has the last word"
ARGUED: Mapping[str, str] = MappingProxyType(
    {
        "policies.times.calendar: Weekly | DateRange | Closed -> (Weekly | DateRange) & Closed": _A_TYPE,
        "policies.times.calendar: Weekly | DateRange | Closed -> Weekly | DateRange": _A_TYPE,
        "policies.times.calendar: Weekly | DateRange | Closed -> Closed": _A_TYPE,
        "policies.times.calendar: Weekly | DateRange -> Weekly & DateRange": _A_TYPE,
        "policies.times.calendar: Weekly | DateRange -> Weekly": _A_TYPE,
        "policies.times.calendar: Weekly | DateRange -> DateRange": _A_TYPE,
        "policies.times.calendar: middle.astimezone(zone).replace(tzinfo=None) < wall -> "
        "middle.astimezone(zone).replace(tzinfo=None) <= wall": "a reading that the clock skips is never shown",
        "policies.times.calendar: min(end, reached + timedelta(days=7)) -> max(end, reached + timedelta(days=7))": (
            "five years are looked at in one step: slower, and the same"
        ),
        "policies.times.calendar: shut < ends -> shut <= ends": "what is shut from the end on takes nothing away",
        "policies.times.calendar: opened > reached -> opened >= reached": "what opened by then takes nothing away",
        "policies.times.windows: max(ends) -> min(ends)": "the same is reached in more steps",
        "policies.rulebook.layers: chain[-1] in likes and likes[chain[-1]] not in found: without likes[chain[-1]] "
        "not in found": "walks a way again whose places stand where they stood: slower, and the same",
        "policies.gates.before: return float('-inf') -> return not": "then it is 0, and every time is later than 1970",
        "policies.gates.clock: at > since -> at >= since": "what was lifted at that moment gives the same moment",
        "policies.gates.case: there is None or there.images == self.rule.service.images: "
        "without there.images == self.rule.service.images": "each image then has the name that it has",
        "policies.gates.promised: at > since + rule.environment.expire and at > expires(calendar, rul...: "
        "without at > since + rule.environment.expire": _SPARES,
        "policies.gates.promised: at > since + rule.environment.expire -> at >= since + rule.environment.expire": (
            _SPARES
        ),
        "policies.gates.promised: since + rule.environment.expire -> since - rule.environment.expire": _SPARES,
        "policies.guards: len(known) * share -> len(known) // share": "the share is one of three",
        "policies.entries.tables: move.seq < found[-1].seq -> move.seq <= found[-1].seq": (
            "an entry moves something or says how it does: the two never have one number"
        ),
        "policies.allowed.moves: rule is None or last is None: without last is None": _NO_RULES,
        "policies.allowed.reperformed: '/' -> '/~'": "no gate asks which year it is",
        "policies.allowed.reviews: not isinstance(by, By) or asked.rules is None: "
        "without not isinstance(by, By)": "what is a review is a person's word",
        "policies.allowed.speakers: '' -> '~'": _EVERYWHERE,
        "policies.allowed.speakers: asked.rules is not None and asked.rules.identity.approve: "
        "without asked.rules is not None": _NO_RULES,
        "policies.allowed.speakers: isinstance(flags, Mapping) and canonical(flags) == _MAY_SPEAK: "
        "without isinstance(flags, Mapping)": "nothing else is written like an object",
        "policies.allowed.standing: '' -> '~'": _EVERYWHERE,
        "policies.allowed.stands: '' -> '~'": "without a genesis no commit is named, by either",
        "policies.allowed.words: asked.rules is not None and any((is_expired(asked.rules.calendar, p...: "
        "without asked.rules is not None": _NO_RULES,
        "policies.allowed.words: rules is not None and any((may_fill(rules, part.service, lines_of(p...: "
        "without rules is not None": _NO_RULES,
        "policies.allowed.words: 'code' -> 'code~'": "nobody asks by what way somebody wrote",
        "policies.ledger.people: rules.identity.approve or not rules.identity.email: "
        "without not rules.identity.email": "without domains nobody is known by an address: slower, and the same",
        "policies.ledger.renames: 'K' -> 'K~'": _A_TYPE,
        "policies.ledger.renames: 'V' -> 'V~'": _A_TYPE,
        "policies.ledger.repair: '_K' -> '_K~'": _A_TYPE,
        "policies.ledger.rollout: False -> True": "zip's strict: the lengths are compared before",
        "policies.allowed.by_hand: rules is None or not cases: without rules is None": _FOR_TYPES,
        "policies.allowed.by_hand: for for place, one in holds.items() if one: without one": _BY_PLACE,
        "policies.allowed.by_hand: for for where, one in freezes.items() if one: without one": _BY_PLACE,
        "policies.allowed.by_hand: for for where, end in ended.items() if end: without end": _BY_PLACE,
        "policies.allowed.emergency: rule is None or asked.rules is None or (not isinstance(entry.by, By)): "
        "without rule is None": _FOR_TYPES,
        "policies.allowed.emergency: rule is None or asked.rules is None or (not isinstance(entry.by, By)): "
        "without asked.rules is None": _FOR_TYPES,
        "policies.allowed.emergency: one and one.is_doubtful: without one": _FOR_TYPES,
        "policies.allowed.groups: True -> False": "zip's strict: the lengths are compared before",
        "policies.allowed.health: '' -> '~'": "without a genesis nothing comes after either",
        "policies.allowed.merges: asked.rules or Rules({}, {}): without Rules({}, {})": _FOR_TYPES,
        "policies.allowed.merges: any((one.review for one in promotion.approvals if one.by.person == ... -> "
        "all((one.review for one in promotion.approvals if one.by.person == ...": (
            "one person has one approval, and only who has one is asked about"
        ),
    }
)
