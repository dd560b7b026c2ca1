"""The words of song files: cleaned texts, and the names under which Korean and English files keep the same thing."""

import re
import unicodedata
from typing import Final

LONGEST_NAME = 200
LONGEST_LINE = 300

_BREAKS = str.maketrans(dict.fromkeys("\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029", " "))
# Byte order marks and zero-width spaces left within a text draw nothing.
_INVISIBLE = "\ufeff\u200b\u2060"

FIELDS: Final = {
    name: field
    for field, names in {
        "title": "title song 제목 곡명 노래 노래제목",
        "artist": "artist singer 가수 아티스트",
        "year": "year 연도 년도 발매연도",
        "language": "language 언어",
        "genre": "genre 장르",
        "emotion": "emotion label 감정",
        "secondary": "secondary",
        "story": "story 이야기",
        "story_ko": "story_ko",
        "story_en": "story_en",
        "themes": "themes 주제",
        "links": "links link url 링크",
        "lyrics": "lyrics 가사",
        "line": "line text",
        "start": "start 시작",
        "start_ms": "start_ms",
        "position": "position 순서",
    }.items()
    for name in names.split()
}
"""Header names, lower case without spaces, → the field of a song or a line."""

_LABELS = {
    "sadness": "sadness",
    "denial": "denial",
    "anger": "anger",
    "indifference": "indifference",
    "none": "none",
    "슬픔": "sadness",
    "부정": "denial",
    "분노": "anger",
    "무관심": "indifference",
    "관조": "indifference",
    "해당없음": "none",
}
LABELS: Final = ("sadness", "denial", "anger", "indifference", "none")

_SECTION = (
    r"(?:intro|verse|pre[- ]?chorus|post[- ]?chorus|chorus|hook|bridge|refrain|interlude|instrumental|outro|rap|"
    r"narration|lyrics|인트로|전주|간주|후주|후렴구?|벌스|브릿지|브리지|코러스|훅|아웃트로|도입부?|나레이션|내레이션|랩|반복|"
    r"[1-9]절|가사)"
)
_COUNT = r"(?:\s*(?:[0-9]{1,2}|[x×*]\s*[0-9]|중|반복|부분)){0,3}"
_SECTION_MARK = re.compile(
    rf"[\[(【<{{]\s*{_SECTION}{_COUNT}\s*(?:[:：\-–][^\])】>}}]*)?[\])】>}}]\s*:?|{_SECTION}{_COUNT}\s*[:：]?|[x×]\s*[0-9]",
    re.IGNORECASE,
)
_DASHED_NAME = re.compile(r"(.+?)\s+[-–—]\s+(.+)")


def clean(text: str) -> str:
    """A text on one line: NFC, trimmed, without control characters and lone surrogates."""
    if not text.isprintable():
        text = text.translate(_BREAKS)
        text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs") and c not in _INVISIBLE)
    return unicodedata.normalize("NFC", text).strip()


def is_section_mark(text: str) -> bool:
    """Whether a cleaned line only names a part of the song: [Verse 1], (간주), 후렴, Chorus:."""
    return len(text) <= LONGEST_NAME and _SECTION_MARK.fullmatch(text) is not None


def label(text: str) -> str | None:
    """The emotion a Korean or English name stands for; None for an unknown one."""
    return _LABELS.get(re.sub(r"\s", "", clean(text)).casefold())


def header_field(name: str) -> str | None:
    """The field a header name stands for; None for an unknown one."""
    return FIELDS.get(re.sub(r"\s", "", clean(name)).casefold())


def from_file_name(stem: str) -> dict[str, str]:
    """Artist and title of a file called "Artist - Title"; nothing where it is not."""
    named = _DASHED_NAME.fullmatch(clean(stem))
    return {"artist": named[1], "title": named[2]} if named else {}
