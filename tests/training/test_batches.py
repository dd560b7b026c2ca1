from dataclasses import replace

import numpy as np
import pytest

from bot.emotion import Emotion
from bot.vocabulary import UNKNOWN
from training.batches import Batches, padded, row_weights
from training.config import NetworkConfig
from training.rows import Row, Source

CONFIG = NetworkConfig(lengths=(3, 6), batch=4, word_dropout=0.0)


def row(source: Source, label: Emotion) -> Row:
    return Row("글", label, None, source, "묶음")


def epoch(words: list[list[int]], config: NetworkConfig = CONFIG, seed: int = 1) -> list[np.ndarray]:
    targets = np.eye(5, dtype=np.float32)[[0] * len(words)]
    return [ids for ids, _, _ in Batches(words, targets, np.ones(len(words), np.float32), config, seed)]


def test_every_text_is_in_an_epoch_at_its_length() -> None:
    words = [[number + 2] * (1 + number % 6) for number in range(13)]
    batches = epoch(words)
    assert {ids.shape for ids in batches} == {(4, 3), (4, 6)}
    seen = {tuple(ids[ids > 0]) for batch in batches for ids in batch}
    assert seen == {tuple(one) for one in words}
    assert all((batch[:, 3:] > 0).any(axis=1).all() for batch in batches if batch.shape[1] == 6)


def test_the_same_seed_gives_the_same_epochs_and_no_two_epochs_are_alike() -> None:
    words = [[number + 2, 9] for number in range(40)]
    targets, weights = np.zeros((40, 5), np.float32), np.ones(40, np.float32)
    one, other = (Batches(words, targets, weights, CONFIG, 7) for _ in range(2))
    first, second = (np.concatenate([ids for ids, _, _ in one]) for _ in range(2))
    assert np.array_equal(first, np.concatenate([ids for ids, _, _ in other]))
    assert not np.array_equal(first, second)


def test_hidden_words_become_unknown_but_padding_stays() -> None:
    hidden = epoch([[5], [5, 6, 7]], replace(CONFIG, word_dropout=1.0))
    assert {tuple(ids) for batch in hidden for ids in batch} == {(UNKNOWN, 0, 0), (UNKNOWN,) * 3}


def test_padded() -> None:
    assert padded([[1, 2], []], 3).tolist() == [[1, 2, 0], [0, 0, 0]]


def test_a_label_rare_in_its_source_counts_more_and_each_source_weighs_its_rows() -> None:
    rows = [row("chatbot", Emotion.SADNESS)] * 4 + [row("chatbot", Emotion.ANGER)] + [row("line", Emotion.ANGER)] * 3
    weights = row_weights(rows, 0.5)
    assert weights[4] / weights[0] == pytest.approx(2.0)  # (1 / 4) ** -0.5
    assert weights[:5].mean() == pytest.approx(1.0)
    assert weights[5:] == pytest.approx(1.0)
    assert row_weights(rows, 0.0) == pytest.approx(1.0)
