"""An entry is one line, and one line is one entry: nothing else is read."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.canonical import canonical
from policies.entries.entry import (
    MAX_DEPTH,
    MAX_LINE,
    MAX_NOTE,
    SHAPES,
    Beside,
    Bot,
    Both,
    By,
    Entry,
    EntryError,
    Kind,
    Link,
    Member,
    Pinned,
    Placed,
    RuleAt,
    Sighting,
    UnknownKindError,
    digests_of,
    is_exact,
    parse,
    parse_time,
    write_time,
)
from policies.ledger.state import Stage
from tests.policies.ledger_builders import SIGNER, at_stage, hash_of, oid, person, pinned, story

NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
OIDS = st.text("0123456789abcdef", min_size=40, max_size=40)
HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
CODES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2999, 1, 1)).map(  # noqa: DTZ001  a zone is given next
    lambda at: write_time(at.replace(tzinfo=UTC))
)
PINNED = st.builds(
    Pinned,
    st.sampled_from(["ghcr.io/example/web", "alpine", "localhost:5000/a/b"]),
    st.sampled_from(["", "1.0.0", "latest", "v1_x-2"]),
    st.sampled_from(["", pinned("a").digest, pinned("b").digest]),
)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"])) | st.booleans() | st.integers(-(2**40), 2**40),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text("ab\u00e9\u2028", max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
NOTES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=MAX_NOTE)
PEOPLE = st.builds(
    lambda name, via, slack, forge: By(name, via, *slack, *forge),
    NAMES,
    st.sampled_from(["button", "command", "modal", "shortcut", "review", "link"]),
    st.sampled_from([("", ""), ("T0", "U0ADA")]),
    st.sampled_from([(0, ""), (583, "ada-l"), (7, "countersign[bot]")]),
)
BY = st.one_of(st.just(Bot()), PEOPLE, st.builds(Both, PEOPLE, PEOPLE))
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "environment": NAMES,
    "service": NAMES,
    "promotion": st.text("0123456789abcdef", min_size=12, max_size=12),
    "image": st.lists(PINNED, min_size=1, max_size=2).map(tuple),
    "previous": st.lists(PINNED, min_size=1, max_size=2).map(tuple),
    "change": HASHES,
    "rule": st.builds(
        RuleAt, OIDS, st.lists(st.sampled_from(["promotion/a.yaml", "\u00e9.yaml"]), min_size=1).map(tuple), HASHES
    ),
    "also": st.lists(
        st.builds(
            Beside,
            NAMES,
            st.lists(PINNED, min_size=1, max_size=2).map(tuple),
            st.lists(PINNED, min_size=1, max_size=2).map(tuple),
            st.builds(RuleAt, OIDS, st.just(("promotion/a.yaml",)), HASHES),
            st.dictionaries(st.text("abc", min_size=1), PLAIN, max_size=2),
        ),
        min_size=1,
        max_size=2,
    ).map(tuple),
    "head": OIDS,
    "commit": OIDS,
    "branch": st.sampled_from(["main", "release/1.x"]),
    "signer": st.just(SIGNER),
    "seen": st.lists(
        st.builds(Sighting, NAMES, st.just("alpine"), st.just("1.0"), st.just(pinned("a").digest), st.booleans()),
        min_size=1,
    ).map(tuple),
    "shown": st.lists(st.builds(Placed, WORDS, st.just("C0"), WORDS, st.integers(0, 99)), min_size=1).map(tuple),
    "voided": HASHES,
    "closes": st.integers(0, 2**53 - 1),
    "until": TIMES,
    "trigger": WORDS,
    "group": NAMES,
    "members": st.lists(st.builds(Member, NAMES, st.integers(1, 9)), min_size=1, max_size=3).map(tuple),
    "since": OIDS,
    "commits": st.lists(OIDS, min_size=1, max_size=3).map(tuple),
    "linked": st.builds(Link, NAMES, st.just("T0"), st.just("U0ADA"), st.integers(0, 2**53 - 1), st.just("ada-l")),
    "state": HASHES,
    "erases": st.integers(0, 2**53 - 1),
    "lost": OIDS,
    "input": HASHES,
    "carried": st.dictionaries(st.text("abc", min_size=1), PLAIN, min_size=1, max_size=3),
    "evidence": st.dictionaries(st.text("abc", min_size=1), PLAIN, min_size=1, max_size=3),
    "why": CODES,
    "note": NOTES,
}  # fmt: skip


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Any entry of any kind, well formed."""
    kind = draw(st.sampled_from(Kind))
    must, may = SHAPES[kind]
    extra = sorted((may | {"evidence", "why", "note"}) - must)
    names = sorted(must) + (draw(st.lists(st.sampled_from(extra), unique=True)) if extra else [])
    values = {name: draw(FIELDS[name]) for name in names}
    seq, prev = draw(st.integers(0, 10**6)), draw(st.just("") | OIDS)
    return Entry(kind=kind, at=draw(TIMES), key=draw(WORDS), by=draw(BY), seq=seq, prev=prev, **values)


def _read(line: bytes) -> Entry | None:
    """Read a line; what is no entry is refused with words, and with nothing but an EntryError."""
    try:
        return parse(line)
    except EntryError as error:
        if not str(error):
            raise AssertionError("a refusal without words") from error
        return None


@given(entries())
def test_what_is_written_is_read_back_as_it_was(entry: Entry) -> None:
    assert parse(entry.line()) == entry


@given(entries())
def test_a_line_is_one_line_of_ascii_that_is_canonical(entry: Entry) -> None:
    line = entry.line()

    assert line.isascii()
    assert b"\n" not in line
    assert canonical(json.loads(line)) == line


@given(entries())
def test_a_message_is_a_subject_an_empty_line_and_the_line(entry: Entry) -> None:
    subject, line = entry.message().removesuffix("\n").split("\n\n")

    assert subject == entry.subject
    assert subject.startswith(f"{entry.kind}: ")
    assert subject.endswith(f" (#{entry.seq})")
    assert line.encode() == entry.line()
    assert len(entry.message().splitlines()) == 3


@given(st.binary(max_size=200) | entries().flatmap(lambda one: st.just(one.line()[:-3])))
def test_any_bytes_are_an_entry_or_an_entry_error(line: bytes) -> None:
    entry = _read(line)

    assert entry is None or entry.line() == line


@given(entries(), st.data())
def test_one_changed_byte_is_another_entry_or_none(entry: Entry, data: st.DataObject) -> None:
    line = bytearray(entry.line())
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] ^= data.draw(st.integers(1, 127))

    assert _read(bytes(line)) != entry


@given(
    PLAIN,
    st.sampled_from(["seq", "key", "by", "image", "rule", "evidence", "at", "kind", "v", "note", "shown"]),
)
def test_any_value_in_any_field_is_read_or_refused(value: object, name: str) -> None:
    plain = json.loads(at_stage(Stage.OPEN).entries[-1][1].line())

    plain[name] = value
    line = canonical(plain)
    entry = _read(line)

    assert entry is None or entry.line() == line


def _bent(**changes: object) -> bytes:
    """The approval of a story, with other values; None leaves a field out."""
    plain = json.loads(at_stage(Stage.OPEN).entries[-1][1].line()) | changes
    return json.dumps(
        {name: value for name, value in plain.items() if value is not None},
        sort_keys=True,
        separators=(",", ":"),
    ).encode()


def _sighting(**changes: object) -> bytes:
    seen = story().complete(story().seen("1.1.0"))
    plain = json.loads(seen.line())
    return canonical(plain | {"seen": [plain["seen"][0] | changes]})


def _deep(levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


REFUSED = {
    "a missing field": (_bent(change=None), "change"),
    "a field of another kind": (_bent(voided=hash_of("x")), "voided"),
    "an unknown field": (_bent(mood="fine"), "mood"),
    "a float": (_bent(seq=1.0), "float"),
    "a boolean as number": (_bent(seq=True), "seq"),
    "a negative number": (_bent(seq=-1), "seq"),
    "a number that is too large": (_bent(seq=2**53), "seq"),
    "a text as number": (_bent(seq="1"), "seq"),
    "null in evidence": (_bent(evidence={"a": {"b": []}}).replace(b"[]", b"null"), "null"),
    "empty evidence": (_bent(evidence={}), "evidence"),
    "evidence that is a list": (_bent(evidence=["a"]), "evidence"),
    "evidence that is too deep": (_bent(evidence=_deep(MAX_DEPTH + 1)), "levels"),
    "half a pair in evidence": (_bent(evidence={"a": "\ud83d"}), "surrogates"),
    "half a pair in a note": (_bent(note="\ud83d"), "surrogates"),
    "a note of two lines": (_bent(note="a\nb"), "one line"),
    "a note with a line separator": (_bent(note="a\u2028b"), "one line"),
    "a note that is too long": (_bent(note="a" * (MAX_NOTE + 1)), "280"),
    "an empty note": (_bent(note=""), "note"),
    "a note that is no text": (_bent(note=["a"]), "note"),
    "an oid with a line end": (_bent(prev=oid("x") + "\n"), "prev"),
    "a short oid": (_bent(prev="abc"), "prev"),
    "a time with an offset": (_bent(at="2026-11-23T10:04:05+00:00"), "instant"),
    "a time with fractions": (_bent(at="2026-11-23T10:04:05.1Z"), "instant"),
    "a time in small letters": (_bent(at="2026-11-23t10:04:05z"), "instant"),
    "a time with short numbers": (_bent(at="2026-11-3T1:4:5Z"), "instant"),
    "a time in other digits": (_bent(at="\u0662026-11-23T10:04:05Z"), "instant"),
    "a day that is not": (_bent(at="2026-02-30T10:04:05Z"), "instant"),
    "a time that is no text": (_bent(at=7), "instant"),
    "nobody": (_bent(by={}), "by"),
    "a bot that is 1": (_bent(by={"bot": 1}), "by"),
    "a person without a way": (_bent(by={"person": "ada"}), "via"),
    "a person by telepathy": (_bent(by={"person": "ada", "via": "telepathy"}), "way"),
    "one person in a list": (_bent(by=[{"person": "ada", "via": "button"}]), "two"),
    "three people": (_bent(by=[{"person": "ada", "via": "button"}] * 3), "two"),
    "a name and a name": (_bent(by=["ada", "bob"]), "object"),
    "the bot and the bot": (_bent(by=[{"bot": True}] * 2), "fields"),
    "an image without a repository": (_bent(image=[{"digest": "", "repository": "", "tag": "a"}]), "image"),
    "a tag with a space": (_bent(image=[{"digest": "", "repository": "alpine", "tag": "a b"}]), "tag"),
    "a tag that is a number": (_bent(image=[{"digest": "", "repository": "alpine", "tag": 1}]), "not text"),
    "a digest of another kind": (_bent(image=[{"digest": "md5:1", "repository": "a", "tag": "a"}]), "digest"),
    "a sighting that was perhaps before": (_sighting(before="yes"), "true or false"),
    "an empty list": (_bent(image=[]), "list"),
    "a name with capitals": (_bent(service="Web"), "service"),
    "a key with a space": (_bent(key="a b"), "key"),
    "a key beyond ASCII": (_bent(key="\u00e9"), "key"),
    "no object": (b"[]", "object"),
    "spaces": (_bent().replace(b",", b", ", 1), "canonical"),
    "keys in another order": (b'{"v":1,"a":1}', "canonical"),
    "a name twice": (b'{"a":1,"a":1}', "twice"),
    "letters that need no escape": (_bent(note="x").replace(b'"x"', b'"\\u0078"'), "canonical"),
    "bytes that are no text": (b'{"a":"\xff"}', "JSON"),
    "another encoding": ('{"a":1}'.encode("utf-16"), "canonical"),
    "not a number": (b'{"a":NaN}', "float"),
    "a number with thousands of digits": (b'{"a":' + b"1" * 5000 + b"}", "JSON"),
    "a list that never ends": (b'{"a":' + b"[" * 100_000, "JSON"),
    "a list that is very deep": (b'{"a":' + b"[" * 900 + b"]" * 900 + b"}", "."),
    "very deep evidence": (_bent(evidence={"a": "x"}).replace(b'"x"', b"[" * 800 + b"]" * 800), "."),
    "a very deep key": (_bent(key="x").replace(b'"x"', b"[" * 800 + b"]" * 800), "."),
    "a line that is too long": (b" " * (MAX_LINE + 1), "bytes"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "words"), REFUSED.values(), ids=REFUSED)
def test_a_line_of_another_form_is_refused_with_words(line: bytes, words: str) -> None:
    with pytest.raises(EntryError, match=words):
        parse(line)


@pytest.mark.parametrize(
    "line",
    [
        _bent(v=2),
        _bent(v=True),
        _bent(v="1"),
        _bent(v=None),
        _bent(kind="overturn"),
        _bent(kind=["approve"]),
    ],
    ids=["version 2", "true", "a text", "no version", "a later kind", "a list"],
)
def test_what_a_newer_program_wrote_is_told_apart(line: bytes) -> None:
    with pytest.raises(UnknownKindError):
        parse(line)


def test_a_field_that_the_kind_does_not_carry_is_not_written() -> None:
    entry = story().seen("1.1.0")

    with pytest.raises(EntryError, match="does not carry environment"):
        replace(entry, environment="staging").line()


@pytest.mark.parametrize(
    ("entry", "subject"),
    [
        (story().bump("1.1.0"), "bump: staging web (#0)"),
        (story().genesis(), "genesis: 0 (#0)"),
        (replace(story().genesis(), key="genesis/2026"), "genesis: 2026 (#0)"),
        (replace(story().seen("1.0.0"), key="seen/ABC def"), "seen: abc-def (#0)"),
        (replace(story().seen("1.0.0"), key="seen/" + "a" * 64), f"seen: {'a' * 40} (#0)"),
    ],
    ids=["a place", "an empty key", "a key's end", "other letters", "a long key"],
)
def test_a_subject_has_ids_only(entry: Entry, subject: str) -> None:
    assert entry.subject == subject


def test_times_are_written_in_utc() -> None:
    at = datetime(2026, 11, 23, 11, 4, 5, 999, tzinfo=timezone(timedelta(hours=1)))

    assert write_time(at) == "2026-11-23T10:04:05Z"
    assert parse_time("2026-11-23T10:04:05Z") == datetime(2026, 11, 23, 10, 4, 5, tzinfo=UTC)
    assert replace(story().genesis(), at="2026-11-23T10:04:05Z").time == parse_time("2026-11-23T10:04:05Z")


def test_an_image_reads_as_a_manifest_would_write_it() -> None:
    assert str(pinned("1.0.0", digest="")) == "ghcr.io/example/web:1.0.0"
    assert str(pinned("1.0.0")) == f"ghcr.io/example/web:1.0.0@{pinned('1.0.0').digest}"
    assert digests_of((pinned("a"), pinned("b"))) == f"{pinned('a').digest}+{pinned('b').digest}"


def test_an_image_is_exact_with_tag_and_digest() -> None:
    assert is_exact((pinned("a"),))
    assert not is_exact(())
    assert not is_exact((pinned("a"), pinned("b", digest="")))
    assert not is_exact((replace(pinned("a"), tag=""),))


def test_who_spoke_carries_only_what_is_linked() -> None:
    entry = story().propose("1.1.0")

    assert json.loads(entry.line())["by"] == {
        "person": "carol",
        "slack": {"team": "T0", "user": "U0CAROL"},
        "via": "button",
    }
    named = json.loads(replace(entry, by=person("ada")).line())
    assert named["by"]["forge"] == {"id": 583, "login": "ada-l"}


@pytest.mark.parametrize(
    "text",
    [
        '"a\x7fb"',
        '{"b":1,"a":2}',
        "1.5",
        "1e3",
        '{"a":1,"a":1}',
        "[1, 2]",
        "18446744073709551616.0",
        "-0",
        "null",
    ],
    ids=["delete", "order", "float", "exponent", "twice", "space", "large", "minus", "null"],
)
def test_what_is_not_canonical_is_refused_however_fast_it_is_read(text: str) -> None:
    line = f'{{"at":"2026-11-23T10:00:00Z","by":{{"bot":true}},"evidence":{{"x":{text}}},"key":"shown/1","kind":"shown","prev":"","seq":1,"shown":[{{"channel":"C1","message":"1.1","seq":1,"what":"card/1"}}],"v":1}}'  # noqa: E501

    with pytest.raises(EntryError):
        parse(line.encode())
    assert parse(line.replace(text, '"x"').encode()).seq == 1
