"""The ranking: one vector a passage, one inner product, and the choice of songs. Pure functions over arrays."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

# A message with no feeling in it is still answered with lines that have one: this much of its weight stays on feelings.
_LEAST_FEELING = 0.3
# A second line is shown when it is nearly as good as the first.
_SECOND_LINE = 0.06
# How far a song shown lately steps back, and how far the dice may carry one forward; the best passages of a real
# message lie within about 0.1 of each other.
_STEP_BACK = 0.2
_DICE = 0.015
# How much worse a song of the kind that would be missing (with lyrics, or only with a story) may be to come in.
_OTHER_KIND = 0.12


@dataclass(frozen=True, slots=True)
class Weights:
    """α of feeling and β of meaning, α² + β² = 1."""

    feeling: float
    meaning: float


class Candidate(NamedTuple):
    """A passage that may answer; a tuple, for there are hundreds of them to every answer."""

    passage: int
    song: int
    is_story: bool
    score: float


# How well a song fits, dice and stepping back included, and its passages, best first.
_Ranked = tuple[float, list[Candidate]]


@dataclass(frozen=True, slots=True)
class Match:
    """A song that answers: its passages in order of fit, one or two."""

    song: int
    score: float
    passages: tuple[int, ...]
    is_story: bool


def passage_vectors(feelings: Vector, meanings: Vector, weights: Weights) -> Vector:
    """Rows [α·√p, β·m]: (…, 5) distributions and (…, d) unit vectors → (…, 5 + d).

    The inner product of two rows is α² times the Bhattacharyya coefficient of the feelings plus β² times the cosine of
    the meanings.
    """
    parts = [weights.feeling * np.sqrt(feelings), weights.meaning * meanings]
    return np.concatenate(parts, axis=-1, dtype=np.float32)


def query_vector(probabilities: Sequence[float], meaning: Vector, weights: Weights) -> Vector:
    """The vector of a message, (5 + d,): as a passage's, but nothing is sought for having no feeling."""
    feeling = np.array(probabilities, np.float32)
    feeling[-1] = 0
    mass = float(feeling.sum())
    if mass < _LEAST_FEELING:
        feeling = feeling * (_LEAST_FEELING / mass) if mass > 0 else np.full(5, _LEAST_FEELING / 4, np.float32)
        feeling[-1] = 0
    return passage_vectors(feeling, meaning, weights)


def choose(candidates: Iterable[Candidate], count: int, *, seed: int, recent: Set[int] = frozenset()) -> list[Match]:
    """The `count` songs that answer best, best first, no song twice.

    Songs in `recent` step back. `seed` rolls the dice among passages that fit about equally; the same candidates and
    seed give the same songs. Songs with lyrics and songs with a story are both among them where both fit.
    """
    songs = _by_song(candidates)
    dice = np.random.default_rng(seed).gumbel(size=len(songs)).tolist()
    ranked = [
        (passages[0].score + _DICE * thrown - (_STEP_BACK if song in recent else 0), passages)
        for (song, passages), thrown in zip(songs.items(), dice, strict=True)
    ]
    # Songs of one rank stay in the order of their ids.
    ranked.sort(key=lambda one: one[0], reverse=True)
    return [_match(passages) for _, passages in _of_both_kinds(ranked, count)]


def _match(passages: Sequence[Candidate]) -> Match:
    """The answer of a song from its passages, best first."""
    best = passages[0]
    lines = [best.passage]
    if len(passages) > 1 and not best.is_story and best.score - passages[1].score < _SECOND_LINE:
        lines.append(passages[1].passage)
    return Match(best.song, best.score, tuple(lines), best.is_story)


def _by_song(candidates: Iterable[Candidate]) -> dict[int, list[Candidate]]:
    """Passages by song, best first; the songs in the order of their ids, so that the dice fall the same every time."""
    songs: dict[int, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda one: (one.song, -one.score, one.passage)):
        songs.setdefault(candidate.song, []).append(candidate)
    return songs


def _of_both_kinds(ranked: Sequence[_Ranked], count: int) -> list[_Ranked]:
    chosen = list(ranked[:count])
    if count < 2 or len({passages[0].is_story for _, passages in chosen}) != 1:
        return chosen
    missing = not chosen[0][1][0].is_story
    other = next((one for one in ranked[count:] if one[1][0].is_story is missing), None)
    if other and chosen[-1][0] - other[0] <= _OTHER_KIND:
        chosen[-1] = other
    return chosen
