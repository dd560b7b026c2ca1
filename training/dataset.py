"""Joins all labelled texts and splits them into training, validation and test, the same for ever.

The side of a text is decided by a hash alone, of the song for its lines, of the keyword for word pairs, of the text
itself elsewhere, so that it never moves when rows are added. What is nearly the same as a text that measures is left out
of what comes before it: of training for validation and test, of validation for test.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bot.emotion import EMOTIONS, Emotion
from bot.text import clean
from training import rows
from training.config import SplitConfig
from training.corpus import public_rows
from training.rows import Row, Side
from training.stage import OURS, StageError, Workshop, read_json_lines, write_json, write_json_lines

__all__ = ["Row", "Side", "read", "targets"]

SIDES: tuple[Side, ...] = ("train", "validation", "test")
_ANNOTATIONS: dict[rows.Source, str] = {"chatbot": "songys-Chatbot_data.tsv", "komuchat": "4N3MONE-KOMUChat.tsv"}
# Rows compared at once: keeps the matrix of shared 3-grams below some hundred megabytes.
_COMPARED = 1_000


def run(shop: Workshop) -> None:
    public = public_rows(shop)
    given = [*rows.ours(OURS), *(row for name in _ANNOTATIONS for row in _annotated(name, public))]
    if not given:
        raise StageError(f"{OURS} holds no labelled texts: check out the repository again.")
    split = [replace(row, side=side_of(row, shop.config.split)) for row in given]
    distinct, conflicting = _distinct(split)
    kept = _apart(distinct, shop.config.split.near_duplicate)
    write_json_lines(shop.path("dataset.jsonl"), (asdict(row) for row in kept))
    table = _table(kept)
    figures = {
        "rows": table,
        "duplicates": {"dropped": len(split) - len(distinct), "with_another_label": conflicting},
        "left_out": _left_out(distinct, kept),
        "missing_sources": [name for name in _ANNOTATIONS if name not in public],
    }
    write_json(shop.path("dataset_figures.json"), figures)
    for side, sources in table.items():
        counts = {source: sum(emotions.values()) for source, emotions in sources.items()}
        print(f"{side}: {sum(counts.values()):,} rows", *(f"{source} {count:,}" for source, count in counts.items()))


def read(shop: Workshop) -> list[Row]:
    """The rows that `run` wrote, each with its side."""
    return [_restored(entry) for entry in read_json_lines(shop.made_by("dataset", "dataset.jsonl"))]


def targets(rows: Sequence[Row], secondary_weight: float, smoothing: float) -> NDArray[np.float32]:
    """Soft targets, (rows, 5) in the order of `Emotion`, each row summing to 1.

    A row's secondary label, where it has one, gets `secondary_weight` of it; then `smoothing` of all is spread evenly.
    """
    found = np.zeros((len(rows), len(EMOTIONS)), np.float32)
    for target, row in zip(found, rows, strict=True):
        weight = secondary_weight if row.secondary else 0.0
        target[EMOTIONS.index(row.label)] = 1 - weight
        if row.secondary:
            target[EMOTIONS.index(row.secondary)] = weight
    return ((1 - smoothing) * found + smoothing / len(EMOTIONS)).astype(np.float32)


def side_of(row: Row, split: SplitConfig) -> Side:
    key = row.group if row.source in ("line", "pair") else row.text
    digest = hashlib.sha256((split.salt + clean(key)).encode()).digest()
    share = int.from_bytes(digest[:8]) / 2**64
    if share < split.test:
        return "test"
    return "validation" if share < split.test + split.validation else "train"


def near_duplicates(texts: Sequence[str], among: Sequence[str], bound: float) -> NDArray[np.bool_]:
    """For each text whether one `among` the others has a Jaccard similarity of character 3-grams of `bound` or more."""
    found = np.zeros(len(texts), np.bool_)
    if not among:
        return found
    numbers: dict[str, int] = {}
    others = _trigrams(among, numbers)
    mine = _trigrams(texts, numbers)
    others.resize(others.shape[0], mine.shape[1])
    other_sizes = np.diff(others.indptr)
    for start in range(0, len(texts), _COMPARED):
        part = mine[start : start + _COMPARED]
        shared = (part @ others.T).tocoo()
        either = np.diff(part.indptr)[shared.row] + other_sizes[shared.col] - shared.data
        found[start + shared.row[shared.data >= bound * either]] = True
    return found


def _trigrams(texts: Sequence[str], numbers: dict[str, int]) -> Any:
    """Which 3-grams each text holds, (texts, 3-grams so far numbered); a blank at each end, so that 헉 has one too."""
    held = [
        sorted({numbers.setdefault(text[i : i + 3], len(numbers)) for i in range(len(text) - 2)})
        for text in (f" {clean(text)} " for text in texts)
    ]
    places = np.fromiter((number for row in held for number in row), np.int32)
    starts = np.cumsum([0, *map(len, held)])
    return sparse.csr_matrix((np.ones(len(places), np.int32), places, starts), (len(held), len(numbers)))


def _annotated(name: rows.Source, public: dict[str, list[str]]) -> Iterator[Row]:
    path = OURS / "annotations" / _ANNOTATIONS[name]
    if name not in public or not path.exists():
        return
    for label in rows.labels(path):
        if label.row >= len(public[name]):
            raise StageError(f"{label.place}: {name} has no row {label.row}, its last is {len(public[name]) - 1}.")
        text = public[name][label.row]
        if clean(text):  # a post may have been nothing but a mask
            yield Row(text, label.label, label.secondary, name, str(label.row))


def _distinct(given: Sequence[Row]) -> tuple[list[Row], int]:
    """Rows in order, the first of each cleaned text, and how many others had another label.

    First among those of the side that measures most: a row that is added never takes the place of a test row.
    """
    first: dict[str, tuple[int, Row]] = {}
    ordered = sorted(enumerate(given), key=lambda entry: -SIDES.index(entry[1].side))
    conflicting = 0
    for number, row in ordered:
        _, kept = first.setdefault(clean(row.text), (number, row))
        conflicting += kept.label != row.label
    return [row for _, row in sorted(first.values(), key=lambda entry: entry[0])], conflicting


def _apart(given: Sequence[Row], bound: float) -> list[Row]:
    """Rows in order without those nearly the same as one of a side that measures more."""
    kept = {row.text for row in given if row.side == "test"}
    for side in ("validation", "train"):
        candidates = [row.text for row in given if row.side == side]
        near = near_duplicates(candidates, sorted(kept), bound)
        kept.update(text for text, is_near in zip(candidates, near, strict=True) if not is_near)
    return [row for row in given if row.text in kept]


def _table(given: Iterable[Row]) -> dict[str, dict[str, dict[str, int]]]:
    """side → source → label → rows."""
    counts = Counter((row.side, row.source, row.label) for row in given)
    sources = sorted({source for _, source, _ in counts})
    return {
        side: {source: {label.value: counts[side, source, label] for label in Emotion} for source in sources}
        for side in SIDES
    }


def _left_out(distinct: Sequence[Row], kept: Sequence[Row]) -> dict[str, int]:
    """How many rows of each side were nearly the same as one that measures."""
    before, after = Counter(row.side for row in distinct), Counter(row.side for row in kept)
    return {side: before[side] - after[side] for side in SIDES}


def _restored(entry: dict[str, Any]) -> Row:
    secondary = entry["secondary"]
    labelled = {"label": Emotion(entry["label"]), "secondary": Emotion(secondary) if secondary else None}
    return Row(**{**entry, **labelled})
