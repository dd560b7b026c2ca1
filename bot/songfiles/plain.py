"""Plain text: header lines, a blank line, lyrics; or lyrics alone in a file called "Artist - Title.txt"."""

import itertools
import re
from collections.abc import Iterator
from operator import itemgetter

from bot.songfiles.drafts import Problem, SongDraft
from bot.songfiles.encoding import Row, TextFile
from bot.songfiles.song import song
from bot.songfiles.words import LONGEST_NAME, clean, from_file_name, header_field

_BETWEEN_SONGS = re.compile("-{3,}|={3,}")
_NAMED = re.compile(r"([^:：]{1,20})[:：]\s*(.*)")
_OTHER_NAMES = frozenset(
    [
        "album",
        "앨범",
        "작사",
        "작곡",
        "편곡",
        "발매",
        "발매일",
        "작사가",
        "작곡가",
        "lyrics",
        "composer",
        "lyricsby",
        "composedby",
        "writtenby",
    ]
)
_HEADER = frozenset(["title", "artist", "year", "language", "genre", "story", "links", "themes"])


def read_plain(file: TextFile) -> Iterator[SongDraft | Problem]:
    """The songs of a text, parted by lines of ``---`` or ``===``."""
    for block, numbered in itertools.groupby(_blocks(file.rows()), key=itemgetter(0)):
        rows = (row for _, row in numbered)
        yield from _song(file, rows, from_file_name(file.path.stem) if block == 0 else {})


def _blocks(rows: Iterator[Row | Problem]) -> Iterator[tuple[int, Row | Problem]]:
    """Rows with the number of their song. What stands before a first dividing line only counts where it says anything."""
    block, said = 0, False
    for row in rows:
        text = clean(row.text) if isinstance(row, Row) else "?"
        if _BETWEEN_SONGS.fullmatch(text):
            block, said = block + said, False
        elif text:
            said = True
            yield block, row
        elif said:
            yield block, row


def _song(file: TextFile, rows: Iterator[Row | Problem], fields: dict[str, str]) -> Iterator[SongDraft | Problem]:
    number: int | None = None
    header: dict[str, str] = {}
    lyrics = rows
    for row in rows:
        if isinstance(row, Problem):
            yield row
            continue
        number = number or row.number
        if not clean(row.text):
            break
        if not _take(row.text, header):
            lyrics = itertools.chain([row], rows)
            break
    if number is not None:
        yield from song(file, number, {**fields, **header}, lyrics)


def _take(text: str, header: dict[str, str]) -> bool:
    """Puts a header line into `header`; False for a line of the lyrics."""
    named = _NAMED.fullmatch(clean(text[: 10 * LONGEST_NAME]))
    if not named:
        return False
    field = header_field(named[1])
    if field in _HEADER and field not in header:
        header[field] = named[2]
        return True
    return bool(header) and re.sub(r"\s", "", named[1]).casefold() in _OTHER_NAMES
