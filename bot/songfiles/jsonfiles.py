"""JSON lines (a song a line), and JSON (an array of songs, or songs one after the other)."""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

from bot.songfiles.drafts import Problem, SongDraft
from bot.songfiles.encoding import TextFile
from bot.songfiles.song import song

# Unlike JSON lines, a JSON file is held as a whole while it is read.
LARGEST = 64_000_000

# Control characters within strings are let through here and dropped from the texts later.
_DECODER = json.JSONDecoder(strict=False)
_BETWEEN = re.compile(r"[\s,]*")


def read_json_lines(file: TextFile) -> Iterator[SongDraft | Problem]:
    """The songs of a file with a JSON object a line."""
    for row in file.rows():
        if isinstance(row, Problem):
            yield row
        elif row.text.strip(" \t\r\ufeff\0"):
            try:
                value = _DECODER.decode(row.text)
            except (ValueError, RecursionError) as error:
                yield _bad_json(file, row.number, error)
            else:
                yield from _song(file, row.number, value)


def read_json(file: TextFile) -> Iterator[SongDraft | Problem]:
    """The songs of a JSON file, one decoded at a time; after a mistake there is no telling where the next one begins."""
    if os.fstat(file.stream.fileno()).st_size > LARGEST:
        yield file.problem(None, "json_too_large", limit=LARGEST // 1_000_000)
        return
    try:
        text = file.stream.read()
    except UnicodeDecodeError:
        yield file.problem(None, "damaged_file")
        return
    if file.damaged(text):
        yield file.problem(None, "damaged_file")
    else:
        yield from _values(file, text)


def _values(file: TextFile, text: str) -> Iterator[SongDraft | Problem]:
    position = len(text) - len(text.lstrip("\ufeff \t\r\n"))
    in_array = text.startswith("[", position)
    position += in_array
    number, counted = 1, 0
    while (position := _next(text, position)) < len(text):
        number, counted = number + text.count("\n", counted, position), position
        if in_array and text[position] == "]":
            in_array, position = False, position + 1
            continue
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            yield _bad_json(file, getattr(error, "lineno", number), error)
            return
        yield from _song(file, number, value)
    if in_array:
        yield file.problem(number, "bad_json", reason="']' missing")


def _next(text: str, position: int) -> int:
    """Where the next value begins, the end of the text after the last one."""
    found = _BETWEEN.match(text, position)
    return found.end() if found else position


def _bad_json(file: TextFile, number: int, error: ValueError | RecursionError) -> Problem:
    if isinstance(error, RecursionError):
        return file.problem(number, "too_deep")
    if isinstance(error, json.JSONDecodeError):
        return file.problem(number, "bad_json", reason=error.msg)
    return file.problem(number, "bad_json", reason=error)  # an integer of thousands of digits


def _song(file: TextFile, number: int, value: Any) -> Iterator[SongDraft | Problem]:
    if not isinstance(value, dict):
        yield file.problem(number, "not_an_object")
        return
    lines = value.get("lyrics") if value.get("lines") is None else value["lines"]
    if isinstance(lines, str):
        lines = lines.splitlines()
    if lines is not None and not isinstance(lines, list):
        yield file.problem(number, "bad_lines")
        lines = None
    yield from song(file, number, value, ((number, line) for line in lines or ()))
