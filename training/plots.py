"""The report's plots as geometry: figures in, points on a page out; the template draws them as SVG.

The page's own SVG rather than pictures: its text stays text, so that the reader's browser finds the Korean font.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, TypeAlias

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from bot.emotion import FEELINGS
from bot.text import form

# Left, top, right, bottom.
Box: TypeAlias = tuple[float, float, float, float]

# Pixels of one Korean letter of a label on the map, and of its line.
_LETTER, _LINE = 14.0, 17.0
# Where a label may stand beside its point: right, left, above, below, then the same further away with a line to it.
_REACHES = (9.0, 24.0, 42.0, 64.0)
_DIRECTIONS = ((1, 0), (-1, 0), (0, -1), (0, 1), (0.7, -0.7), (-0.7, -0.7), (0.7, 0.7), (-0.7, 0.7))


class Point(NamedTuple):
    """A place on the page, in pixels from the left and from the top."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: where it stands along it, in pixels, and what it says."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A named curve."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where on the page the values of two axes lie."""

    x: tuple[float, float]
    """The least and the largest value across."""
    y: tuple[float, float]
    width: float = 460
    height: float = 300

    # Room for the axes' marks, and for half a dot at the other sides.
    left: float = 44
    above: float = 14
    right: float = 14
    below: float = 44

    def across(self, value: float) -> float:
        """Pixels from the left."""
        share = (value - self.x[0]) / (self.x[1] - self.x[0])
        return round(self.left + share * (self.width - self.left - self.right), 1)

    def down(self, value: float) -> float:
        """Pixels from the top."""
        share = (value - self.y[0]) / (self.y[1] - self.y[0])
        return round(self.height - self.below - share * (self.height - self.above - self.below), 1)

    def line(self, name: str, values: Iterable[tuple[float, float]]) -> Line:
        """A curve through values."""
        return Line(name, tuple(Point(self.across(x), self.down(y)) for x, y in values))


@dataclass(frozen=True, slots=True)
class Chart:
    """Two curves over two axes."""

    frame: Frame
    across: str
    """What the horizontal axis counts."""
    x: tuple[Tick, ...]
    y: tuple[Tick, ...]
    lines: tuple[Line, Line]
    sizes: tuple[float, ...] = ()
    """Radii of the dots on the second line; small and alike where there are none."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the emotion dictionary on the map."""

    text: str
    emotion: str
    similarity: float
    at: Point
    label: Point | None
    """The middle of its label; None for a word that is only a point."""
    far: bool
    """The label stands so far off that a line must lead to it."""


@dataclass(frozen=True, slots=True)
class Map:
    """The emotion dictionary in two dimensions."""

    WIDTH: ClassVar[float] = 1000
    HEIGHT: ClassVar[float] = 760
    words: tuple[Word, ...]
    explained: float
    """Share of the vectors' variance that the two axes show."""


def curves(history: Mapping[str, Sequence[float]], figure: str) -> Chart:
    """A figure of the training by epoch, on the training rows and on validation."""
    training, validation = history[figure], history[f"val_{figure}"]
    epochs = range(1, len(training) + 1)
    marks = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(min(*training, *validation), max(*training, *validation))
    frame = Frame((1, max(2, len(training))), (float(marks[0]), float(marks[-1])))
    places = max(len(f"{mark:.6g}".partition(".")[2]) for mark in marks)
    return Chart(
        frame,
        "epoch",
        tuple(Tick(frame.across(epoch), str(epoch)) for epoch in epochs),
        tuple(Tick(frame.down(mark), f"{mark:.{places}f}") for mark in marks),
        (
            frame.line("training", zip(epochs, training, strict=True)),
            frame.line("validation", zip(epochs, validation, strict=True)),
        ),
    )


def reliability(bins: Sequence[tuple[float, float, int]]) -> Chart:
    """Accuracy over confidence, a dot a tenth, larger with more rows; on the diagonal confidence is accuracy."""
    frame = Frame((0, 1), (0, 1), 380, 380)
    marks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    most = max(rows for _, _, rows in bins)
    return Chart(
        frame,
        "confidence",
        tuple(Tick(frame.across(mark), f"{mark:.1f}") for mark in marks),
        tuple(Tick(frame.down(mark), f"{mark:.1f}") for mark in marks),
        (
            frame.line("confidence = accuracy", [(0, 0), (1, 1)]),
            frame.line("E-byul", [(confidence, accuracy) for confidence, accuracy, _ in bins]),
        ),
        tuple(3 + 6 * (rows / most) ** 0.5 for _, _, rows in bins),
    )


def emotion_map(
    lists: Mapping[str, Mapping[str, float]], vectors: Mapping[str, NDArray[np.floating]], labels: int = 20
) -> Map:
    """The dictionary's words at the two principal components of their unit vectors, the best of each list labelled."""
    words = [(token, emotion, near) for emotion in FEELINGS for token, near in lists[emotion].items()]
    if len(words) < 3:
        return Map((), 0.0)
    places, explained = _principal(np.stack([vectors[token] for token, _, _ in words]))
    points = [Point(*place) for place in _fitted(places).tolist()]
    put = _labels(_named([(form(token), emotion) for token, emotion, _ in words], labels), points)
    return Map(
        tuple(
            Word(form(token), emotion, near, points[number], *put.get(number, (None, False)))
            for number, (token, emotion, near) in enumerate(words)
        ),
        explained,
    )


def _named(words: Sequence[tuple[str, str]], labels: int) -> dict[int, str]:
    """Places of the words to be labelled, the best of every emotion first, then the second best of each.

    A word that stands twice, with other parts of speech, is labelled once.
    """
    ranks = [sum(emotion == words[number][1] for _, emotion in words[:number]) for number in range(len(words))]
    places = sorted(
        (number for number in range(len(words)) if ranks[number] < labels), key=lambda number: ranks[number]
    )
    first: dict[str, int] = {}
    for number in places:
        first.setdefault(words[number][0], number)
    return {number: text for text, number in first.items()}


def _principal(rows: NDArray[np.floating]) -> tuple[NDArray[np.float64], float]:
    """The rows at unit length on their first two principal axes, (rows, 2), and the share of variance these hold."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    centred = unit - unit.mean(axis=0)
    _, strengths, axes = np.linalg.svd(centred, full_matrices=False)
    # An axis has no sign of its own: the largest part of each points up, so that the map never flips.
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    variance = strengths**2
    return (centred @ (axes * signs[:, None])[:2].T), float(variance[:2].sum() / max(float(variance.sum()), 1e-12))


def _fitted(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places stretched over the page, with room for labels at its sides."""
    low, high = places.min(axis=0), places.max(axis=0)
    margin = np.array([70.0, 30.0])
    room = np.array([Map.WIDTH, Map.HEIGHT]) - 2 * margin
    fitted: NDArray[np.float64] = np.round(margin + (places - low) / np.maximum(high - low, 1e-9) * room, 1)
    return fitted


def _labels(texts: Mapping[int, str], points: Sequence[Point]) -> dict[int, tuple[Point, bool]]:
    """Where each label goes so that none covers another label or a point; one without such a place is left out."""
    taken = [(point.x - 4, point.y - 4, point.x + 4, point.y + 4) for point in points]
    put = {}
    for number, text in texts.items():
        free = ((box, reach) for box, reach in _around(points[number], text) if not _covers(box, taken))
        if found := next(free, None):
            box, reach = found
            taken.append(box)
            middle = Point(round((box[0] + box[2]) / 2, 1), round((box[1] + box[3]) / 2, 1))
            put[number] = middle, reach > _REACHES[0]
    return put


def _around(point: Point, text: str) -> Iterator[tuple[Box, float]]:
    """Boxes on the page for a label beside a point, the nearest first, each with its distance."""
    width, height = len(text) * _LETTER, _LINE
    for reach in _REACHES:
        for right, down in _DIRECTIONS:
            x = point.x + right * (reach + width / 2)
            y = point.y + down * (reach + height / 2)
            box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            if box[0] >= 0 and box[1] >= 0 and box[2] <= Map.WIDTH and box[3] <= Map.HEIGHT:
                yield box, reach


def _covers(box: Box, taken: Sequence[Box]) -> bool:
    return any(box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3] for other in taken)
