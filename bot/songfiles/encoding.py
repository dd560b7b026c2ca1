"""Bytes → numbered lines of text: UTF-8, UTF-16 or CP949, told apart by strict decoding of the first megabyte.

A guesser (chardet, charset-normalizer) was not needed: Korean in CP949 is all but never valid UTF-8, and the reverse
shows in how many characters decode.
"""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from bot.songfiles.drafts import Problem

LONGEST_ROW = 10_000_000
_SAMPLE = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# What `surrogateescape` makes of a byte that cannot be decoded.
_ESCAPED = re.compile("[\udc80-\udcff]")
_CONTROLS = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f]")
# ASCII, Hangul, kana and the signs between: what a Korean or English text is made of, and what the bytes of other
# encodings read as UTF-16 seldom give (they give ideographs).
_USUAL = re.compile("[\t\n\r -~\u1100-\u11ff\u2000-\u206f\u3000-\u30ff\u3130-\u318f\uac00-\ud7a3]")


class Row(NamedTuple):
    """A line of a file without its end, with its number counted from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class TextFile:
    """An open file with its encoding known; `rows` may be gone through once."""

    path: Path
    stream: io.TextIOWrapper

    def rows(self) -> Iterator[Row | Problem]:
        """Every line; one that cannot be decoded or has over `LONGEST_ROW` characters is a Problem instead."""
        number = 0
        try:
            while text := self.stream.readline(LONGEST_ROW + 1):
                number += 1
                if len(text) > LONGEST_ROW and not text.endswith("\n"):
                    self._skip_rest_of_row()
                    yield self.problem(number, "huge_row", limit=LONGEST_ROW)
                elif self.damaged(text):
                    yield self.problem(number, "undecodable")
                else:
                    yield Row(number, text.rstrip("\n"))
        except UnicodeDecodeError:  # UTF-16 that ends within a character; the other encodings escape
            yield self.problem(number + 1, "undecodable")

    def problem(self, line: int | None, key: str, **values: object) -> Problem:
        """A Problem of this file, by its key within ``songfiles``."""
        return Problem(self.path, line, f"songfiles.{key}", values)

    def damaged(self, text: str) -> bool:
        """Whether some bytes of a text read from `stream` could not be decoded."""
        return self.stream.errors == "surrogateescape" and _ESCAPED.search(text) is not None

    def _skip_rest_of_row(self) -> None:
        while (rest := self.stream.readline(_SAMPLE)) and not rest.endswith("\n"):
            pass


def open_text(path: Path, stream: BinaryIO) -> TextFile | Problem:
    """A file opened for reading bytes, at its beginning, as text. OSError where it cannot be read."""
    sample = stream.read(_SAMPLE)
    if not sample.strip():
        return Problem(path, None, "songfiles.empty_file", {})
    whole = len(sample) < _SAMPLE
    bom, encoding = next(((bom, name) for bom, name in _BOMS if sample.startswith(bom)), (b"", None))
    encoding = encoding or _encoding(sample, whole=whole)
    if encoding is None:
        return Problem(path, None, "songfiles.unknown_encoding", {})
    stream.seek(len(bom))
    # Half a surrogate pair is no reason to lose a line of UTF-16: it is dropped later.
    errors = "surrogatepass" if encoding.startswith("utf-16") else "surrogateescape"
    return TextFile(path, io.TextIOWrapper(stream, encoding=encoding, errors=errors))


def _encoding(sample: bytes, *, whole: bool) -> str | None:
    """The encoding of a text without BOM, None for what is no text. `whole`: nothing comes after the sample."""
    wide = _utf_16(sample) if b"\0" in sample else None
    if wide is not None:
        return wide
    if not _is_text(sample):
        return None
    if _decodes(sample, "utf-8", final=whole) or _damaged_utf_8(sample):
        return "utf-8"
    # A file cut off within its last character is still CP949; that line becomes a Problem.
    return "cp949" if _decodes(sample, "cp949", final=False) else None


def _utf_16(sample: bytes) -> str | None:
    """UTF-16 shows by the NUL beside each ASCII character: before it (big-endian) or after it (little-endian)."""
    before, after = sample[::2].count(0), sample[1::2].count(0)
    encoding = "utf-16-be" if before > after else "utf-16-le"
    if max(before, after) < len(sample) / 4 and _decodes(sample, "utf-8", final=False):
        return None  # a stray NUL or two in UTF-8
    text = sample.decode(encoding, "replace")
    return encoding if len(_USUAL.findall(text)) > 0.7 * len(text) else None


def _is_text(sample: bytes) -> bool:
    return len(_CONTROLS.findall(sample.decode("latin-1"))) <= len(sample) / 10


def _decodes(sample: bytes, encoding: str, *, final: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample, final)
    except UnicodeDecodeError:
        return False
    return True


def _damaged_utf_8(sample: bytes) -> bool:
    """Whether more characters beyond ASCII decode as UTF-8 than bytes do not; of Korean in CP949 hardly one in ten does."""
    text = sample.decode("utf-8", "surrogateescape")
    beyond = sum(not c.isascii() for c in text)
    return beyond > 2 * len(_ESCAPED.findall(text))
