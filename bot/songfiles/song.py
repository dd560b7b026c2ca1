"""The fields of one song, however its file wrote them → a checked draft, with a problem for each that cannot be used."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from bot.songfiles.drafts import LineDraft, Problem, SongDraft
from bot.songfiles.encoding import Row, TextFile
from bot.songfiles.words import LABELS, LONGEST_LINE, LONGEST_NAME, clean, is_section_mark, label

MOST_LINES = 500
# Raw lines of one song that are looked at: enough for blank lines and section marks, and little enough to be held.
MOST_ROWS = 20 * MOST_LINES
EMOTIONS: Final = LABELS[:4]

_MOST_WORDS = 50
_LONGEST_STORY = 500
_LONGEST_LINK = 512  # of a Discord link button
_LAST_START = 24 * 60 * 60 * 1000
_YEARS = range(1000, 3000)
_CLOCK = re.compile(r"(?:([0-9]{1,2}):)?([0-9]{1,3}):([0-9]{1,2}(?:[.,][0-9]{1,3})?)")

# Tells a problem of the place in hand: the key within `songfiles`, and the values its sentence names.
Tell = Callable[..., None]


def song(
    file: TextFile, number: int | None, fields: Mapping[str, Any], lines: Iterable[tuple[int, object] | Row | Problem]
) -> Iterator[SongDraft | Problem]:
    """One song from its raw fields (the names of `words.FIELDS`) and raw lines, each with its line in the file.

    A raw line is a text, ``[text, label, secondary?]`` or an object with text, start (seconds) or start_ms,
    emotion or label, and secondary. The problems come first; without a usable title, artist or content no song comes.
    """
    problems: list[Problem] = []

    def tell(key: str, **values: object) -> None:
        problems.append(file.problem(number, key, **values))

    title = _name(fields.get("title"), "title", tell)
    artist = _name(fields.get("artist"), "artist", tell)
    if title is None or artist is None:
        yield from problems
        return
    language = _language(fields.get("language"), tell)
    draft = SongDraft(
        title=title,
        artist=artist,
        lines=tuple(_lines(file, lines, problems)),
        year=_year(fields.get("year"), tell),
        language=language,
        genre=_short(fields.get("genre"), "genre", LONGEST_NAME, tell),
        story=_story(fields, language, tell),
        mixture=_feeling(fields.get("emotion"), tell),
        themes=_themes(fields.get("themes"), tell),
        links=_links(fields.get("links"), tell),
    )
    if draft.lines or draft.mixture or draft.story:
        yield from problems
        yield draft
    else:
        tell("nothing_to_find", title=title)
        yield from problems


def _name(value: object, what: str, tell: Tell) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9:
        value = str(value)  # a song may be called 1994
    if not isinstance(value, str) or not (text := clean(value)):
        tell(f"{what}_missing")
        return None
    if len(text) > LONGEST_NAME:
        tell(f"{what}_too_long", limit=LONGEST_NAME, **{what: text})
        return None
    return text


def _language(value: object, tell: Tell) -> str:
    if value is None or value == "":
        return "ko"
    code = clean(value).lower() if isinstance(value, str) else ""
    if re.fullmatch("[a-z]{2,3}", code):
        return code
    tell("bad_language", language=value)
    return "ko"


def _year(value: object, tell: Tell) -> int | None:
    if value is None or value == "":
        return None
    year: object = value
    if isinstance(value, str) and (written := re.fullmatch("([0-9]{4})년?", clean(value))):
        year = int(written[1])
    if isinstance(year, int) and not isinstance(year, bool) and year in _YEARS:
        return year
    tell("bad_year", year=value)
    return None


def _short(value: object, what: str, longest: int, tell: Tell) -> str | None:
    """A text that may be missing and has no line breaks; a Problem where it is no text or too long."""
    if value is None:
        return None
    if not isinstance(value, str) or len(text := clean(value)) > longest:
        tell("bad_text", field=what, limit=longest)
        return None
    return text or None


def _story(fields: Mapping[str, Any], language: str, tell: Tell) -> dict[str, str]:
    stories = {}
    for name, code in (("story", language), ("story_ko", "ko"), ("story_en", "en")):
        if text := _short(fields.get(name), name, _LONGEST_STORY, tell):
            stories[code] = text
    return stories


def _feeling(value: object, tell: Tell) -> dict[str, float] | None:
    """The mixture of a song. One label for a whole song is checked, but says too little to find a song by."""
    if isinstance(value, Mapping):
        mixture = _mixture(value)
        if mixture is None:
            tell("bad_mixture")
        return mixture
    _label(value, tell)
    return None


def _mixture(value: Mapping[str, object]) -> dict[str, float] | None:
    parts = {label(name): part for name, part in value.items()}
    if len(parts) < len(value) or not parts.keys() <= set(EMOTIONS):
        return None
    shares = [_number(parts.get(emotion, 0)) for emotion in EMOTIONS]
    total = math.fsum(shares) if all(math.isfinite(share) for share in shares) else math.nan
    if min(shares) < 0 or not 1e-9 < total < 1e9:
        return None
    return {emotion: share / total for emotion, share in zip(EMOTIONS, shares, strict=True)}


def _number(value: object) -> float:
    """A JSON number as float, NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _label(value: object, tell: Tell) -> str | None:
    if value is None or value == "":
        return None
    known = label(value) if isinstance(value, str) else None
    if known is None:
        tell("bad_label", label=value, labels=", ".join(LABELS))
    return known


def _themes(value: object, tell: Tell) -> tuple[str, ...]:
    words = _list(re.split("[,;|\n]", value) if isinstance(value, str) else value, "themes", tell)
    themes = (_short(word, "themes", LONGEST_NAME, tell) for word in words)
    return tuple(dict.fromkeys(theme for theme in themes if theme))


def _links(value: object, tell: Tell) -> tuple[str, ...]:
    words = _list(value.split() if isinstance(value, str) else value, "links", tell)
    links = []
    for word in words:
        if isinstance(word, str) and _is_link(word.strip()):
            links.append(word.strip())
        else:
            tell("bad_link", link=word)
    return tuple(dict.fromkeys(links))


def _list(value: object, what: str, tell: Tell) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        tell("bad_list", field=what)
        return []
    if len(value) > _MOST_WORDS:
        tell("long_list", field=what, limit=_MOST_WORDS)
    return value[:_MOST_WORDS]


def _is_link(text: str) -> bool:
    if (
        len(text) > _LONGEST_LINK
        or not re.fullmatch(r"https?://[^\s<>\"\\]+", text, re.IGNORECASE)
        or text != clean(text)
    ):
        return False
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:  # half an IPv6 address
        return False


def _lines(
    file: TextFile, lines: Iterable[tuple[int, object] | Row | Problem], problems: list[Problem]
) -> Iterator[LineDraft]:
    count = 0
    for place, raw in enumerate(lines):
        if isinstance(raw, Problem):
            problems.append(raw)
            continue
        drafted, wrong = _line(file, raw[0], raw[1])
        problems += wrong
        if place == MOST_ROWS or (drafted and count == MOST_LINES):
            problems.append(file.problem(raw[0], "too_many_lines", limit=MOST_LINES))
            return
        if drafted:
            count += 1
            yield drafted


def _line(file: TextFile, number: int, value: object) -> tuple[LineDraft | None, list[Problem]]:
    problems: list[Problem] = []

    def tell(key: str, **values: object) -> None:
        problems.append(file.problem(number, key, **values))

    parts = _parts(value)
    written = parts.get("text")
    if not isinstance(written, str):
        tell("bad_line")
        return None, problems
    text = clean(written)
    if len(text) > LONGEST_LINE:
        tell("line_too_long", line_text=text[:LONGEST_NAME], limit=LONGEST_LINE)
        return None, problems
    if not text or is_section_mark(text):
        return None, problems
    first = _label(parts.get("label"), tell)
    return LineDraft(text, _start(parts, tell), first, _label(parts.get("secondary"), tell)), problems


def _parts(value: object) -> Mapping[str, object]:
    """Text, label, secondary, start and start_ms of a raw line, those it has."""
    if isinstance(value, Mapping):
        return {**value, "label": value.get("emotion") if value.get("label") is None else value["label"]}
    if isinstance(value, list):
        return dict(zip(("text", "label", "secondary"), value, strict=False))
    return {"text": value}


def _start(parts: Mapping[str, object], tell: Tell) -> int | None:
    """Milliseconds from start_ms, or from start in seconds or as a clock (1:02.5)."""
    written, scale = (parts.get("start"), 1000) if parts.get("start_ms") is None else (parts["start_ms"], 1)
    if written is None or written == "":
        return None
    start = (_seconds(written) if isinstance(written, str) else _number(written)) * scale
    if 0 <= start <= _LAST_START:
        return round(start)
    tell("bad_start", start=written)
    return None


def _seconds(text: str) -> float:
    """Seconds of a number or a clock written as text; NaN for anything else."""
    text = clean(text)
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = clock.groups(default="0")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
    return float(text) if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", text) else math.nan
