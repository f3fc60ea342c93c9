"""Write the papers that are made from code, reason codes and the schema of the rules; a test holds them equal."""

from pathlib import Path

from handlers.inputs import INPUTS
from policies.audit_codes import CODES, Means
from policies.codes import MEANINGS
from policies.gates import TABLE, Before
from policies.images.evidence import Silent
from policies.images.selection import Fate
from policies.ledger.state import ENDINGS, LIVE, TRANSITIONS, Stage
from policies.rulebook import schema as rules_schema
from policies.rulebook.outside_gates import KINDS

ROOT = Path(__file__).parents[1]

FATES = {
    Fate.SELECTED: "the selection takes it",
    Fate.OLDER: "it fits, and something newer fits as well",
    Fate.NOT_A_TAG: "the name is empty or cannot be shown",
    Fate.FILTERED: "the `tags` pattern does not match",
    Fate.SAME_VALUE: "another tag has the same extracted value",
    Fate.NOT_A_VERSION: "it does not read as a version of three parts",
    Fate.OUT_OF_RANGE: "it lies outside the range",
    Fate.PRERELEASE: "a prerelease, and the range names none",
    Fate.NOT_A_NUMBER: "it does not read as a number",
    Fate.BUILD_UNREAD: "`newest-build`: when it, or another tag, was built was not looked up yet: nothing is chosen",
    Fate.BUILD_UNKNOWN: "`newest-build`: neither its configuration nor an annotation says when it was built",
    Fate.BUILD_UNTRUSTED: "`newest-build`: the time is before 2013, as reproducible builds write it, or in the future",
    Fate.UNDECIDED: "the selection failed as a whole",
}
SILENCES = {
    Silent.UNREACHABLE: "the registry could not be reached, or broke off",
    Silent.SLOW: "the registry did not answer in time",
    Silent.DENIED: "the registry asks for a login that works",
    Silent.UNKNOWN: "the registry has no such repository",
    Silent.NO_SUCH_TAG: "the registry has no such tag",
    Silent.INVALID: "the registry answered something that cannot be used",
    Silent.REFUSED: "plain HTTP, a private address or a redirect that the rules do not allow",
    Silent.THROTTLED: "the registry asked us to slow down",
}


_TIMES = """\
Schemas `countersign.plan/1` and `countersign.why/1`; times are UTC, as RFC 3339 writes them.
Where services move as one, `plan` has `groups` beside `rows`: rows of the same shape, each with its `group`, \
and with the `members` that a candidate moves.

| field | of | means |
|---|---|---|
| `until` | a version | the latest time of all that waits, what only people answer set aside (`not-requested`, \
`approvals-missing`, `review-missing`, `waiting-for-a-go`): earlier it cannot move. `null` where anything else has no \
known time or is refused, and where nothing but people is missing |
| `until` | a reason | when time alone opens it, else `null` |
| `expires` | a version | when its request is over, else `null` |
| `next` | a version that waits | what happens next, for people; its words may change |
| `since` | a place | since when what runs there runs there, where it is known |"""


def codes() -> str:
    """Return docs/codes.md."""
    parts = [
        "# Reason codes",
        "Stable words: in `plan --json`, `why`, cards and the ledger. Made from the code by `scripts/papers.py`.",
        "## What may happen, and what a person may do",
        _table({code.value: meaning for code, meaning in MEANINGS.items()}),
        "## Versions that the selection passed over",
        _table({code.value: meaning for code, meaning in FATES.items()}),
        "## Registries that say nothing",
        _table({code.value: meaning for code, meaning in SILENCES.items()}),
        "## Times in `plan --json` and `why --json`",
        _TIMES,
        "## Steps of a promotion",
        "| from | entry | to |\n|---|---|---|\n"
        + "\n".join(f"| {stage} | `{kind}` | {to} |" for (stage, kind), to in TRANSITIONS.items()),
    ]
    return "\n\n".join(parts) + "\n"


def states() -> str:
    """Return the diagram of a promotion's states (Mermaid, as Git hosts draw it)."""
    lines = [f"    [*] --> {Stage.OPEN}: propose, rollback"]
    arrows: dict[tuple[Stage, Stage], list[str]] = {}
    for (stage, kind), to in TRANSITIONS.items():
        arrows.setdefault((stage, to), []).append(kind.value)
    for why, to in ENDINGS.items():
        arrows.setdefault((Stage.OPEN, to), []).append(f"ended, {why}")
    lines += [f"    {one} --> {to}: {' or '.join(kinds)}" for (one, to), kinds in arrows.items()]
    lines += [f"    {stage} --> [*]" for stage in Stage if stage not in LIVE]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def architecture() -> str:
    """Return docs/architecture.md with the diagram as the code has it."""
    begins, ends = "<!-- states -->\n", "\n<!-- end of states -->"
    before, _, rest = (ROOT / "docs/architecture.md").read_text().partition(begins)
    return before + begins + states() + ends + rest.partition(ends[1:])[2]


def _coded(word: str) -> str:
    return f"`{word}`"


def _table(rows: dict[str, str]) -> str:
    return "| code | means |\n|---|---|\n" + "\n".join(
        f"| `{code}` | {means} |" for code, means in rows.items()
    )


GATES_BEGIN = """\
# Gates

A gate is a question that is asked before something moves. Its answer is *passed*, *waiting* (with a time where time
alone opens it) or *failed*, and always has a code ([codes.md](codes.md)). What is not known waits; it never passes.
`decide`, `plan`, `why`, the cards and the entry validator ask the same functions, so that there is no way around
them. Made from the code by `scripts/papers.py`.

A column says what the gate stands before: a move by the bot **alone**, somebody's **request**, the **offer** of a
version where people are asked, the **merge** of what was approved, a **rollback**. The last column is the word in
`skips` of `emergency` and `rollback` that passes it; a rollback passes all that have one, unless its `skips` names
some; an emergency passes only what its `skips` names.

"""
GATES_END = """

## Gates that ask outside

`gates:` is a list; each is asked by the bot at most once a minute for what could move, and what it answered stands
in the entry as evidence, so that anybody can follow the decision without the network. An answer of more than ten
minutes ago is unknown.

Where people are asked, they are told what waits before they press: for each service and environment the newest
versions before which nothing else stands are asked about, down to the first that passes and three at most. Such an
answer is kept in the index and asked for again after five minutes; about a digest (`signature`, `labels`,
`platforms`) after half an hour where it failed and twelve hours where it passed, and counts for a day there. A
version that waits has its card, which says for what; one of which an answer is not known yet, or has failed, has
none, and `why` says so. Before the merge each gate is asked anew, whatever was known before. Checks on the `head`
are asked once there is a pull request. In one pass 16 gates are asked: what moves next first, then what was asked
longest ago. Each answer counts from the moment at which it came. After three minutes no gate's turn comes any more, and
no registry is asked for a gate; a request that is under way then is the last, and takes four minutes at most. So the
first answer is not too old to move by when the last is there. What had no turn has it in the next pass.

"""
GATES_ADD = """

`<environment>`, `<service>`, `<version>` and `<digest>` in an address or a query are replaced. Addresses are those
of the rules and nothing else: no redirect is followed, plain HTTP and private addresses are refused unless
`registries:` allows them for the host (`http: true`, `private: true`), an answer may have 256 KB and take 8
seconds.

- `http` passes on status 200, and where `is` names texts, if the body is one of them (or the place in it that `json`
  names).
- `prometheus` passes where the query has a result and every number of it compares.
- `signature` looks for what cosign leaves beside the image: at the tag `sha256-<digest>.sig`, and as what refers to
  the digest, listed by the registry or at the tag `sha256-<digest>`. One that fits is enough; garbage beside it
  counts for nothing. Attestations of something else are no signatures. See below for who may sign.
- `labels` have to stand in the annotations of the image's index, or in the labels of all its platforms.
- `checks` are commit statuses or check runs on the `source` commit (the image's label
  `org.opencontainers.image.revision`, in the service's `source`), on the pull request's `head`, or on the tip of the
  `target` branch.

## Who may sign

By a key: `cosign sign --key`, ECDSA, Ed25519 or RSA. The log is not asked. At the tag the payload has to name this
digest in this repository; a bundle names the digest alone.

```yaml
gates:
  - signature:
      key: |
        -----BEGIN PUBLIC KEY-----
        ...
        -----END PUBLIC KEY-----
```

By an identity (keyless): `cosign sign` in a workflow, or by a person. `identity` is the certificate's name as a whole,
or one of a list; `identity-pattern` is an RE2 pattern that it fits as a whole; `issuer` vouches for it.

```yaml
gates:
  - signature:
      identity: https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main
      issuer: https://token.actions.githubusercontent.com
      trust-root: promotion/trusted_root.json
```

`trust-root` is a `trusted_root.json`: that of the public Sigstore, as its TUF repository hands it out, or of a private
one. Whom to trust is reviewed like a rule, and nothing is asked of the network. It is read from the end of the
target branch; `CODEOWNERS` should guard it like the rules. The certificate has to lead to its authority, at the time
of the log or of a timestamp, and to stand in its log of certificates; the signature has to stand in its log. The
answer names who signed and the trust root's hash, and so does the entry that rests on it.

It needs `countersign[sigstore]`: `pip install --require-hashes --requirement requirements/sigstore.txt` in place of
`run.txt`; for the image of `deploy/Containerfile` the argument `--build-arg REQUIREMENTS=sigstore`. Where it is
missing the gate waits with `sigstore-missing`; where the file is missing, with `trust-root-missing`, and
`countersign lint` names its line. `countersign doctor` looks at both.

## How to add one

1. Write the question as a function of a `Case` in a small module of `policies/gates/`: its docstring is the
   question, its answer a verdict. It may look at rules, ledger, time and facts, never at a clock, a disk or the
   network.
2. Give it its code and what that means in `policies/codes.py`.
3. Give it a row in `TABLE` of `policies/gates/table.py`: its name, what it stands before, the word that skips it.
   One that time or a person closes is named in `STILL` there, too: it is asked again of a merge that people make.
4. Give it its cases in `tests/policies/gate_time_cases.py`: a test asks that every gate has some, and that each
   code is given once. One that nothing may skip is named in `tests/policies/test_gate_laws.py` too, and so is what
   each is asked of that may not be known; `tests/policies/gate_stops.py` puts it in the way of a move and a merge.
5. Where it asks outside, its question is a method of `Outside` in `bot/looking/outside.py`, with its row in the table
   there, and its settings, if it has any, stand in `policies/rulebook/outside_gates.py`. Its function is named in
   `GATES` of `policies/gates/outside.py`, and its kind in `OF_CONTENT` where it asks about a digest alone.
6. Where it is worth a trailer (`Gate-Soak: passed 3h12m`), `policies/gates/notes.py` says so.
7. `make papers`. The gate *platforms* was added by this list.
"""


def gates() -> str:
    """Return docs/gates.md."""
    columns = {
        "alone": Before.ALONE,
        "request": Before.ASKED,
        "offer": Before.OFFERED,
        "merge": Before.MERGED,
        "rollback": Before.ROLLED_BACK,
    }
    head = f"| gate | asks | looks at | codes | {' | '.join(columns)} | skipped by |\n|---|---|---|---|{'---|' * 6}\n"
    rows = [
        f"| {row.name} | {row.question.replace('``', '`')} | {row.needs} | {', '.join(map(_coded, row.codes))} | "
        + " | ".join("x" if one in row.before else "" for one in columns.values())
        + f" | {_coded(row.skip) if row.skip else 'nobody'} |"
        for row in TABLE
    ]
    kinds = [
        f"| `{kind}` | `{name}` | {setting.expected} | {'yes' if setting.is_required else ''} |"
        for kind, settings in KINDS.items()
        for name, setting in settings.items()
    ]
    outside = "| kind | setting | is | required |\n|---|---|---|---|\n" + "\n".join(kinds)
    return GATES_BEGIN + head + "\n".join(rows) + GATES_END + outside + GATES_ADD


VERIFY_BEGIN = """\
# What verify finds

`countersign verify REPOSITORY` reads the ledger of all years from a clone alone, asks of every entry whether it
was allowed in the state that it followed, and holds the target branch against the entries, both ways. It needs no
network but the clone's own. How far it is stands on stderr, a line for every 500 entries or commits; findings
stand on stdout, by what they mean, the gravest first, each with its code, at least 8 digits of its commit, and `#`
its entry's number where it is about one. Below the findings of a code stand what was expected and what one does
next. Made from the code by `scripts/papers.py`.

| exit code | means |
|---|---|
| 0 | nothing was found; a note is no finding |
| 1 | something was found |
| 2 | wrong use or settings |
| 3 | the repository could not be read: nothing is known |

A commit that moves no image is no finding. Notes tell what is odd and was explained or decides nothing: an end of
the ledger that a `fork` gave up, trailers that are copied or made up, a merge of what was approved whose entries may
still come (for an hour; then it is `unrecorded-move`), a move that raced with a change of the rules, by at most five
minutes, entries that are dated out of their order by more than that, a service that moved while the rules had left it
out, or that they look for in another place or under another name now (`rules #13: ... unseen by rules`).

`--since TIME` holds only what may have come then or later against the target branch; the ledger itself is always read
whole. What came later is said by the order, not by dates: every entry behind the first of that time, or of which those
around it say so, and every commit behind the last one that an older entry names. So a commit that was dated back is
looked at. Take the time that the run before printed last (`newest`).

"""
VERIFY_JSON = """\
## Attested from outside

What was looked up outside of the clone at the time nobody can look up again. It stands in the entry, is counted
apart in the sum, and by who said it: `chat` (flags of accounts), `forge` (accounts, reviews, pull requests,
authors), `teams` (memberships), `registry`, `health`, `gates` (that ask outside), `other input`. An entry may rest
on several. Everything else is re-performed.

## `countersign.verify/1`

With `--json` one object. Fields may be added; one that is there keeps its meaning, or the number goes up.

| field | is |
|---|---|
| `schema` | `countersign.verify/1` |
| `tip` | the last entry's commit, 40 digits; `""` where there is none |
| `newest` | the time of the newest entry, of those whose times fit: for the next `--since`; `""` where there is none |
| `entries`, `commits` | how many were read; commits: of the target branch since the ledger, or `--since`, begins |
| `attested` | how many entries rest on a look outside of the clone |
| `attested_by` | object: who said so, and how many entries rest on that |
| `notes` | list of lines |
| `findings` | list of objects, as below |
| `findings[].what` | the code, from the tables above |
| `findings[].means` | `record`, `unknown-move`, `other-move` or `unreviewed`: the heading |
| `findings[].oid`, `findings[].seq` | its commit, at least 8 digits; the entry's number, 0 where it is none |
| `findings[].text` | what was found |
| `findings[].expected`, `findings[].next` | as in the tables |
"""


def verify() -> str:
    """Return docs/verify.md."""
    parts = []
    for means in Means:
        head = "| code | finds | expected | next |\n|---|---|---|---|\n"
        rows = [
            f"| `{code}` | {one.what} | {one.expected} | {one.then} |"
            for code, one in CODES.items()
            if one.means is means
        ]
        parts.append(f"## {means}\n\n{head}" + "\n".join(rows))
    return VERIFY_BEGIN + "\n\n".join(parts) + "\n\n" + VERIFY_JSON


INPUTS_BEGIN = """\
# What comes from outside

Every input, who reads it, and what becomes of it where it cannot be read: malformed, of another form, too large.
In every case the process goes on. A reason says what was expected; bodies and secrets stand in no log and in no
entry: a `quarantine` has a hash, who sent it, what it was about and what is wrong. The same junk is noted once; of
one day at most 20 entries are written, by the validator, and at most 50 notes are kept until then. Made from the
code by `scripts/papers.py`; a test sends each of them.

| input | read by | what becomes of it | told |
|---|---|---|---|
"""


def inputs() -> str:
    """Return docs/inputs.md."""
    rows = [f"| {one.name} | `{one.reader}` | {one.fate} | {one.told} |" for one in INPUTS]
    return INPUTS_BEGIN + "\n".join(rows) + "\n"


PAPERS = {
    "docs/architecture.md": architecture,
    "docs/codes.md": codes,
    "docs/gates.md": gates,
    "docs/inputs.md": inputs,
    "docs/verify.md": verify,
    rules_schema.PATH: rules_schema.schema,
}

if __name__ == "__main__":
    for path, text in PAPERS.items():
        (ROOT / path).write_text(text())
