"""Texts → Readings: a calibrated distribution over five outcomes, and the words that speak for it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot import text
from bot.bundle import Bundle
from bot.errors import BundleError
from bot.grams import GramSizes, character_grams, morpheme_grams
from bot.vocabulary import UNKNOWN, Vocabulary


class Emotion(StrEnum):
    """The four emotions of 임명진·박원호·신주현 (2020), then `none`: no breakup feeling. Every distribution has this order."""

    SADNESS = "sadness"
    DENIAL = "denial"
    ANGER = "anger"
    INDIFFERENCE = "indifference"
    NONE = "none"


EMOTIONS = tuple(Emotion)
FEELINGS = EMOTIONS[:4]

# Windows of one length read in one run: with 256 it takes a tenth longer, and eight times the memory.
_BATCH = 32


@dataclass(frozen=True, slots=True)
class Reading:
    """What one text says of a feeling."""

    probabilities: tuple[float, ...]
    """Calibrated, in the order of `Emotion`; they sum to 1."""
    unsure: bool
    """The lead of the first label is small, or the text is mostly unknown to the model."""
    words: tuple[tuple[str, Emotion], ...]
    """Words of the emotion dictionary that the text holds, in order, each with the emotion it speaks for."""
    tokens: tuple[str, ...]
    """Morphemes of the text."""

    @property
    def emotion(self) -> Emotion:
        return EMOTIONS[max(range(len(EMOTIONS)), key=self.probabilities.__getitem__)]

    def of(self, emotion: Emotion) -> float:
        """Probability of one outcome."""
        return self.probabilities[EMOTIONS.index(emotion)]


class Window(NamedTuple):
    """What the model reads at once, each as numbers: the morphemes in order, and the n-grams of the same stretch of text."""

    words: list[int]
    character_grams: list[int]
    morpheme_grams: list[int]


@dataclass(frozen=True, slots=True)
class Encoder:
    """Text → morphemes and windows; the same for training and reading."""

    words: Vocabulary
    length: int
    """Most morphemes of a window."""
    grams: GramSizes

    def encode(self, raw: str) -> tuple[tuple[str, ...], list[Window]]:
        """The tokens of a text and its windows; no window where nothing can be read."""
        cleaned = text.clean(raw)
        spans = text.spans(cleaned)
        tokens = tuple(token for span in spans for token in span.tokens)
        ids = self.words.ids(tokens)
        if 0 < len(ids) <= self.length:
            return tokens, [self._window(ids, cleaned, spans)]
        return tokens, list(self._windows(cleaned, spans))

    def _windows(self, cleaned: str, spans: Sequence[text.Span]) -> Iterator[Window]:
        """Cuts a text between two morphemes, into as few windows of about one length as there can be."""
        ids = [self.words.ids(span.tokens)[: self.length] for span in spans]
        total = sum(map(len, ids))
        goal = ceil(total / max(1, ceil(total / self.length)))
        first, words = 0, list[int]()
        for number, more in enumerate(ids):
            if words and (len(words) >= goal or len(words) + len(more) > self.length):
                yield self._window(words, cleaned, spans[first:number])
                first, words = number, []
            words = words + more
        if words:
            yield self._window(words, cleaned, spans[first:])

    def _window(self, words: list[int], cleaned: str, spans: Sequence[text.Span]) -> Window:
        tokens = [token for span in spans for token in span.tokens]
        part = cleaned[spans[0].start : spans[-1].end]
        return Window(words, character_grams(part, self.grams), morpheme_grams(tokens, self.grams))


class Reader:
    """Reads texts with the model of a bundle. Not for two threads at once."""

    def __init__(self, bundle: Bundle) -> None:
        """BundleError where the model's outputs are not `EMOTIONS`, in this order."""
        if bundle.manifest.labels != EMOTIONS:
            raise BundleError("error.bundle_version", folder=bundle.folder)
        self._model = bundle.model
        self._unsure_below = bundle.manifest.unsure_below
        self._encoder = Encoder(bundle.words, bundle.manifest.window, bundle.manifest.grams)
        self._words = {token: Emotion(emotion) for token, emotion in bundle.dictionary.items()}

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """A reading a text, in order. A text in which nothing can be read is `none`, and unsure."""
        analysed = [self._encoder.encode(one) for one in texts]
        probabilities = self._run([windows for _, windows in analysed])
        return [
            self._reading(tokens, windows, distribution)
            for (tokens, windows), distribution in zip(analysed, probabilities, strict=True)
        ]

    def _reading(self, tokens: tuple[str, ...], windows: list[Window], distribution: NDArray[np.float64]) -> Reading:
        probabilities = distribution.tolist()
        second, first = sorted(probabilities)[-2:]
        ids = [number for window in windows for number in window.words]
        mostly_unknown = 2 * ids.count(UNKNOWN) >= len(ids)
        return Reading(
            probabilities=tuple(probabilities),
            unsure=first - second < self._unsure_below or mostly_unknown,
            words=tuple(self._feeling_words(tokens)),
            tokens=tokens,
        )

    def _feeling_words(self, tokens: Iterable[str]) -> Iterator[tuple[str, Emotion]]:
        for token in dict.fromkeys(token for token in tokens if token in self._words):
            yield text.form(token), self._words[token]

    def _run(self, texts: list[list[Window]]) -> list[NDArray[np.float64]]:
        # The exported network has no mask: a batch holds windows of one number of words, so that none is padded.
        lengths: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for number, windows in enumerate(texts):
            for place, window in enumerate(windows):
                lengths[len(window.words)].append((number, place))
        outputs = [np.zeros((len(windows), len(EMOTIONS))) for windows in texts]
        for places in lengths.values():
            for start in range(0, len(places), _BATCH):
                batch = places[start : start + _BATCH]
                rows = self.probabilities([texts[number][place] for number, place in batch])
                for (number, place), row in zip(batch, rows, strict=True):
                    outputs[number][place] = row
        return [_combine(output) for output in outputs]

    def probabilities(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """The model's output for windows of one number of words: (windows, 5)."""
        (output,) = self._model.run(None, inputs(windows))
        return output  # type: ignore[no-any-return]


def inputs(windows: Sequence[Window]) -> dict[str, NDArray[np.int32]]:
    """The model's inputs, (windows, most) each, filled up with 0, which for an n-gram weighs nothing."""
    return {name: _filled([getattr(window, name) for window in windows]) for name in Window._fields}


def _filled(rows: Sequence[Sequence[int]]) -> NDArray[np.int32]:
    filled = np.zeros((len(rows), max(map(len, rows))), np.int32)
    for row, numbers in zip(filled, rows, strict=True):
        row[: len(numbers)] = numbers
    return filled


def _combine(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """One distribution of a text's windows, (windows, 5) → (5,).

    A window without feeling says little of the whole, and the annotation guide reads a mixed text by what it ends on:
    each counts by its 1 - p(none), the last one twice.
    """
    if len(windows) == 0:
        return np.array([0.0, 0.0, 0.0, 0.0, 1.0])
    if len(windows) == 1:
        return windows[0] / windows[0].sum()  # type: ignore[no-any-return]
    weights = 1.05 - windows[:, -1]
    weights[-1] *= 2
    combined = weights @ windows
    return combined / combined.sum()  # type: ignore[no-any-return]
