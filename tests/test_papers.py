"""Papers that are made from code say what the code says."""

from pathlib import Path

import pytest

from policies.codes import MEANINGS, Code
from policies.evidence import Silent
from policies.selection import Fate
from scripts.papers import FATES, PAPERS, SILENCES

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("path", PAPERS)
def test_a_paper_says_what_the_code_says(path: str) -> None:
    assert (ROOT / path).read_text() == PAPERS[path](), "run `make papers`"


def test_every_code_has_its_meaning() -> None:
    assert set(MEANINGS) == set(Code)
    assert set(FATES) == set(Fate)
    assert set(SILENCES) == set(Silent)
