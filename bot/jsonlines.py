"""`ebyul read --jsonl`: texts on standard input, a JSON object a line → their readings, a line each, in order."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedIOBase
from typing import NamedTuple, Protocol, TextIO

from bot.emotion import EMOTIONS, Reading
from bot.locales import Sentences

# Lines read at once: the model reads windows of one shape together.
_BATCH = 256
_CHUNK = 1 << 18
# A longer line is cut, so that input without line breaks cannot fill the memory.
_LONGEST = 1 << 20

# What JSON may hold as it is but a terminal would act on, and halves of surrogate pairs, which UTF-8 cannot write.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Reads(Protocol):
    """What this needs of `bot.emotion.Reader`."""

    def read(self, texts: Sequence[str]) -> list[Reading]: ...


class Request(NamedTuple):
    """One line: its id, and its text or the key of what is wrong with it."""

    id: object
    text: str | None
    problem: str = ""


def read_stream(reader: Reads, source: BufferedIOBase, target: TextIO, say: Sentences) -> None:
    """Answers every line of `source`. What can be read without waiting is answered before waiting for more."""
    for lines in waiting_lines(source):
        for start in range(0, len(lines), _BATCH):
            batch = [request(line) for line in lines[start : start + _BATCH]]
            target.writelines(f"{line}\n" for line in _answers(reader, batch, say))
            target.flush()


def waiting_lines(source: BufferedIOBase) -> Iterator[list[bytes]]:
    """The lines of a stream, without their ends, in groups that could be read without waiting."""
    rest = b""
    # read1 gives what a pipe holds now, and waits only when it holds nothing.
    while chunk := source.read1(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[:_LONGEST]
        if lines:
            yield [line.removesuffix(b"\r") for line in lines]
    if rest:
        yield [rest]


def request(line: bytes) -> Request:
    """What one line asks."""
    try:
        found = json.loads(line.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_finite)
    except UnicodeDecodeError:
        return Request(None, None, "read.not_utf8")
    except (ValueError, RecursionError):  # also an integer of too many digits, brackets nested too deep
        return Request(None, None, "read.not_json")
    if not isinstance(found, dict):
        return Request(None, None, "read.not_an_object")
    number, text = found.get("id"), found.get("text")
    if not _can_be_written(number):
        return Request(None, None, "read.not_json")
    if text is None:
        return Request(number, None, "read.no_text")
    return Request(number, text) if isinstance(text, str) else Request(number, None, "read.text_not_string")


def to_json(value: object, *, indent: int | None = None) -> str:
    """JSON with letters as they are, and escaped what a terminal acts on or UTF-8 cannot write."""
    written = json.dumps(value, ensure_ascii=False, indent=indent)
    return _ESCAPED.sub(lambda sign: f"\\u{ord(sign[0]):04x}", written)


def shares(probabilities: Iterable[float]) -> dict[str, float]:
    """A distribution by the names of its outcomes."""
    return {str(emotion): share for emotion, share in zip(EMOTIONS, probabilities, strict=True)}


def _answers(reader: Reads, batch: Sequence[Request], say: Sentences) -> Iterator[str]:
    readings = iter(reader.read([one.text for one in batch if one.text is not None]))
    for one in batch:
        if one.text is None:
            yield to_json({"id": one.id, "error": say(one.problem)})
        else:
            yield to_json({"id": one.id, **_told(next(readings))})


def _told(reading: Reading) -> dict[str, object]:
    return {
        "emotion": str(reading.emotion),
        "probabilities": shares(reading.probabilities),
        "unsure": reading.unsure,
    }


def _can_be_written(number: object) -> bool:
    try:
        json.dumps(number)
    except RecursionError:  # read within the limit, but written a few calls deeper
        return False
    return True


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)
