"""What comes out of a song file: drafts of songs, and problems told in the person's language."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.locales import sentences

_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class LineDraft:
    """One lyric line: cleaned text, when it is sung (milliseconds), and the emotions its writer gave it."""

    text: str
    start_ms: int | None = None
    label: str | None = None
    secondary: str | None = None


@dataclass(frozen=True, slots=True)
class SongDraft:
    """One song as a file tells it."""

    title: str
    artist: str
    lines: tuple[LineDraft, ...] = ()
    year: int | None = None
    language: str = "ko"
    genre: str | None = None
    story: Mapping[str, str] = field(default_factory=dict)
    """A sentence on the song, by language code."""
    mixture: Mapping[str, float] | None = None
    """Shares of the four emotions, all of them, that sum to 1."""
    themes: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    """http and https addresses."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that could not be used: a key of the locales with its values, and where it stands."""

    path: Path
    line: int | None
    """Counted from 1; None for the file or folder as a whole."""
    key: str
    values: Mapping[str, object]

    def tell(self, locale: str) -> str:
        """The sentence in `locale` (``ko`` or ``en``): ``song.jsonl, line 7: …``."""
        say = sentences(locale)
        values = {name: _shown(value) for name, value in self.values.items()}
        where = "songfiles.in_file" if self.line is None else "songfiles.at_line"
        return say(where, path=_printable(str(self.path)), line=self.line, what=say(self.key, **values))


def _shown(value: object) -> object:
    """A value of a file as a sentence may name it: numbers as they are, the rest short and printable."""
    if isinstance(value, int) and abs(value) < 10**_LONGEST_SHOWN:
        return value
    try:
        text = _printable(str(value))
    except (ValueError, RecursionError):  # an integer of thousands of digits; a value nested a thousand deep
        return "…"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _printable(text: str) -> str:
    # A control character would act in the terminal; half a surrogate pair cannot be printed at all.
    return "".join(c if c.isprintable() or c == " " else "�" for c in unicodedata.normalize("NFC", text))
