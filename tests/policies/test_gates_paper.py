"""The gates as docs/gates.md tells them, beside the table and the settings that the code has."""

from pathlib import Path

from policies.gates import TABLE, Before
from policies.rulebook.outside_gates import KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "gates.md").read_text("utf-8")
COLUMNS = {
    "alone": Before.ALONE,
    "request": Before.ASKED,
    "offer": Before.OFFERED,
    "merge": Before.MERGED,
    "rollback": Before.ROLLED_BACK,
}


def _table(first: str) -> list[dict[str, str]]:
    """Return the rows of the page's table whose first column has this name."""
    lines = PAGE[PAGE.index(f"| {first} |") :].split("\n\n", 1)[0].splitlines()
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_the_page_has_every_gate_with_what_it_looks_at_says_and_stands_before() -> None:
    said = [
        (
            row["gate"],
            row["asks"],
            row["looks at"],
            row["codes"].replace("`", "").split(", "),
            {stand for name, stand in COLUMNS.items() if row[name] == "x"},
            row["skipped by"].strip("`").replace("nobody", ""),
        )
        for row in _table("gate")
    ]

    assert said == [
        (
            row.name,
            row.question.replace("``", "`"),
            row.needs,
            [code.value for code in row.codes],
            {stand for stand in Before if stand in row.before},
            row.skip,
        )
        for row in TABLE
    ]


def test_the_page_has_every_setting_of_the_gates_that_ask_outside() -> None:
    said = [
        (row["kind"], row["setting"], row["is"], row["required"] == "yes")
        for row in ({key: cell.strip("`") for key, cell in one.items()} for one in _table("kind"))
    ]

    assert said == [
        (kind, name, setting.expected, setting.is_required)
        for kind, settings in KINDS.items()
        for name, setting in settings.items()
    ]


def test_the_columns_of_the_page_are_all_that_a_gate_can_stand_before() -> None:
    assert set(COLUMNS.values()) == set(Before)
