"""Re-perform the ledger from a clone alone, and hold the target branch against it, both ways."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from bot import wording
from bot.arriving import Arriving, by_head
from bot.chains.chain import Chain
from bot.chains.years import read_years, whole
from bot.claims import made_up
from bot.dating import Dating
from bot.looking.book import Book, RulesAt
from bot.promoting.landing import look as look_at
from bot.promoting.poller import Writer
from bot.promoting.urgency import is_marked, under
from bot.repository.mirror import Anchor, Mirror, Tips
from bot.repository.objects import Oid
from bot.rulings import Ruling, rulings
from bot.signing import is_vouched
from policies.audit_codes import CODES, AuditCode, attested_by
from policies.entries.entry import Entry, Kind, Share, shares, write_time
from policies.entries.membership import SKEW
from policies.entries.remembered import are_same
from policies.ledger.order import Between, is_past, misdated_of
from policies.ledger.population import UNRECORDED, Change, unrecorded
from policies.ledger.state import Promotion, State
from policies.rules.rules import EffectiveRule, moving_rule

_ALL = 1 << 30
GRACE = timedelta(minutes=5)  # between an intent and its merge the rules may change
# from here on a move is found whose trailers leave the signature out, or whose rules are dated after it
CLOSER_SINCE = "2026-11-29T00:00:00Z"
_PROGRESS = 500  # commits between two lines of progress
_HELD = 2_000  # entries between two lines of progress: about as many commits are among them
# kinds whose commit is on the target branch because of them
_ON_THE_BRANCH = frozenset(
    {Kind.BUMP, Kind.ROLLBACK, Kind.EMERGENCY, Kind.LANDED, Kind.MISMATCH, Kind.EXTERNAL}
)
_APART = frozenset({Kind.EMERGENCY, Kind.ROLLBACK})  # they open their review before they land
_OF_A_SERVICE = frozenset({"Service", "Image", "Digest", "Previous", "Rule"})  # trailers, in groups


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be. ``what``: a stable code; ``oid`` names it; ``seq`` 0 = not an entry."""

    what: str
    oid: str
    seq: int
    text: str

    @property
    def code(self) -> AuditCode:
        """What it means, what was expected, what one does next."""
        return CODES[self.what]

    def __str__(self) -> str:
        number = f" #{self.seq}" if self.seq else ""
        return f"{self.what} {self.oid[:12]}{number}: {self.text}"


@dataclass(slots=True)
class Report:
    """What was re-performed and what was found. ``attested``: entries that rest on a look outside of the clone."""

    findings: list[Finding] = field(default_factory=list)
    entries: int = 0
    commits: int = 0
    attested: int = 0
    attested_by: Mapping[str, int] = field(default_factory=dict)  # who said so -> entries that rest on that
    tip: str = ""
    newest: str = ""  # the time of the newest entry whose time fits: what comes next may be asked for by it
    notes: list[str] = field(default_factory=list)  # what is odd and no finding
    chain: Chain | None = None  # what was read, all years as one; nothing where there is no ledger
    off: Mapping[int, Between] = field(default_factory=dict)  # entries dated out of their order, by number
    unrecorded: list[Change] = field(default_factory=list)  # moves without an entry, oldest first
    rulings: list[Ruling] = field(default_factory=list)  # changes of the rules, oldest first

    def add(self, what: str, oid: str, text: str, seq: int = 0) -> None:
        """Note a finding."""
        self.findings.append(Finding(what, oid, seq, text))


def verify(
    mirror: Mirror,
    book: Book,
    *,
    folder: str,
    since: str = "",
    ends: Mapping[str, str] = MappingProxyType({}),
    now: datetime | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Check chain, signatures, every entry against the state of its parent, and the target branch both ways.

    ``since``: an instant as the ledger writes it; moves before it are not held against the branch again. What is before
    is said by the order of entries and commits, not by what a commit says of itself.
    ``ends``: who says so, and where the ledger once ended (at least 8 hex digits): anchors from elsewhere.
    ``now``: in UTC; without it nothing is late but what newer entries show to be.
    Raises: BotError where the repository cannot be read.
    """
    report = Report()
    tips = mirror.fetch()
    anchors = mirror.anchors(tips.target, limit=_ALL)
    year = max(tips.ledgers, default="")
    if not year:
        text = "the branch ledger/* is missing" + (
            f", and commit {anchors[0].commit[:12]} names an entry" if anchors else ""
        )
        if mirror.advice:
            text += f"; a clone of one branch lacks it: run `{mirror.advice}` there, and verify again"
        report.add("ledger-missing", tips.target, text)
        return report
    audit = _Audit(mirror, book, Writer(mirror, folder), folder, tips, since, report, progress, now)
    audit.run(anchors, ends)
    return report


@dataclass(slots=True)
class _Audit:
    mirror: Mirror
    book: Book
    writer: Writer
    folder: str
    tips: Tips
    since: str
    report: Report
    progress: Callable[[str], None]
    now: datetime | None
    line: list[Oid] = field(default_factory=list)
    on_line: frozenset[Oid] = frozenset()
    signers: tuple[str, ...] = ()
    emergencies: dict[str, Entry] = field(default_factory=dict)  # by promotion
    intents: dict[str, Entry] = field(default_factory=dict)  # by commit
    begun: str = ""  # when the ledger was

    def run(self, anchors: list[Anchor], ends: Mapping[str, str]) -> None:
        chain = self._chain()
        self.signers = chain.signers
        self.emergencies = {one.promotion: one for _, one in chain.entries if one.kind is Kind.EMERGENCY}
        self.intents = {oid: one for oid, one in chain.entries if one.kind is Kind.INTENT}
        self._ends(chain, anchors)
        for who, end in ends.items():
            if any(oid.startswith(end) for oid, _ in chain.entries):
                continue
            if given_up := next((oid for oid in chain.state.forks if oid.startswith(end)), ""):
                self._explained(chain.state, who, given_up)
            else:
                self.report.add("ledger-cut", end, f"{who} names this entry; the ledger does not have it")
        if chain.state.genesis is None or not chain.entries:
            return
        off = self.report.off = misdated_of(chain.entries, self.now)
        first = chain.entries[0][1]
        self.begun = first.at
        genesis = Oid(first.commit)
        if chain.state.genesis.branch != self.mirror.branch:
            text = f"genesis is about branch {chain.state.genesis.branch}, this is {self.mirror.branch}"
            self.report.add("other-branch", chain.entries[0][0], text, 1)
        if not self.mirror.is_ancestor(genesis, self.tips.target):
            self.report.add(
                "branch-rewritten", genesis, "the target branch does not contain what genesis names", 1
            )
            return
        self.line = list(reversed(self.mirror.first_parents(self.tips.target, since=genesis)))
        self.on_line = frozenset(self.line)
        dating = Dating.of(chain.entries, self.line, off, self.since)
        self.report.notes += dating.notes()
        self.report.newest = max(dating.fitting(), default="")
        self.report.rulings += rulings(chain.entries, self.mirror, self.book, off=off)
        self.report.notes += [
            f"{f'rules #{one.entry.seq}' if one.entry else 'rules that no entry records yet'}: {text}"
            for one in self.report.rulings
            for text in one.unseen
        ]
        seqs = {oid: entry.seq for oid, entry in chain.entries}
        for index, (oid, entry) in enumerate(chain.entries):
            if index % _HELD == _HELD - 1:
                self.progress(f"{index + 1} of {len(chain.entries)} entries held against the target branch")
            if index >= dating.begins or entry.at >= self.since:
                self._entry(chain, oid, entry, seqs)
        self._moves(chain, dating)
        self._claims(chain)
        self._open(chain.state)

    # --- the chain ------------------------------------------------------------------------------------------

    def _chain(self) -> Chain:
        """Read all years as one; the promotions are kept as they stood when they were merged."""
        chain = whole(read_years(self.mirror, self.book, self.tips, progress=self.progress))
        for fault in chain.faults:
            self.report.add("entry-invalid", fault.oid, fault.what, fault.seq)
        self.report.entries = len(chain.entries)
        said = [found for _, entry in chain.entries if (found := attested_by(entry.evidence))]
        self.report.attested = len(said)
        self.report.attested_by = dict(sorted(Counter(who for one in said for who in one).items()))
        self.report.tip = chain.state.tip
        self.report.chain = chain
        return chain

    def _ends(self, chain: Chain, anchors: list[Anchor]) -> None:
        for one in anchors:
            if chain.entries.has(one.tip):
                continue
            if one.tip in chain.state.forks:
                self._explained(chain.state, f"commit {one.commit[:12]}", one.tip)
            elif not chain.tip or is_vouched(chain.signers, one.tip, one.proof):
                text = f"commit {one.commit[:12]} names this entry; the ledger lost it"
                self.report.add("ledger-cut", one.tip, text)
            else:
                who = "nobody vouches for it" if not one.proof else "no key of this ledger vouches for it"
                self.report.notes.append(
                    f"commit {one.commit[:12]} names {one.tip[:12]} as an end of the ledger; {who}"
                )

    def _claims(self, chain: Chain) -> None:
        """Note commits that say they are ours, and are not."""
        said = {one.split(" ")[1] for one in self.report.notes if one.startswith("commit ")}
        state = chain.state.copy()
        state.genesis = chain.entries[0][1]  # of the first year
        for _, entry in chain.entries:
            if entry.commit and entry.kind in _ON_THE_BRANCH - {Kind.EXTERNAL}:
                state.ours.setdefault(entry.commit, entry.seq)
        for one in made_up(self.mirror, state, self.tips.target, limit=_ALL):
            if one.commit[:12] not in said:
                text = f"commit {one.commit[:12]} has trailers of ours ({one.said}), and no entry names it"
                self.report.notes.append(f"{text}: they are copied or made up")

    def _explained(self, state: State, who: str, end: str) -> None:
        """Note an end that two people gave up: it is no anchor any more."""
        text = f"{who} names {end[:12]} as an end of the ledger; #{state.forks[end]} gave it up"
        self.report.notes.append(text)

    def _open(self, state: State) -> None:
        for seq, one in state.open.items():
            promotion = state.promotions.get(one.promotion)
            if one.kind in _APART and promotion and promotion.is_live:
                continue  # it is not over yet
            of = f" of {one.service}" if one.service else ""
            commit = one.commit or (promotion.commit if promotion else "")
            self.report.add(
                "review-missing", commit, f"{one.kind}{of} in {one.environment} has no review", seq
            )

    # --- entry -> commit ------------------------------------------------------------------------------------

    def _entry(self, chain: Chain, oid: Oid, entry: Entry, seqs: dict[Oid, int]) -> None:
        if entry.kind not in _ON_THE_BRANCH - {Kind.MISMATCH} or not entry.commit:
            return
        promotion = chain.state.promotions.get(entry.promotion)
        if Oid(entry.commit) not in self.on_line:
            text = f"{entry.kind} names commit {entry.commit[:12]}, which is not on the target branch"
            self.report.add("commit-missing", oid, text, entry.seq)
            return
        if entry.kind is Kind.EXTERNAL:
            self._external(oid, entry)
            return
        rule_at = entry.rule or (promotion.rule if promotion else None)
        rules = self.book.rules(rule_at.commit) if rule_at else None
        rule = moving_rule(rules, entry.environment, entry.service) if rules else None
        change = entry.change or (promotion.change if promotion else "")
        if rules is None or rule is None:
            return  # the chain has said so already
        found = look_at(
            self.mirror,
            self.book,
            self.writer,
            rules=rules,
            rule=rule,
            image=entry.image,
            change=change,
            commit=Oid(entry.commit),
            members=entry.members or (promotion.members if promotion else ()),
            beside=[
                (other, one.image)
                for one in entry.also
                if (other := moving_rule(rules, entry.environment, one.service))
            ],
        )
        if found.wrong:
            text = f"the commit is not what {entry.kind} #{entry.seq} says: {found.wrong}"
            self.report.add("content-differs", entry.commit, text, entry.seq)
        if promotion and promotion.cleared and entry.kind is Kind.LANDED:
            self._by_people(entry, promotion.cleared)
        else:
            for text in self._trailers(entry, promotion, rule, seqs):
                self.report.add("trailers-differ", entry.commit, text, entry.seq)
        for one in entry.each:
            self._before(one, promotion, one.rule.hash if one.rule else rule.hash)

    def _by_people(self, entry: Entry, cleared: datetime) -> None:
        """People word their merges as they like; what Git shows of them is when they were made."""
        made = self.mirror.commit_info(Oid(entry.commit)).committed_at
        if made < cleared - SKEW:
            text = f"it was made at {write_time(made)}, people could merge it from {write_time(cleared)} on"
            self.report.add("merged-early", entry.commit, text, entry.seq)

    def _before(self, entry: Entry, promotion: Promotion | None, rule_hash: str) -> None:
        """Hold an entry against the commit's parent: what stood there, and which rule was in force."""
        parent = self.mirror.parents(Oid(entry.commit))[0]
        if entry.kind is Kind.BUMP and f"/{parent}/" not in entry.key:
            self.report.add(
                "content-differs", entry.commit, f"its key names another parent than {parent[:12]}", entry.seq
            )
        in_force = self.book.rules_in_force(parent)
        if not isinstance(in_force, RulesAt):
            return
        places = self.book.places(parent, in_force.rules)
        for one in promotion.shares if promotion and not entry.members else entry.shares:
            place = places.get((entry.environment, one.service))
            stood = place.pin.image if place else ()
            if not are_same(one.previous, stood):
                said = one.previous[0] if one.previous else "nothing"
                text = f"{stood[0] if stood else 'nothing'} stood there before, the ledger says {said}"
                self.report.add("content-differs", entry.commit, text, entry.seq)
        rule = moving_rule(in_force.rules, entry.environment, entry.service)
        changed = self.mirror.commit_info(in_force.commit).committed_at
        if rule is not None and rule.hash == rule_hash:
            return
        is_ahead = changed > entry.time + GRACE and entry.at >= CLOSER_SINCE
        if is_ahead or changed < entry.time - GRACE:
            text = f"the rules of {in_force.commit[:12]} were in force, it was judged by older ones"
            self.report.add("rule-older", entry.commit, text, entry.seq)
        else:
            text = f"commit {entry.commit[:12]} moved while the rules changed: it was judged by those before"
            self.report.notes.append(f"{text} {in_force.commit[:12]}, which came at {write_time(changed)}")

    def _external(self, oid: Oid, entry: Entry) -> None:
        """A move by others is written down as it is, or it is made up."""
        parents = self.mirror.parents(Oid(entry.commit))
        moved = self.book.moved(Oid(parents[0]), Oid(entry.commit)) if parents else ()
        image = next((new for where, _, new in moved if where == (entry.environment, entry.service)), None)
        if image is None or not are_same(entry.image, image):
            text = f"commit {entry.commit[:12]} does not move {entry.service} in {entry.environment} so"
            self.report.add("entry-made-up", oid, text, entry.seq)

    def _urgency(
        self, entry: Entry, promotion: Promotion | None, rule: EffectiveRule, stands: list[wording.Trailer]
    ) -> wording.Urgency | None:
        """Return what a landing has to say of an emergency; one of an older release may say nothing of it."""
        emergency = self.emergencies.get(entry.promotion)
        promises = self.intents.get(promotion.intent) if entry.kind is Kind.LANDED and promotion else entry
        says = any(name in {wording.EMERGENCY, wording.SKIPPED} for name, _ in stands)
        if emergency is None or not (says or is_marked(promises)):
            return None
        return under(rule.moving([one.service for one in emergency.members]), emergency.until)

    def _trailers(
        self, entry: Entry, promotion: Promotion | None, rule: EffectiveRule, seqs: dict[Oid, int]
    ) -> Iterator[str]:
        """Compare the commit's last paragraph with what the ledger makes of it; without an intent that is nothing."""
        if entry.kind is Kind.LANDED and not (promotion and promotion.intent):
            return  # the chain has said so already
        stands = wording.parse_trailers(self.mirror.message(Oid(entry.commit)))
        ledger = next((value for name, value in stands if name == "Ledger"), "")
        proof = next((value for name, value in stands if name == "Ledger-Signature"), "")
        if proof and not is_vouched(self.signers, ledger, proof):
            yield "its Ledger-Signature is by no key of this ledger"
        if ledger and not proof and entry.at >= CLOSER_SINCE:
            yield "it has no Ledger-Signature"
        urgency = self._urgency(entry, promotion, rule, stands)
        if entry.kind is Kind.LANDED and promotion:
            url = next((value for name, value in stands if name == "Pull-Request"), "-")
            url = url if rule.environment.has_pull_requests else ""
            title, message = wording.landing(
                promotion,
                folder=self.folder,
                url=url,
                intent=promotion.intent,
                key=promotion.intent_key,
                proof=proof,
                urgency=urgency,
            )
            meant = wording.parse_trailers(f"{title}\n\n{message}\n")
        else:
            meant = wording.parse_trailers(
                wording.move_message(entry, folder=self.folder, tip=ledger, proof=proof, urgency=urgency)
            )
            is_first = not ledger and entry.at == self.begun  # in one push with genesis: there was no end yet
            if not is_first and seqs.get(Oid(ledger), entry.seq) >= entry.seq:
                yield "it names an end of the ledger that was not there when it was made"
        for name, value in meant:
            if (name, value) not in stands:
                yield f"expected {name}: {value[:100]}"
        if entry.also and [one for one in stands if one[0] in _OF_A_SERVICE] != [
            one for one in meant if one[0] in _OF_A_SERVICE
        ]:
            yield "what it says of each service does not stand in its group"
        if len(stands) > len(meant):
            yield "it has more trailers than the ledger makes"

    # --- commit -> entry ------------------------------------------------------------------------------------

    def _moves(self, chain: Chain, dating: Dating) -> None:
        """Every commit that moves an image has its entry."""
        named = {
            (one.commit, one.environment, share.service): share.image
            for _, entry in chain.entries
            for one in entry.each
            if one.commit and one.kind in _ON_THE_BRANCH
            for share in _moved(one, chain.state.promotions.get(one.promotion))
        }
        newest = chain.entries[-1][1].time
        arriving = Arriving(
            self.mirror,
            self.book,
            self.writer,
            until=max(newest, self.now) if self.now else newest,
            is_now=self.now is not None,
            by_head=by_head(chain.state.promotions),
        )
        came: Mapping[Oid, Between] = {}
        latest = ""  # that a commit up to here says of itself
        for index, commit in enumerate(self.line):
            if index % _PROGRESS == _PROGRESS - 1:
                self.progress(f"{index + 1} of {len(self.line)} commits")
            info = self.mirror.commit_info(commit)
            at = write_time(info.committed_at)
            latest = max(latest, at)
            if index < dating.held and at < self.since:
                continue
            self.report.commits += 1
            for (environment, service), before, image in self.book.moved(Oid(info.parents[0]), commit):
                recorded = named.get((commit, environment, service))
                if recorded is None and arriving.takes(info, (environment, service)):
                    continue
                if recorded is None:
                    tags = ", ".join(one.tag for one in image) or "nothing"
                    text = f"it moves {service} in {environment} to {tags} without an entry"
                    self.report.add(UNRECORDED, commit, text)
                    came = came or dating.commits()
                    span = None if came[commit].has(at) and not is_past(latest, at) else came[commit]
                    self.report.unrecorded.append(
                        unrecorded(
                            commit, info.committed_at, (environment, service), image, before, between=span
                        )
                    )
                elif not are_same(recorded, image):
                    now, said = (str(one[0]) if one else "nothing" for one in (image, recorded))
                    text = f"{service} in {environment} became {now}, the ledger says {said}"
                    self.report.add("content-differs", commit, text)
        self.report.notes += arriving.notes.values()
        for commit, text in arriving.wrong.items():
            self.report.add("content-differs", commit, text)


def _moved(entry: Entry, promotion: Promotion | None) -> tuple[Share, ...]:
    """Return what an entry says that each service became; of a group its members, as the promotion has them."""
    members = entry.members or (promotion.members if promotion else ())
    return shares(entry.service, members, entry.image, ())
