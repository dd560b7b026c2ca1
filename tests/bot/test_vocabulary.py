from pathlib import Path

import pytest

from bot.bundle import Bundle
from bot.vocabulary import FIRST, UNKNOWN, Vocabulary

WORDS = Vocabulary(["헤어지다/VV", "자/E", "빡/+", "치/+"], [30, 20, 3, 2])


def test_ids_follow_the_order_of_the_list_after_padding_and_unknown() -> None:
    assert WORDS.ids(["자/E", "헤어지다/VV"]) == [FIRST + 1, FIRST]
    assert len(WORDS) == len(WORDS.tokens) + FIRST


def test_a_word_that_is_not_in_the_list_is_read_through_its_parts_in_its_place() -> None:
    assert WORDS.ids(["헤어지다/VV", "빡치다/VV", "자/E"]) == [FIRST, FIRST + 2, FIRST + 3, UNKNOWN, FIRST + 1]


def test_no_token_vanishes() -> None:
    assert WORDS.ids(["뷁/NNG"]) == [UNKNOWN]
    assert WORDS.ids([]) == []


@pytest.mark.parametrize("token", ["//SY", " ", "#", '"', "'", "가"])
def test_any_token_survives_the_file(token: str, tmp_path: Path) -> None:
    Vocabulary([token, "끝/NNG"], [2, 1]).write(tmp_path / "words.txt")
    read = Vocabulary.read(tmp_path / "words.txt")
    assert read.tokens == (token, "끝/NNG")
    assert read.counts == (2, 1)


def test_the_shipped_list_holds_no_token_twice(bundle: Bundle) -> None:
    assert len(set(bundle.words.tokens)) == len(bundle.words.tokens)
    assert min(bundle.words.counts) > 0
    assert len(bundle.vectors) == len(bundle.words.tokens)
    assert all(token in bundle.words for token in bundle.dictionary)
