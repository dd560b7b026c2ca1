"""The networks. The default's LSTM has two forms with the same weights: with a mask for training, without for ONNX.

A mask makes tf2onnx write the LSTM as a Loop, several times slower (docs/design.md). So every layer gives on a padded,
masked text what it gives on the same text unpadded.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from training.config import NetworkConfig

Tensor = Any


class _OverTime(layers.Layer):  # type: ignore[misc]
    """A layer that takes time away, and the mask with it."""

    supports_masking = True

    def compute_mask(self, _states: Tensor, _mask: Tensor | None = None) -> None:
        """No mask is left."""


class Largest(_OverTime):
    """Maximum over time, (batch, time, n) → (batch, n); padded states, where they are told, never win."""

    def call(self, states: Tensor, present: Tensor | None = None) -> Tensor:
        return ops.max(states if present is None else states - (1 - present) * 1e4, axis=1)


class Average(_OverTime):
    """Mean over time of what is no padding, (batch, time, n) → (batch, n)."""

    def call(self, states: Tensor, present: Tensor | None = None) -> Tensor:
        if present is None:
            return ops.mean(states, axis=1)
        return ops.sum(states * present, axis=1) / ops.sum(present, axis=1)


def lstm_network(config: NetworkConfig, embedding: tuple[int, int], *, masked: bool) -> keras.Model:
    """Ids of morphemes → five probabilities: embedding of that shape → bidirectional LSTM → largest and mean state."""
    ids = keras.Input((None,), dtype="int32", name="words")
    present = ops.not_equal(ids, 0) if masked else None
    weight = ops.expand_dims(ops.cast(present, "float32"), -1) if masked else None
    embedded = layers.SpatialDropout1D(config.embedding_dropout)(layers.Embedding(*embedding, name="embedding")(ids))
    lstm = layers.Bidirectional(layers.LSTM(config.units, return_sequences=True), name="lstm")
    states = lstm(embedded, mask=present)
    features = layers.Concatenate()([Largest()(states, weight), Average()(states, weight)])
    output = layers.Dense(5, activation="softmax", name="output")(layers.Dropout(config.dropout)(features))
    return keras.Model(ids, output)


@dataclass(frozen=True, slots=True)
class GramTable:
    """A linear classifier over the n-grams of one kind: a row a bucket, row 0 for padding and all zeros.

    Columns: what the bucket adds to each of the five margins, then its weight in the length of a text, so that
    margin = Σ rows[:, :5] / √Σ rows[:, 5]², which is TF-IDF with unit length and terms counted once.
    """

    rows: NDArray[np.float32]

    def margins(self, grams: Tensor) -> Tensor:
        """Buckets (batch, most) → margins (batch, 5)."""
        found = ops.take(ops.convert_to_tensor(self.rows), grams, axis=0)
        length = ops.sqrt(ops.sum(ops.square(found[..., 5]), axis=1, keepdims=True))
        return ops.sum(found[..., :5], axis=1) / ops.maximum(length, 1e-9)


@dataclass(frozen=True, slots=True)
class Hybrid:
    """The default reader: the mean of what an LSTM and a linear classifier of n-grams say, at one temperature.

    The LSTM reads order and, through the CBOW vectors, words it met in no labelled text; the n-grams remember turns of
    phrase and see through spelling and spacing.
    """

    lstm: keras.Model
    characters: GramTable
    morphemes: GramTable
    bias: NDArray[np.float32]
    """(5,) added to the margins."""
    scale: float
    """Makes margins as confident as they are right."""
    share: float
    """Weight of the n-grams in the mean."""
    temperature: float

    def branches(self, words: Tensor, character_grams: Tensor, morpheme_grams: Tensor) -> tuple[Tensor, Tensor]:
        """What each branch says, (batch, 5) probabilities each: the LSTM, the n-grams."""
        margins = self.characters.margins(character_grams) + self.morphemes.margins(morpheme_grams) + self.bias
        return self.lstm(words, training=False), ops.softmax(self.scale * margins)

    def __call__(self, words: Tensor, character_grams: Tensor, morpheme_grams: Tensor) -> Tensor:
        """(batch, 5) calibrated probabilities."""
        read, counted = self.branches(words, character_grams, morpheme_grams)
        mean = (1 - self.share) * read + self.share * counted
        return ops.softmax(ops.log(mean + 1e-9) / self.temperature)


def paper_network(words: int) -> keras.Model:
    """The paper's: 30 words, an embedding of 3 dimensions, an LSTM, four classes."""
    ids = keras.Input((None,), dtype="int32", name="words")
    states = layers.LSTM(32, name="lstm")(layers.Embedding(words, 3, mask_zero=True, name="embedding")(ids))
    return keras.Model(ids, layers.Dense(4, activation="softmax", name="output")(states), name="paper")
