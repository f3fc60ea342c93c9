"""What two people say together: an erasure, and going on from a ledger that was rewritten. One alone only asks."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from bot.answers import Awaiting, NotRecorded
from bot.chains.chain import Chain
from bot.chains.years import read_years, whole
from bot.errors import BotError
from bot.index import Index
from bot.ledger import AppendAnswer, LostEnd, Proposal
from bot.looking.rosters import teams_of
from bot.promoting.desk import Desk
from bot.promoting.hearing import Hearing
from bot.promoting.promoter import Declined, Said
from bot.repository.objects import Oid
from policies.allowed.speakers import may_speak
from policies.canonical import Json
from policies.codes import Code
from policies.entries.entry import Both, Entry, EntryError, Kind, parse, write_time
from policies.ledger.state import State
from policies.ledger.tally import may_approve
from policies.rules.rules import Rules, effective
from policies.words import Confirm, Fork, Pair, Redact, Speaker

WITHIN = timedelta(days=1)  # from the first word to the second
MAX_ENDS = 4000  # other ends that one fork gives up: an entry's line has room for no more
MAX_UNSURE = (
    100  # of them for which nobody vouches, where the branch is gone: anybody who may push writes thousands
)
_NAMED = 12  # digits of a commit


@dataclass(frozen=True, slots=True)
class Loss:
    """What a rewritten ledger lost: its last known end, the other ends, and the entries that are still known.

    ``base``: where the whole branch is gone, the end to which our clone can bring it back: ``lost`` is that one then.
    ``left``: how many ends for which nobody vouches are not among them.
    """

    lost: str
    ends: tuple[str, ...]
    who: tuple[str, ...]
    entries: tuple[Entry, ...]
    base: str = ""
    left: int = 0

    def facts(self) -> tuple[str, ...]:
        """Say it in lines for people."""
        named = [f"{self.lost[:_NAMED]}, which {one}" for one in self.who[:1]]
        more = [f"and {len(self.ends)} other ends of the ledger"] if self.ends else []
        if self.left:
            more.append(f"{self.left} more that commits name and nobody vouches for are left out")
        back = (
            ["the branch is gone; this bot's clone has it up to there, and brings it back"]
            if self.base
            else []
        )
        return (*named, *more, *back, self.counted())

    def counted(self) -> str:
        """Say how many entries are lost, and which."""
        if not self.entries and self.base and not self.ends:
            return "no entry that is known here is lost"
        if not self.entries:
            return "which entries are lost nobody here knows: no database and no clone has them"
        first, last = self.entries[0], self.entries[-1]
        kinds = Counter(one.kind.value for one in self.entries)
        said = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        return f"{len(self.entries)} known entries are lost, #{first.seq} to #{last.seq}: {said}"


@dataclass(slots=True)
class Together:
    """Hears both halves. Every method may raise Declined, BotError."""

    desk: Desk
    index: Index
    hearing: Hearing

    def ask(self, rules: Rules, speaker: Speaker, word: Pair, at: datetime) -> Awaiting:
        """Look at what somebody wants two people to say; writes nothing."""
        said = self.hearing.who(rules, speaker, at)
        self._may(rules, said, at)
        match word:
            case Redact():
                facts: tuple[str, ...] = (_described(self._entry(word.entry)),)
            case Fork():
                loss = self.loss()
                word, facts = replace(word, lost=loss.lost), loss.facts()
        return Awaiting(
            what=word, first=speaker, person=said.by.person, asked=at, until=at + WITHIN, facts=facts
        )

    def confirm(self, rules: Rules, speaker: Speaker, word: Confirm, at: datetime) -> AppendAnswer:
        """Write down what a second person says, too: both accounts are looked up now."""
        if not at - WITHIN <= word.asked <= at + timedelta(minutes=5):
            raise Declined(NotRecorded(code=Code.EXPIRED, detail=f"it was asked at {write_time(word.asked)}"))
        first, second = (self.hearing.who(rules, one, at) for one in (word.first, speaker))
        if first.by.person == second.by.person:
            raise Declined(NotRecorded(code=Code.REQUESTER))
        evidence: dict[str, Json] = {
            "accounts": {one.by.person: one.evidence["account"] for one in (first, second)},
            "asked": write_time(word.asked),
            "looked": write_time(at),
            **self._members(rules, [first, second], at),
        }
        both = Both(first.by, second.by)
        match word.what:
            case Redact(entry, note):
                self._entry(entry)
                made = Entry(
                    kind=Kind.REDACT,
                    at=write_time(at),
                    key=f"redact/{entry}",
                    by=both,
                    erases=entry,
                    evidence=evidence,
                    note=note,
                )
                return self.desk.append(lambda _look, _tip: Proposal((made,)), at)
            case Fork(note, lost):
                return self._forked(both, lost, note, evidence, at)

    def _forked(
        self, both: Both, lost: str, note: str, evidence: dict[str, Json], at: datetime
    ) -> AppendAnswer:
        loss = self.loss()
        if loss.lost != lost:
            raise Declined(NotRecorded(code=Code.CHANGE_MOVED, detail=f"now {loss.lost[:_NAMED]} is lost"))
        evidence |= {"lost": {"entries": len(loss.entries), "said": loss.counted()}}
        evidence |= {"ends": list(loss.ends)} if loss.ends else {}
        made = Entry(
            kind=Kind.FORK,
            at=write_time(at),
            key=f"fork/{lost}",
            by=both,
            lost=lost,
            evidence=evidence,
            note=note,
        )
        return self.desk.ledger.repair(lambda _tips, _state: Proposal((made,)), base=loss.base)

    # --- what it is about -----------------------------------------------------------------------------------

    def loss(self) -> Loss:
        """Return what the ledger lost. Raises: Declined where nothing is lost, or nothing is left to go on from."""
        tips, ledger = self.desk.mirror.tips(), self.desk.ledger
        chain, lost = ledger.read(tips), ledger.lost(tips)
        if not lost:
            raise Declined(NotRecorded(code="nothing-lost"))
        ends = tuple(dict.fromkeys(one.oid for one in lost))
        base, left = "", 0
        who = tuple(one.who for one in lost)
        if not chain.entries:
            chain = self._kept(lost)
            base = chain.state.tip
            who = tuple(one.who for one in lost if one.oid == base)
            ends, left = self._beside(chain, lost)
        if len(ends) > MAX_ENDS:
            detail = f"{len(ends)} ends are lost; one entry can give up {MAX_ENDS}"
            raise Declined(NotRecorded(code="no-branch", detail=detail))
        found = self._still_here(ends, chain.tip) | self.index.lines()
        entries = sorted(
            (_read(line) for oid, line in found.items() if not chain.entries.has(oid)),
            key=lambda one: one.seq,
        )
        return Loss(ends[0], ends[1:], who, tuple(one for one in entries if one.seq), base, left)

    def _beside(self, kept: Chain, lost: Sequence[LostEnd]) -> tuple[tuple[str, ...], int]:
        """Return the end to which a ledger is brought back and the others that it lacks, and how many are left out.

        What its own keys vouch for comes first, and all of it: once it is back, nothing else has to be given up.
        """
        sure = [one.oid for one in self.desk.ledger.lost(self.desk.mirror.tips(), kept)]
        named = dict.fromkeys(one.oid for one in lost if not kept.entries.has(one.oid))
        unsure = [one for one in named if one not in set(sure)]
        ends = dict.fromkeys((kept.state.tip, *sure, *unsure[:MAX_UNSURE]))
        return tuple(ends), max(len(unsure) - MAX_UNSURE, 0)

    def _kept(self, lost: Sequence[LostEnd]) -> Chain:
        """Return the longest ledger that our clone can bring back, of a branch that is gone. Raises: Declined."""
        mirror, ledger = self.desk.mirror, self.desk.ledger
        here = set() if mirror.tips().ledgers else mirror.known([Oid(one.oid) for one in lost])
        sure = [one.oid for one in lost if one.is_sure and one.oid in here]
        unsure = (one.oid for one in lost if not one.is_sure and one.oid in here and self._is_entry(one.oid))
        found: Chain | None = None
        for end in (Oid(one) for one in dict.fromkeys((*sure, *islice(unsure, MAX_UNSURE)))):
            is_longer = found is None or found.tip is None or mirror.is_ancestor(found.tip, end)
            # what anybody may have named need not be a ledger's end
            found = (ledger.kept(end) if is_longer else None) or found
        if found is None:
            raise Declined(
                NotRecorded(code="no-branch", detail=f"{lost[0].oid[:_NAMED]} is the last known end")
            )
        return found

    def _is_entry(self, oid: str) -> bool:
        """Whether a commit of our clone reads as an entry; a made-up line may name any."""
        line = self.desk.mirror.message(Oid(oid)).rstrip("\n").rpartition("\n")[2]
        return _read(line.encode()).seq > 0

    def _still_here(self, ends: Iterable[str], tip: Oid | None) -> dict[str, bytes]:
        """Return the lines of lost entries whose commits are in the clone still; other commits are no ends."""
        mirror = self.desk.mirror
        found: dict[str, bytes] = {}
        for end in mirror.known([Oid(one) for one in ends]):
            if end in found or not self._is_entry(end):
                continue
            for raw in mirror.raw_commits(end, since=tip):
                found[raw.oid] = raw.data.rstrip(b"\n").rpartition(b"\n")[2]
        return found

    def _entry(self, seq: int) -> Entry:
        """Return the entry whose words are to be taken out. Raises: Declined."""
        tips = self.desk.mirror.tips()
        years = read_years(self.desk.mirror, self.desk.book, tips) if len(tips.ledgers) > 1 else []
        chain = whole(years) if years else self.desk.ledger.read(tips)
        found = next((entry for _, entry in chain.entries if entry.seq == seq), None)
        if found is None:
            detail = f"the last entry is #{chain.state.seq}"
            raise Declined(NotRecorded(code="unknown-entry", detail=detail))
        if seq in chain.state.redacted:
            raise Declined(
                NotRecorded(code="nothing-to-redact", detail=f"#{chain.state.redacted[seq]} did it")
            )
        if not found.note:
            raise Declined(
                NotRecorded(code="nothing-to-redact", detail=f"{found.subject} has no words of a person")
            )
        return found

    # --- who says it ----------------------------------------------------------------------------------------

    def _may(self, rules: Rules, said: Said, at: datetime) -> None:
        """See that somebody could be one of the two, so that nobody is asked in vain. Raises: Declined."""
        if not may_speak(said.evidence.get("account")):
            raise Declined(NotRecorded(code=Code.ACCOUNT))
        self._members(rules, [said], at)
        members = self.desk.rosters.members(rules, self._state(), at)
        if not may_approve(rules, "", "", said.by.person, members):
            raise Declined(
                NotRecorded(code=Code.NOT_AN_APPROVER, detail=f"{said.by.person} may approve nowhere")
            )

    def _members(self, rules: Rules, said: list[Said], at: datetime) -> Mapping[str, Json]:
        """Look up who is in the teams of all rules, and attest it of these people."""
        places = [(where, what) for where in rules.environments for what in rules.services]
        teams = teams_of(rules, [rule for place in places if (rule := effective(rules, *place))])
        self.desk.rosters.refresh(teams, at)
        people = [one.by.person for one in said]
        return self.desk.rosters.evidence(rules, self._state(), teams, people, at) or {}

    def _state(self) -> State:
        return self.desk.ledger.read(self.desk.mirror.tips()).state


def _described(entry: Entry) -> str:
    """Say which entry it is, without its words."""
    by = entry.speaker
    who = getattr(by, "person", "the bot")
    return f"{entry.subject}, by {who}, {entry.at}"


def _read(line: bytes) -> Entry:
    """Read a line that may be of any shape: what cannot be read has no number."""
    try:
        return parse(line)
    except EntryError:
        return Entry(kind=Kind.SHOWN, at="", key="")


def loss_said(together: Together) -> Mapping[str, str]:
    """Say what a rewritten ledger lost and how it goes on; nothing where it is no such case."""
    try:
        said = together.loss().counted()
    except (Declined, BotError):
        return {}
    how = "bring the branch back, or two people who may approve go on without"
    return {"lost": said, "next": how}
