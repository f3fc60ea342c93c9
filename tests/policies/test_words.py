"""The words: values that can neither change nor be taken for one another."""

from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import get_args

import pytest

from policies import words
from policies.words import Approve, Pair, Speaker, Unapprove, Word

CLASSES = [one for one in vars(words).values() if is_dataclass(one) and one.__module__ == words.__name__]


def test_every_class_of_the_module_but_the_speaker_is_a_word() -> None:
    assert {*get_args(Word), *get_args(Pair), Speaker} == set(CLASSES)


@pytest.mark.parametrize("word", CLASSES)
def test_a_word_does_not_change(word: type) -> None:
    said = word(**{one.name: "" for one in fields(word)})

    with pytest.raises(FrozenInstanceError):
        setattr(said, fields(word)[0].name, "other")


def test_words_of_the_same_text_are_not_the_same() -> None:
    said: set[Word] = {Approve("a"), Unapprove("a"), Approve("a")}

    assert len(said) == 2
