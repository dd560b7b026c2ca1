"""A message → an Answer: the whole path in one function. Knows no Discord and no terminal."""

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from bot import match, text
from bot.emotion import EMOTIONS, Emotion, Reader, Reading
from bot.match import Match, Vector, Weights
from bot.meaning import Meanings
from bot.songs import Passage, Song, Songs

# Two words are told as related when their vectors are at least this near: below it stand 강물 and 벽, 결혼 and 헤어지다.
_RELATED = 0.6
# How much of a reading a person's own word replaces: they know, but a text is rarely one feeling only.
_CORRECTED = 0.8


@dataclass(frozen=True, slots=True)
class Why:
    """Why a song was chosen; told in words by the locales."""

    feeling: Emotion
    """The feeling message and passage share most."""
    shared: tuple[str, ...] = ()
    """Words that stand in both."""
    related: tuple[str, str] | None = None
    """A word of the message and one of the passage that are related."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A song that answers, with its best lines or, for a song without lyrics, its story."""

    song: Song
    passages: tuple[Passage, ...]
    score: float
    why: Why

    @property
    def lines(self) -> tuple[Passage, ...]:
        return tuple(passage for passage in self.passages if not passage.is_story)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a message gets."""

    reading: Reading
    suggestions: tuple[Suggestion, ...]


class _Known(NamedTuple):
    """Words that have a vector of their own, and these vectors, (words, dimensions)."""

    words: list[str]
    vectors: Vector


class Answerer:
    """Everything an answer needs, opened once."""

    def __init__(self, reader: Reader, meanings: Meanings, songs: Songs, weights: Weights) -> None:
        self.reader = reader
        self.songs = songs
        self._meanings = meanings
        self._weights = weights

    async def answer(
        self,
        message: str,
        *,
        count: int = 3,
        seed: int,
        recent: Set[int] = frozenset(),
        avoided: Iterable[int] = (),
        feels: Emotion | None = None,
    ) -> Answer:
        """Reads a message and finds `count` songs for it.

        `feels` is what the person says they feel where the reading was wrong. Songs in `recent` step back, `avoided`
        never come. Equal arguments give the same answer.
        """
        (reading,) = self.reader.read([message])
        if feels is not None:
            reading = corrected(reading, feels)
        query = match.query_vector(reading.probabilities, self._meanings.of(reading.tokens), self._weights)
        candidates = await self.songs.candidates(query, avoided)
        matches = match.choose(candidates, count, seed=seed, recent=recent)
        return Answer(reading, await self._suggestions(reading, matches))

    async def _suggestions(self, reading: Reading, matches: list[Match]) -> tuple[Suggestion, ...]:
        found = await self.songs.passages(passage for one in matches for passage in one.passages)
        # Another process may have changed the index since the search.
        matches = [one for one in matches if found.keys() >= set(one.passages)]
        words = _telling(reading.tokens)
        known = self._known(words)
        return tuple(
            Suggestion(
                song=found[one.passages[0]][0],
                passages=tuple(found[passage][1] for passage in one.passages),
                score=one.score,
                why=self._why(reading, words, known, found[one.passages[0]][1]),
            )
            for one in matches
        )

    def _why(self, reading: Reading, here: list[str], known: _Known, passage: Passage) -> Why:
        """`here` are the telling words of the message, `known` those of them that have vectors."""
        common = [mine * theirs for mine, theirs in zip(reading.probabilities[:-1], passage.feeling[:-1], strict=True)]
        feeling = EMOTIONS[common.index(max(common))]
        there = _telling(text.morphemes(passage.text))
        shared = tuple(text.form(token) for token in here if token in there)
        if shared:
            return Why(feeling, shared[:2])
        return Why(feeling, related=_related(known, self._known(there)))

    def _known(self, words: list[str]) -> _Known:
        # A word that was read through its characters is near to any other such word (영감탱이 and 한정판).
        kept = list(filter(self._meanings.knows, words))
        return _Known(kept, self._meanings.each(kept))


def _related(here: _Known, there: _Known) -> tuple[str, str] | None:
    """The nearest word of each side, where they are near enough to be told."""
    if not here.words or not there.words:
        return None
    cosines = here.vectors @ there.vectors.T
    row, column = np.unravel_index(int(cosines.argmax()), cosines.shape)
    if cosines[row, column] < _RELATED:
        return None
    return text.form(here.words[row]), text.form(there.words[column])


def corrected(reading: Reading, feels: Emotion) -> Reading:
    """The reading as the person says it is, and sure."""
    own = np.eye(len(EMOTIONS))[EMOTIONS.index(feels)]
    mixed = _CORRECTED * own + (1 - _CORRECTED) * np.array(reading.probabilities)
    return replace(reading, probabilities=tuple(mixed.tolist()), unsure=False)


def _telling(tokens: Iterable[str]) -> list[str]:
    """The tokens worth naming to a person: words with a meaning of their own, each once."""
    return [token for token in dict.fromkeys(tokens) if text.telling(token)]
