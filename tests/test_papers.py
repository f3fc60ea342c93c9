"""Papers that are made from code say what the code says."""

from pathlib import Path

import pytest

from policies.codes import MEANINGS, Code
from policies.images.evidence import Silent
from policies.images.selection import Fate
from policies.ledger.state import LIVE, TRANSITIONS, Stage
from scripts.papers import FATES, PAPERS, SILENCES, architecture, states

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("path", PAPERS)
def test_a_paper_says_what_the_code_says(path: str) -> None:
    assert (ROOT / path).read_text() == PAPERS[path](), "run `make papers`"


def test_every_code_has_its_meaning() -> None:
    assert set(MEANINGS) == set(Code)
    assert set(FATES) == set(Fate)
    assert set(SILENCES) == set(Silent)


def test_the_diagram_has_an_arrow_for_each_step_and_each_ending() -> None:
    drawn = states()

    for (stage, kind), to in TRANSITIONS.items():
        (arrow,) = [line for line in drawn.splitlines() if line.startswith(f"    {stage} --> {to}: ")]
        assert kind.value in arrow
    for stage in Stage:
        assert (f"    {stage} --> [*]" in drawn.splitlines()) is (stage not in LIVE)


def test_a_diagram_that_is_missing_is_put_back() -> None:
    assert "stateDiagram-v2" in architecture()
    assert architecture().count("<!-- states -->") == 1
