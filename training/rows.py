"""What we wrote and labelled ourselves, read strictly: a bad row is an error that names its file and line."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bot.emotion import Emotion
from bot.text import clean
from training.stage import StageError

Source = Literal["message", "line", "pair", "chatbot", "komuchat"]
Side = Literal["train", "validation", "test"]
KINDS = ("lyric", "message")


@dataclass(frozen=True, slots=True)
class Row:
    """A text and what it feels, on one side of the split."""

    text: str
    label: Emotion
    secondary: Emotion | None
    source: Source
    group: str
    """The song's title of a line, the keyword of a pair, the writer's file of a message, the row of a public one."""
    kind: str | None = None
    """``lyric`` or ``message`` for a pair."""
    side: Side = "train"


@dataclass(frozen=True, slots=True)
class Label:
    """A stand-off label: of the public text in `row`, counted from 0 without the header."""

    row: int
    label: Emotion
    secondary: Emotion | None
    place: str


def messages(folder: Path) -> Iterator[Row]:
    """``messages_ko/*.tsv`` below the folder: text, label, secondary."""
    for path in sorted(folder.glob("messages_ko/*.tsv")):
        for place, (text, label, secondary) in _table(path, ("text", "label", "secondary")):
            yield _row(place, text, label, secondary, "message", f"messages_ko/{path.stem}")


def pairs(folder: Path) -> Iterator[Row]:
    """``pairs_ko/*.tsv`` below the folder: keyword, text, label, secondary, kind."""
    for path in sorted(folder.glob("pairs_ko/*.tsv")):
        for place, cells in _table(path, ("keyword", "text", "label", "secondary", "kind")):
            keyword, text, label, secondary, kind = cells
            if not keyword.strip():
                raise StageError(f"{place}: the keyword is empty.")
            if kind not in KINDS:
                raise StageError(f'{place}: unknown kind "{kind}", use one of {", ".join(KINDS)}.')
            yield _row(place, text, label, secondary, "pair", keyword, kind)


def lines(folder: Path) -> Iterator[Row]:
    """The lines of ``songs_ko/*.jsonl`` below the folder: ``[text, label]`` or ``[text, label, secondary]`` each."""
    for path in sorted(folder.glob("songs_ko/*.jsonl")):
        for number, written in enumerate(_written(path), 1):
            yield from _song(f"{path}, line {number}", written)


def labels(path: Path) -> Iterator[Label]:
    """Stand-off labels: row, emotion, secondary."""
    seen: set[int] = set()
    for place, (row, label, secondary) in _table(path, ("row", "emotion", "secondary")):
        if not row.isascii() or not row.isdigit():
            raise StageError(f'{place}: "{row}" is not the number of a row.')
        if int(row) in seen:
            raise StageError(f"{place}: row {row} is labelled twice, keep one of its labels.")
        seen.add(int(row))
        yield Label(int(row), *_emotions(place, label, secondary), place)


def _song(place: str, written: str) -> Iterator[Row]:
    try:
        song = json.loads(written)
        title, sung = song["title"], song["lines"]
    except ValueError as error:
        raise StageError(f"{place}: this is not JSON ({error}).") from error
    except (KeyError, TypeError) as error:
        raise StageError(f"{place}: a song is an object with a title and lines.") from error
    if not isinstance(title, str) or not title.strip() or not isinstance(sung, list):
        raise StageError(f"{place}: a song has a title that is a text, and lines that are a list.")
    for position, line in enumerate(sung, 1):
        where = f"{place} ({title}, its line {position})"
        if not _is_line(line):
            raise StageError(f"{where}: a line is a list of a text, a label and, maybe, a secondary label.")
        yield _row(where, line[0], line[1], line[2] if len(line) == 3 else "", "line", title)


def _is_line(line: Any) -> bool:
    return isinstance(line, list) and len(line) in (2, 3) and all(isinstance(cell, str) for cell in line)


def _row(place: str, text: str, label: str, secondary: str, source: Source, group: str, kind: str | None = None) -> Row:
    if not clean(text):
        raise StageError(f"{place}: the text is empty.")
    return Row(text.strip(), *_emotions(place, label, secondary), source, group.strip(), kind)


def _emotions(place: str, label: str, secondary: str) -> tuple[Emotion, Emotion | None]:
    for value in filter(None, (label or "(empty)", secondary)):
        if value not in list(Emotion):
            raise StageError(f'{place}: unknown label "{value}", use one of {", ".join(Emotion)}.')
    if label == secondary:
        raise StageError(f'{place}: "{label}" is both the label and the secondary label, leave the second empty.')
    return Emotion(label), Emotion(secondary) if secondary else None


def _table(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """The rows below the header, each with its place; no quoting, a cell holds neither tab nor line break."""
    written = _written(path)
    if not written or written[0].split("\t") != list(columns):
        raise StageError(f"{path}, line 1: the columns must be {', '.join(columns)}, parted by tabs.")
    for number, line in enumerate(written[1:], 2):
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise StageError(f"{path}, line {number}: {len(cells)} columns, there must be {len(columns)}.")
        yield f"{path}, line {number}", cells


def _written(path: Path) -> list[str]:
    """The lines of a UTF-8 file, with or without a byte order mark."""
    try:
        return path.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        number = path.read_bytes()[: error.start].count(b"\n") + 1
        raise StageError(f"{path}, line {number}: this is not UTF-8, save the file as UTF-8.") from error


def ours(folder: Path) -> Iterable[Row]:
    """All rows of ours: messages, lines, pairs, in this order."""
    yield from messages(folder)
    yield from lines(folder)
    yield from pairs(folder)
