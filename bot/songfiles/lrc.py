"""LRC: lyric lines with the times they are sung at, ``[mm:ss.xx]``; enhanced files time each word as well."""

import itertools
import re
from collections.abc import Iterator

from bot.songfiles.drafts import Problem, SongDraft
from bot.songfiles.encoding import Row, TextFile
from bot.songfiles.song import MOST_LINES, MOST_ROWS, song
from bot.songfiles.words import LONGEST_LINE, clean, from_file_name

_TIME = re.compile(r"\s*\[([0-9]{1,3}):([0-9]{1,2})(?:[.:]([0-9]{1,3}))?\]")
_TAG = re.compile(r"\[\s*([A-Za-z#]{1,20})\s*:(.*)\]")
_WORD_TIME = re.compile(r"<[0-9]{1,3}:[0-9]{1,2}(?:[.:][0-9]{1,3})?>")
_TAGS = {"ti": "title", "ar": "artist", "offset": "offset", "la": "language"}
_IGNORED_TAGS = frozenset(["al", "au", "by", "length", "lr", "re", "tool", "ve", "#"])

# Where it is sung (milliseconds; the line before it, when it has no time of its own), its line in the file, what it is.
_Timed = tuple[int, int, dict[str, object]]


def read_lrc(file: TextFile) -> Iterator[SongDraft | Problem]:
    """The song of an LRC file, its lines in the order of their times."""
    tags: dict[str, str] = {}
    timed: list[_Timed] = []
    for row in itertools.islice(file.rows(), MOST_ROWS):
        if isinstance(row, Problem):
            yield row
        elif not _take_tag(row.text, tags):
            timed += _times(row, timed[-1][0] if timed else 0)
        if len(timed) > MOST_ROWS:
            break
    if not tags and not timed:
        return
    offset = _offset(tags.pop("offset", ""))
    if offset is None:
        yield file.problem(None, "bad_offset")
    lines = _shifted(sorted(timed, key=lambda line: line[0]), offset or 0)
    yield from song(file, None, {**from_file_name(file.path.stem), **tags}, lines)


def _take_tag(text: str, tags: dict[str, str]) -> bool:
    """Puts ``[ti:…]`` and its like into `tags`; False for a lyric line."""
    tag = _TAG.fullmatch(clean(text)) if len(text) < 1_000 else None
    if not tag:
        return False
    name = tag[1].lower()
    if name in _TAGS and (value := clean(tag[2])):
        tags[_TAGS[name]] = value
    return name in _TAGS or name in _IGNORED_TAGS


def _times(row: Row, before: int) -> Iterator[_Timed]:
    """The line at each of its times; a line without any goes with the one before it."""
    starts: list[int] = []
    end = 0
    while (time := _TIME.match(row.text, end)) and len(starts) < MOST_LINES:
        starts.append(_milliseconds(*time.groups()))
        end = time.end()
    text, times = _WORD_TIME.subn(" ", row.text[end:])
    text = " ".join(text.split()) if times else text
    text = text.strip()[: 2 * LONGEST_LINE]  # too long all the same, but short enough to be held
    if not clean(text):
        return
    if not starts:
        yield before, row.number, {"text": text}
    for start in starts:
        yield start, row.number, {"text": text, "start_ms": start}


def _milliseconds(minutes: str, seconds: str, fraction: str | None) -> int:
    return (int(minutes) * 60 + int(seconds)) * 1000 + int((fraction or "0").ljust(3, "0"))


def _offset(text: str) -> int | None:
    """Milliseconds of an offset tag, 0 without one, None where it is no number."""
    if not text:
        return 0
    return int(text) if re.fullmatch("[+-]?[0-9]{1,8}", text) else None


def _shifted(timed: list[_Timed], offset: int) -> Iterator[tuple[int, object]]:
    """A positive offset makes the lines come sooner."""
    for start, number, line in timed:
        yield number, {**line, "start_ms": max(0, start - offset)} if "start_ms" in line else line
