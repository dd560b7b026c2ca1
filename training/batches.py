"""Windows of ids as what an LSTM is fed: padded, with soft targets and weights, in shuffled batches of a few fixed lengths."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

# Before TensorFlow is imported: without oneDNN's re-ordered sums the same seed gives the same weights.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bot.emotion import EMOTIONS, Encoder, Window
from bot.vocabulary import UNKNOWN
from training.config import NetworkConfig
from training.dataset import Row

Ids = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Readable:
    """Rows in which something can be read, each with the window that stands for it."""

    rows: list[Row]
    windows: list[Window]

    @property
    def words(self) -> list[list[int]]:
        return [window.words for window in self.windows]

    @property
    def truth(self) -> NDArray[np.float32]:
        """(rows, 5), 1 at the label."""
        return np.eye(len(EMOTIONS), dtype=np.float32)[[EMOTIONS.index(row.label) for row in self.rows]]


def readable(encoder: Encoder, rows: Sequence[Row]) -> Readable:
    """Of a text longer than a window the last one stands for it: on which it ends (annotation guide, rule 9)."""
    found = [(row, windows[-1]) for row in rows for _, windows in [encoder.encode(row.text)] if windows]
    return Readable([row for row, _ in found], [window for _, window in found])


def padded(ids: Sequence[Sequence[int]], length: int) -> Ids:
    """(texts, length), 0 where a text has ended."""
    rows = np.zeros((len(ids), length), np.int32)
    for row, one in zip(rows, ids, strict=True):
        row[: len(one)] = one
    return rows


def row_weights(rows: Sequence[Row], power: float) -> NDArray[np.float32]:
    """Weights with mean 1 in each source: a label that is rare in its source counts more, frequency ** -power.

    Within its source, for the sources differ: half of the public rows are sadness, ours are balanced.
    """
    counts = Counter((row.source, row.label) for row in rows)
    weights = np.array([counts[row.source, row.label] ** -power for row in rows], np.float32)
    sources = np.array([row.source for row in rows])
    for source in set(sources.tolist()):
        weights[sources == source] /= weights[sources == source].mean()
    return weights


class Batches:
    """An epoch's shuffled batches, another at every pass, each of one of the lengths of `NetworkConfig.lengths`.

    So little is spent on padding. A length's last batch is filled up with further texts of that length.
    """

    def __init__(
        self,
        words: Sequence[Sequence[int]],
        targets: NDArray[np.float32],
        weights: NDArray[np.float32],
        config: NetworkConfig,
        seed: int,
    ) -> None:
        self._ids = padded(words, config.lengths[-1])
        self._targets, self._weights, self._config = targets, weights, config
        self._bucket = np.searchsorted(config.lengths, [len(one) for one in words])
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        """Batches of an epoch."""
        return sum(ceil(int(count) / self._config.batch) for count in np.bincount(self._bucket))

    def __iter__(self) -> Iterator[tuple[Ids, NDArray[np.float32], NDArray[np.float32]]]:
        batches = [
            (length, batch)
            for bucket, length in enumerate(self._config.lengths)
            for batch in self._full(np.flatnonzero(self._bucket == bucket))
        ]
        for number in self._random.permutation(len(batches)):
            length, chosen = batches[number]
            words = self._ids[chosen, :length]
            hidden = (self._random.random(words.shape) < self._config.word_dropout) & (words > 0)
            yield np.where(hidden, UNKNOWN, words), self._targets[chosen], self._weights[chosen]

    def dataset(self) -> tf.data.Dataset:
        """All epochs, one after the other."""
        shapes = (
            tf.TensorSpec((self._config.batch, None), tf.int32),
            tf.TensorSpec((self._config.batch, len(EMOTIONS)), tf.float32),
            tf.TensorSpec((self._config.batch,), tf.float32),
        )
        return tf.data.Dataset.from_generator(self.__iter__, output_signature=shapes).repeat()

    def _full(self, texts: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
        if len(texts):
            lacking = -len(texts) % self._config.batch
            order = np.concatenate([self._random.permutation(texts), self._random.choice(texts, lacking)])
            yield from np.split(order, len(order) // self._config.batch)
