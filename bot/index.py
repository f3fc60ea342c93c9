"""The index: what the ledger stands for, in SQLite, with caches beside it. All of it may be lost and is made again."""

import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from bot import faults
from bot.chains.chain import Chain
from bot.errors import PermanentError, TransientError
from policies.canonical import Json
from policies.entries.entry import By, Entry, Kind
from policies.entries.facts import Fact, from_json, to_json
from policies.entries.redacted import veiled
from policies.ledger.state import Promotion

SCHEMA = 4  # PRAGMA user_version; a file of any other shape is put aside
BUSY_SECONDS = 30.0  # how long another process may hold the file
_DERIVED = ("mark", "entries", "promotions")  # equal after a rebuild; the other tables are caches

# the first column is the key; ``#`` marks those that count
_TABLES: Mapping[str, str] = {
    "mark": "#id #schema year tip #seq",
    "entries": "#seq oid kind key at environment service promotion person line",
    "promotions": "id #seq kind environment service tag digest previous change head stage person"
    " opened done commit why #number url",
    "outbox": "what channel message #seq hash stage",
    "pulls": "promotion #number url",
    "statuses": "head said",
    "facts": "key gate verdict code detail looked",
    "builds": "what digest said",
    "observed": "key #place line",
}
_LOOKED_UP = {"entries": ("promotion", "service"), "promotions": ("service", "stage")}


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent last of one thing. ``message`` '' = it was printed, there was no chat."""

    what: str
    channel: str
    message: str
    seq: int
    hash: str
    stage: str


class Index:
    """One database and its one connection. Every method may be called from any thread. Raises: BotError."""

    def __init__(self, database: Database) -> None:
        """Use a database that is ours; ``open`` sees to that."""
        self._db = database
        self._lock = threading.RLock()
        # what was sent, and the version of the file when it was read
        self._sent: tuple[int, dict[str, Sent]] | None = None

    @classmethod
    def open(cls, path: Path | None) -> "Index":
        """Open the file, made where it is missing; what is broken or of another shape is put aside. None: in memory.

        Raises: PermanentError where no file can be there, TransientError where another process holds it.
        """
        if path is None:
            return cls(_made(_connect(None)))
        with _said(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            return cls(_opened(path) or _fresh(_aside(path)))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[Database]:
        """Hold the file for one transaction: all of it is written, or nothing."""
        with self._lock, _said():
            faults.point("before-index")
            # IMMEDIATE: the lock is taken before the first look, so what is read is still so when it is written
            self._db.conn.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.rollback()
                raise
            self._db.commit()
            faults.point("after-index")

    def _rows(self, sql: str, *values: str) -> list[dict[str, Any]]:
        with self._lock, _said():
            return list(self._db.query(sql, values))

    # --- the ledger -----------------------------------------------------------------------------------------

    def remembered(self) -> str:
        """Return the ledger's end as it was seen last, '' where none was: an anchor (LEDGER, "Anchors")."""
        return str(self._rows("select tip from mark")[0]["tip"])

    def follow(self, chain: Chain) -> None:
        """Add what is new since the mark; a mark that the chain does not contain makes everything anew.

        A chain with faults is not followed: the mark stays an anchor. Where the ledger is read-only, do not call.
        """
        if chain.faults:
            return
        with self._writing() as db:
            mark = next(iter(db.query("select year, tip, seq from mark")))
            seq = int(mark["seq"])
            is_known = mark["year"] == chain.year and (
                seq == 0 or (seq <= chain.state.seq and _at(chain, seq) == mark["tip"])
            )
            if not is_known or seq < chain.state.seq:
                _add(db, chain, since=seq if is_known else 0)

    def rebuild(self, chain: Chain) -> None:
        """Make everything that follows from the ledger anew; caches stay."""
        with self._writing() as db:
            _add(db, chain, since=0)

    def dump(self) -> tuple[str, ...]:
        """Return every row that follows from the ledger as text: equal ledgers, equal dumps."""
        return tuple(
            f"{table} {tuple(row.values())}"
            for table in _DERIVED
            for row in self._rows(f"select * from {table} order by 1")  # noqa: S608  names of our own
        )

    def entries(self, *, promotion: str = "", service: str = "") -> list[str]:
        """Return the ledger's lines about a promotion or a service, oldest first; neither named: all."""
        return [
            str(row["line"])
            for row in self._rows(
                "select line from entries where ? in ('', promotion) and (? in ('', service)"
                " or (instr(line, '\"also\":[') and instr(line, ?))) order by seq",
                promotion,
                service,
                f'"service":"{service}"',  # of an entry that moves several
            )
        ]

    def lines(self) -> dict[str, bytes]:
        """Return the lines of all entries that were seen, by commit: what a rewritten ledger lost is here still."""
        rows = self._rows("select oid, line from entries")
        return {str(row["oid"]): str(row["line"]).encode() for row in rows}

    # --- caches that may be lost ----------------------------------------------------------------------------

    def sent(self) -> dict[str, Sent]:
        """Return what was sent last, by its name. It is read again where another process has written meanwhile."""
        with self._lock, _said():
            version = int(self._db.conn.execute("PRAGMA data_version").fetchone()[0])
            if self._sent is None or self._sent[0] != version:
                rows = self._rows("select * from outbox")
                self._sent = (version, {row["what"]: Sent(**row) for row in rows})
            return self._sent[1].copy()

    def sent_of(self, what: str) -> Sent | None:
        """Return what was sent last of one thing."""
        rows = self._rows("select * from outbox where what = ?", what)
        return Sent(**rows[0]) if rows else None

    def remember_sent(self, sent: Sent) -> None:
        """Remember what was sent."""
        with self._lock:
            known, self._sent = self._sent, None  # whatever happens meanwhile, it is read again then
            with self._writing() as db:
                db.table("outbox").upsert(asdict(sent), pk="what")
            if known is not None:
                known[1][sent.what] = sent
                self._sent = known

    def pulls(self) -> dict[str, tuple[int, str]]:
        """Return number and URL of pull requests by promotion: as the ledger's intents say, or as was remembered."""
        rows = self._rows("select id, number, url from promotions where number > 0")
        rows += self._rows("select promotion as id, number, url from pulls")
        return {row["id"]: (row["number"], row["url"]) for row in rows}

    def remember_pull(self, promotion: str, number: int, url: str) -> None:
        """Remember a promotion's pull request."""
        with self._writing() as db:
            db.table("pulls").upsert({"promotion": promotion, "number": number, "url": url}, pk="promotion")

    def status(self, head: str) -> str:
        """Return the commit status that was set last on a head, '' where none is known."""
        rows = self._rows("select said from statuses where head = ?", head)
        return str(rows[0]["said"]) if rows else ""

    def remember_status(self, head: str, said: str) -> None:
        """Remember the commit status that was set."""
        with self._writing() as db:
            db.table("statuses").upsert({"head": head, "said": said}, pk="head")

    def builds(self) -> dict[str, tuple[str, str]]:
        """Return what images said of when they were built: by what was asked, their digest and the JSON of it."""
        rows = self._rows("select what, digest, said from builds")
        return {row["what"]: (row["digest"], row["said"]) for row in rows}

    def remember_builds(self, found: Mapping[str, tuple[str, str]]) -> None:
        """Remember what images said of when they were built."""
        rows = [{"what": what, "digest": digest, "said": said} for what, (digest, said) in found.items()]
        with self._writing() as db:
            db.table("builds").upsert_all(rows, pk="what")

    def facts(self) -> dict[str, Fact]:
        """Return what gates were answered outside, by what each is about."""
        rows = self._rows("select * from facts")
        return {row["key"]: fact for row in rows for fact in from_json([_without_key(row)])}

    def remember_facts(self, facts: Mapping[str, Fact], forget: Collection[str]) -> None:
        """Remember what gates were answered outside, and forget what nobody asks about any more."""
        rows = [{"key": key, **row} for key, one in facts.items() for row in _fact_rows(one)]
        with self._writing() as db:
            db.table("facts").upsert_all(rows, pk="key")
            db.conn.executemany("delete from facts where key = ?", [(key,) for key in forget])

    # --- while observing ------------------------------------------------------------------------------------

    def observed(self) -> list[bytes]:
        """Return the lines of the entries that a ledger would have, oldest first."""
        return [row["line"].encode() for row in self._rows("select line from observed order by place")]

    def remember_observed(self, key: str, line: bytes) -> None:
        """Remember an entry that was not written; of one key the first."""
        with self._writing() as db:
            place = db.table("observed").count + 1
            row = {"key": key, "place": place, "line": line.decode()}
            db.table("observed").insert(row, pk="key", ignore=True)


# --- rows ---------------------------------------------------------------------------------------------------


def _at(chain: Chain, seq: int) -> str:
    """Return the commit of an entry by its number; a later year's numbers go on from the year before."""
    index = seq - chain.entries[0][1].seq
    return chain.entries[index][0] if index >= 0 else ""


def _add(db: Database, chain: Chain, *, since: int) -> None:
    """Write the rows of the entries after ``since`` and the mark; 0 = all of them, from nothing."""
    new = chain.entries[since + 1 - chain.entries[0][1].seq :] if since else chain.entries
    if since and any(entry.kind is Kind.REDACT for _, entry in new):
        since, new = 0, chain.entries  # what was written of earlier entries is shown no more
    if not since:
        for table in _DERIVED:
            db.table(table).delete_where()
    shown = veiled(new, chain.state.redacted)
    db.table("entries").insert_all((_entry_row(oid, entry) for oid, entry in shown), batch_size=1000)
    touched = dict.fromkeys(chain.state.promotions) if not since else {}  # those carried over, too
    touched |= dict.fromkeys(entry.promotion for _, entry in new if entry.promotion in chain.state.promotions)
    # an entry about one promotion may end another: an emergency takes the place of what is open there
    was_live = [str(row["id"]) for row in db.query("select id from promotions where done = ''")]
    touched |= dict.fromkeys(one for one in was_live if one in chain.state.promotions)
    rows = [_promotion_row(chain.state.promotions[one]) for one in touched]
    db.table("promotions").upsert_all(rows, pk="id")
    for _, entry in new:
        if pull := _pull_of(entry):
            db.execute("update promotions set number = ?, url = ? where id = ?", (*pull, entry.promotion))
    mark = {"id": 1, "schema": SCHEMA, "year": chain.year, "tip": chain.tip or "", "seq": chain.state.seq}
    db.table("mark").upsert(mark, pk="id")


def _entry_row(oid: str, entry: Entry) -> dict[str, str | int]:
    return {
        "seq": entry.seq,
        "oid": oid,
        "kind": entry.kind.value,
        "key": entry.key,
        "at": entry.at,
        "environment": entry.environment,
        "service": entry.service,
        "promotion": entry.promotion,
        "person": entry.by.person if isinstance(entry.by, By) else "",
        "line": entry.line().decode(),
    }


def _promotion_row(promotion: Promotion) -> dict[str, str | int]:
    return {
        "id": promotion.id,
        "seq": promotion.seq,
        "kind": promotion.kind.value,
        "environment": promotion.environment,
        "service": promotion.service,
        "tag": "+".join(one.tag for one in promotion.image),
        "digest": "+".join(one.digest for one in promotion.image),
        "previous": "+".join(one.tag for one in promotion.previous),
        "change": promotion.change,
        "head": promotion.head,
        "stage": promotion.stage.value,
        "person": promotion.by.person if isinstance(promotion.by, By) else "",
        "opened": promotion.opened.isoformat(),
        "done": promotion.done.isoformat() if promotion.done else "",
        "commit": promotion.commit,
        "why": promotion.why,
    }


def _without_key(row: Mapping[str, str]) -> dict[str, Json]:
    return {name: value for name, value in row.items() if name != "key"}


def _fact_rows(fact: Fact) -> list[dict[str, Json]]:
    return [row for row in to_json([fact]) if isinstance(row, dict)]


def _pull_of(entry: Entry) -> tuple[int, str] | None:
    """Return the pull request that an entry's evidence names."""
    named: Json | None = entry.evidence.get("pull_request")
    if not isinstance(named, Mapping) or not entry.promotion:
        return None
    number, url = named.get("number"), named.get("url")
    return (number, url) if isinstance(number, int) and isinstance(url, str) else None


# --- the file -----------------------------------------------------------------------------------------------


@contextmanager
def _said(path: Path | None = None) -> Iterator[None]:
    """Say what failed, and whether waiting helps. Raises: BotError."""
    where = f"the index {path or ''}".rstrip()
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR")):
            raise TransientError(f"{where} cannot be used now: {error}") from error
        raise PermanentError(f"{where} cannot be used: {error}; see COUNTERSIGN_DATABASE") from error
    except (sqlite3.DatabaseError, OSError) as error:
        raise PermanentError(f"{where} cannot be used: {error}; see COUNTERSIGN_DATABASE") from error


def _connect(path: Path | None) -> Database:
    connection = sqlite3.connect(
        str(path) if path else ":memory:", timeout=BUSY_SECONDS, check_same_thread=False
    )
    connection.execute("PRAGMA secure_delete = ON")  # what was redacted is not left behind in free pages
    return Database(connection, execute_plugins=False)


def _fresh(path: Path) -> Database:
    db = _connect(path)
    db.conn.execute("PRAGMA journal_mode = WAL")
    return _made(db)


def _made(db: Database) -> Database:
    """Give an empty database its tables, in one transaction."""
    with db.atomic():
        for name, words in _TABLES.items():
            columns = {word.lstrip("#"): int if word[0] == "#" else str for word in words.split()}
            key, *others = columns
            empty = {column: columns[column]() for column in others}
            db.table(name).create(columns, pk=key, not_null=set(columns), defaults=empty)
        for name, looked_up in _LOOKED_UP.items():
            for column in looked_up:
                db.table(name).create_index([column])
        db.table("mark").insert({"id": 1, "schema": SCHEMA})
        db.conn.execute(f"PRAGMA user_version = {SCHEMA}")
    return db


def _opened(path: Path) -> Database | None:
    """Return the database of a file that is whole and ours, else nothing: doubt is reason enough to rebuild."""
    if not path.exists():
        return None
    db = _connect(path)
    try:
        if _is_ours(db):
            db.conn.execute("PRAGMA journal_mode = WAL")
            return db
    except sqlite3.OperationalError:
        db.close()
        raise  # held by another process, or not readable for us: that is no damage
    except sqlite3.DatabaseError:
        pass  # not a database, or a torn one
    db.close()
    return None


def _is_ours(db: Database) -> bool:
    found = [row[0] for row in db.conn.execute("PRAGMA integrity_check(1)")]
    version = db.conn.execute("PRAGMA user_version").fetchone()[0]
    fresh = _made(_connect(None))
    try:
        is_same = version == SCHEMA and fresh.schema == db.schema
    finally:
        fresh.close()
    return is_same and found == ["ok"] and db.table("mark").count == 1


def _aside(path: Path) -> Path:
    """Move what is there out of the way, over what was put aside before."""
    for end in ("", "-wal", "-shm"):
        file = path.with_name(path.name + end)
        if file.exists():
            file.replace(path.with_name(f"{path.name}.aside{end}"))
    return path
