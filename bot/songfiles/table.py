"""CSV and TSV: a song a row with its lyrics in one cell, or a lyric line a row."""

import csv
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from bot.songfiles.drafts import Problem, SongDraft
from bot.songfiles.encoding import Row, TextFile
from bot.songfiles.song import MOST_ROWS, song
from bot.songfiles.words import clean, header_field

_DELIMITERS = ",;\t"
_Record = tuple[int, dict[str, str]]


class _Feed:
    """Rows as the csv module wants them, remembering which line a record began at and which lines were lost."""

    def __init__(self, rows: Iterator[Row | Problem]) -> None:
        self.problems: list[Problem] = []
        self.first = 0
        self._rows = rows

    def __iter__(self) -> Iterator[str]:
        for row in self._rows:
            if isinstance(row, Problem):
                self.problems.append(row)
            else:
                self.first = self.first or row.number
                yield f"{row.text}\n"


def read_table(file: TextFile) -> Iterator[SongDraft | Problem]:
    """The songs of a table whose first row names its columns, in English or Korean (`words.FIELDS`)."""
    rows = file.rows()
    header = next((row for row in rows if isinstance(row, Row) and clean(row.text)), None)
    delimiter, columns = _header(header.text if header else "")
    found = {column for column in columns if column}
    if not {"title", "artist"} <= found or not found & {"lyrics", "line", "story", "story_ko", "story_en"}:
        yield file.problem(header.number if header else None, "bad_header")
        return
    # Lost lines are problems of the song they stand in, in front of it.
    records = _records(file, _Feed(rows), delimiter, columns)
    for _, group in itertools.groupby(records, key=_SameSong()):
        yield from _song(file, group)


def _header(text: str) -> tuple[str, list[str | None]]:
    """The delimiter that makes the most known names of a header row, and the fields of its columns."""
    return max(
        ((delimiter, _columns(text, delimiter)) for delimiter in _DELIMITERS),
        key=lambda split: sum(column is not None for column in split[1]),
    )


def _columns(text: str, delimiter: str) -> list[str | None]:
    try:
        names = next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return []
    fields = [header_field(name) for name in names]
    return [None if field in fields[:place] else field for place, field in enumerate(fields)]


def _records(file: TextFile, feed: _Feed, delimiter: str, columns: list[str | None]) -> Iterator[_Record | Problem]:
    reader = csv.reader(feed, delimiter=delimiter)
    while True:
        feed.first = 0
        try:
            cells = next(reader, None)
        except csv.Error:  # a quote that is never closed grows beyond csv.field_size_limit()
            yield file.problem(feed.first, "bad_row")
            continue
        yield from feed.problems
        feed.problems.clear()
        if cells is None:
            return
        if any(map(clean, cells[len(columns) :])):
            yield file.problem(feed.first, "extra_cells", delimiter="tab" if delimiter == "\t" else delimiter)
        elif any(map(clean, cells)):
            yield feed.first, {name: cell for name, cell in zip(columns, cells, strict=False) if name}


class _SameSong:
    """Numbers records so that rows of one song in a row share a number; a problem belongs to the song before it."""

    def __init__(self) -> None:
        self._number = 0
        self._song: tuple[str, str] | None = None

    def __call__(self, record: _Record | Problem) -> int:
        if isinstance(record, Problem):
            return self._number
        fields = record[1]
        name = (clean(fields.get("title", "")), clean(fields.get("artist", "")))
        # A cell with several lines is a whole song, a cell with one line may be one of many.
        whole = len(fields.get("lyrics", "").splitlines()) > 1
        if whole or name != self._song:
            self._number += 1
        self._song = None if whole else name
        return self._number


def _song(file: TextFile, group: Iterator[_Record | Problem]) -> Iterator[SongDraft | Problem]:
    """The song of the records of one group; problems before its first record come as they are."""
    first: _Record | None = None
    for record in group:
        if not isinstance(record, Problem):
            first = record
            break
        yield record
    if first is None:
        return
    number, fields = first
    has_lines = "line" in fields
    # In a table with a line a row the emotion is that of the line.
    of_song = {name: value for name, value in fields.items() if not (has_lines and name == "emotion")}
    records: Iterator[_Record | Problem] = itertools.chain([first], group)
    if "position" in fields:
        records = iter(sorted(itertools.islice(records, MOST_ROWS), key=_position))
    yield from song(file, number, of_song, _lines(records))


def _position(record: _Record | Problem) -> float:
    """Where a line stands in its song; 0 for what does not say."""
    if isinstance(record, Problem):
        return 0
    written = clean(record[1].get("position", ""))
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else 0


def _lines(records: Iterator[_Record | Problem]) -> Iterator[tuple[int, object] | Problem]:
    for record in records:
        if isinstance(record, Problem):
            yield record
            continue
        number, fields = record
        if "line" in fields:
            yield number, _line(fields)
        else:
            # A cell does not tell which of its lines stood in which line of the file.
            yield from ((number, text) for text in fields.get("lyrics", "").splitlines())


def _line(fields: Mapping[str, str]) -> Mapping[str, Any]:
    start_ms = clean(fields.get("start_ms", ""))
    return {
        "text": fields["line"],
        "start": fields.get("start"),
        "start_ms": int(start_ms) if start_ms.isascii() and start_ms.isdigit() and len(start_ms) < 10 else None,
        "label": fields.get("emotion"),
        "secondary": fields.get("secondary"),
    }
