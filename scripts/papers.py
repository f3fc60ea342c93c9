"""Write the papers that are made from code, reason codes and the schema of the rules; a test holds them equal."""

from pathlib import Path

from policies import rules_schema
from policies.codes import MEANINGS
from policies.evidence import Silent
from policies.selection import Fate
from policies.state import ENDINGS, LIVE, TRANSITIONS, Stage

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


def _table(rows: dict[str, str]) -> str:
    return "| code | means |\n|---|---|\n" + "\n".join(
        f"| `{code}` | {means} |" for code, means in rows.items()
    )


PAPERS = {
    "docs/architecture.md": architecture,
    "docs/codes.md": codes,
    rules_schema.PATH: rules_schema.schema,
}

if __name__ == "__main__":
    for path, text in PAPERS.items():
        (ROOT / path).write_text(text())
