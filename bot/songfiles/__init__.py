"""Files of songs → drafts: the reader of what a person may import. Knows no database and no Discord.

JSON lines, JSON, CSV, TSV, plain text and LRC, in UTF-8, UTF-16 or CP949. Everything is read as it is asked for, so a
folder of a hundred thousand files or a file of a million songs takes no more memory than one song.
"""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.songfiles.drafts import LineDraft, Problem, SongDraft
from bot.songfiles.encoding import TextFile, open_text
from bot.songfiles.jsonfiles import read_json, read_json_lines
from bot.songfiles.lrc import read_lrc
from bot.songfiles.plain import read_plain
from bot.songfiles.table import read_table

__all__ = ["SUFFIXES", "LineDraft", "Problem", "SongDraft", "read"]

_READERS: dict[str, Callable[[TextFile], Iterator[SongDraft | Problem]]] = {
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json,
    ".csv": read_table,
    ".tsv": read_table,
    ".txt": read_plain,
    ".lrc": read_lrc,
}
SUFFIXES = tuple(_READERS)


def read(path: Path) -> Iterator[SongDraft | Problem]:
    """The songs of a file, or of a folder with its subfolders in the order of their names, and what was wrong in them.

    The problems of a song come before it. Hidden files, links to folders and other kinds of files in a folder are
    passed over. Nothing in a file or about it raises: it is a Problem.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        yield _unreadable(path, error)
        return
    if stat.S_ISDIR(mode):
        yield from _read_folder(path)
    elif path.suffix.lower() not in _READERS:
        yield Problem(path, None, "songfiles.unknown_kind", {"kinds": " ".join(SUFFIXES)})
    elif not stat.S_ISREG(mode):
        yield Problem(path, None, "songfiles.not_a_file", {})
    else:
        yield from _read_file(path)


def _read_folder(folder: Path) -> Iterator[SongDraft | Problem]:
    nothing = True
    for found in _walk(folder):
        nothing = False
        if isinstance(found, Problem):
            yield found
        else:
            yield from _read_file(found)
    if nothing:
        yield Problem(folder, None, "songfiles.empty_folder", {"kinds": " ".join(SUFFIXES)})


def _walk(folder: Path) -> Iterator[Path | Problem]:
    # Not recursive: folders may be nested deeper than Python calls may.
    waiting: list[tuple[Path, bool]] = [(folder, True)]
    while waiting:
        path, is_folder = waiting.pop()
        if not is_folder:
            yield path
            continue
        try:
            waiting += _entries(path)
        except OSError as error:
            yield _unreadable(path, error)


def _entries(folder: Path) -> list[tuple[Path, bool]]:
    """The song files and subfolders of a folder, last name first, each with whether it is a folder."""
    with os.scandir(folder) as entries:
        names = sorted((entry for entry in entries if _wanted(entry)), key=lambda entry: entry.name, reverse=True)
    return [(folder / entry.name, entry.is_dir(follow_symlinks=False)) for entry in names]


def _wanted(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith("."):
        return False
    if entry.is_dir(follow_symlinks=False):  # a link to a folder may lead back to where it is
        return True
    if Path(entry.name).suffix.lower() not in _READERS:
        return False
    try:
        return stat.S_ISREG(entry.stat().st_mode)  # opening a named pipe would wait for ever
    except OSError:
        return True  # so that opening it tells what is wrong


def _read_file(path: Path) -> Iterator[SongDraft | Problem]:
    nothing = True
    try:
        with path.open("rb") as stream:
            file = open_text(path, stream)
            found = iter((file,)) if isinstance(file, Problem) else _READERS[path.suffix.lower()](file)
            for item in found:
                nothing = False
                yield item
    except OSError as error:
        nothing = False
        yield _unreadable(path, error)
    if nothing:
        yield Problem(path, None, "songfiles.no_songs", {})


def _unreadable(path: Path, error: OSError | ValueError) -> Problem:
    if isinstance(error, (FileNotFoundError, ValueError)):
        return Problem(path, None, "songfiles.missing", {})
    if isinstance(error, PermissionError):
        return Problem(path, None, "songfiles.forbidden", {})
    return Problem(path, None, "songfiles.unreadable", {"reason": error.strerror or type(error).__name__})
