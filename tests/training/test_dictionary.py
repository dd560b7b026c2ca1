import numpy as np
import pytest
from gensim.models import KeyedVectors

from bot.emotion import FEELINGS
from training.config import DictionaryConfig
from training.dictionary import grow
from training.stage import StageError

# Two dimensions are enough: sadness to the right, anger up, denial left, indifference down.
VECTORS = {
    "슬프다/VA": (1.0, 0.0),
    "눈물/NNG": (0.9, 0.1),
    "화나다/VV": (0.0, 1.0),
    "짜증/NNG": (0.6, 0.8),
    "기다리다/VV": (-1.0, 0.0),
    "담담/XR": (0.0, -1.0),
    "죽음/NNG": (1.0, 0.0),
    "을/JKO": (1.0, 0.0),
    "딴말/NNG": (0.0, 1.0),
}
SEEDS = {"sadness": ("슬프다",), "denial": ("기다리다",), "anger": ("화나다",), "indifference": ("담담",)}


@pytest.fixture
def vectors() -> KeyedVectors:
    found = KeyedVectors(2)
    found.add_vectors(list(VECTORS), np.array(list(VECTORS.values()), np.float32))
    return found


def test_a_word_goes_to_the_emotion_it_is_nearest_to(vectors: KeyedVectors) -> None:
    lists = grow(vectors, DictionaryConfig(seeds=SEEDS))
    assert list(lists) == list(FEELINGS)
    assert list(lists["sadness"]) == ["슬프다/VA", "눈물/NNG"]  # nearest first
    assert lists["anger"]["짜증/NNG"] == pytest.approx(0.8)  # 0.6 to sadness


def test_words_that_bind_and_words_of_death_are_in_no_list(vectors: KeyedVectors) -> None:
    lists = grow(vectors, DictionaryConfig(seeds=SEEDS))
    assert not {"을/JKO", "죽음/NNG"} & {token for words in lists.values() for token in words}


def test_only_words_near_enough_are_listed(vectors: KeyedVectors) -> None:
    near = grow(vectors, DictionaryConfig(seeds=SEEDS, similarity=0.9))
    assert "짜증/NNG" not in near["anger"]
    assert all(similarity >= 0.9 for words in near.values() for similarity in words.values())


def test_a_seed_the_corpus_uses_otherwise_is_left_out(vectors: KeyedVectors) -> None:
    seeds = {**SEEDS, "sadness": ("슬프다", "눈물", "딴말")}
    lists = grow(vectors, DictionaryConfig(seeds=seeds, similarity=0.6))
    assert "딴말/NNG" not in lists["sadness"]
    assert "딴말/NNG" in lists["anger"]


def test_seeds_that_are_all_unknown_are_said(vectors: KeyedVectors) -> None:
    with pytest.raises(StageError, match="denial"):
        grow(vectors, DictionaryConfig(seeds={**SEEDS, "denial": ("없는말",)}))
