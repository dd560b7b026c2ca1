import numpy as np
import pytest

from bot.bundle import Bundle
from bot.meaning import Meanings
from bot.text import morphemes
from bot.vocabulary import FIRST


def of(meanings: Meanings, text: str) -> np.ndarray:
    return meanings.of(morphemes(text))


def test_a_meaning_is_a_unit_vector(meanings: Meanings, bundle: Bundle) -> None:
    vector = of(meanings, "비 오는 날 우산을 두고 왔다")
    assert vector.shape == (meanings.dimensions,) == bundle.vectors.shape[1:]
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", ["", "을", "!?", "ⴰⵣⵓⵍ"])
def test_a_text_that_names_nothing_known_has_no_meaning(meanings: Meanings, text: str) -> None:
    assert not of(meanings, text).any()


def test_words_that_only_bind_and_signs_do_not_count(meanings: Meanings) -> None:
    bare, bound = meanings.of(["우산/NNG", "비/NNG"]), of(meanings, "우산과 비는!")
    assert bound == pytest.approx(bare, abs=1e-6)


def test_the_order_of_words_does_not_count(meanings: Meanings) -> None:
    assert meanings.of(["비/NNG", "우산/NNG"]) == pytest.approx(meanings.of(["우산/NNG", "비/NNG"]), abs=1e-6)


def test_a_rare_word_outweighs_a_frequent_one(meanings: Meanings, bundle: Bundle) -> None:
    frequent, rare = "나/NP", "우산/NNG"
    counts = bundle.words.counts
    assert counts[bundle.words.ids([frequent])[0] - FIRST] > 10 * counts[bundle.words.ids([rare])[0] - FIRST]
    both = meanings.of([frequent, rare])
    assert both @ meanings.of([rare]) > both @ meanings.of([frequent])


def test_a_text_means_more_what_a_near_text_means(meanings: Meanings) -> None:
    asked, near, far = (
        of(meanings, text) for text in ("비 오는 날 우산", "소나기에 젖은 우비", "회사에서 승진한 부장")
    )
    assert asked @ near > asked @ far


def test_each_gives_a_row_a_token(meanings: Meanings) -> None:
    tokens = ["우산/NNG", "비/NNG", "ⴰ/SY"]
    rows = meanings.each(tokens)
    assert rows.shape == (3, meanings.dimensions)
    for token, row in zip(tokens, rows, strict=True):
        assert row == pytest.approx(meanings.of([token]), abs=1e-6)
