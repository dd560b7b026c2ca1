"""Every sentence a person sees, one TOML file a language; Korean particles follow the word before them.

A sentence is a `str.format` text. ``{word:을/를}`` writes the word and the particle that fits its last sound.
"""

import functools
import string
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

LANGUAGES = ("ko", "en")

# How a final sound is read for the signs that have no Hangul final of their own: 0, 1, 3, 6, 7, 8 and l, m, n, r.
_CLOSED_SIGNS = frozenset("013678lmnr")
_RIEUL_SIGNS = frozenset("178lr")


class _WithParticles(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        closed, slash, opened = format_spec.partition("/")
        if not slash:
            return str(super().format_field(value, format_spec))
        return f"{value}{_particle(str(value), closed, opened)}"


def _particle(word: str, closed: str, opened: str) -> str:
    """The particle after `word`: `closed` after a consonant (을), `opened` after a vowel (를); 로 also follows ㄹ."""
    last = next((c for c in reversed(word) if c.isalnum()), "")
    if "가" <= last <= "힣":
        coda = (ord(last) - ord("가")) % 28
        is_closed, is_rieul = coda != 0, coda == 8
    else:
        is_closed, is_rieul = last.lower() in _CLOSED_SIGNS, last.lower() in _RIEUL_SIGNS
    if closed.startswith("으로") and is_rieul:
        return opened
    return closed if is_closed else opened


class Sentences:
    """The sentences of one language. Call it with a key and the values the sentence names."""

    def __init__(self, language: str, table: Mapping[str, str]) -> None:
        self.language = language
        self._table = table
        self._formatter = _WithParticles()

    def __call__(self, key: str, **values: object) -> str:
        return self._formatter.vformat(self._table[key], (), values)

    def keys(self) -> frozenset[str]:
        return frozenset(self._table)


@functools.cache
def sentences(language: str) -> Sentences:
    """The sentences of `language` (``ko`` or ``en``); KeyError for another."""
    if language not in LANGUAGES:
        raise KeyError(language)
    source = resources.files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return Sentences(language, dict(_flat(tomllib.loads(source))))


def _flat(table: Mapping[str, Any], before: str = "") -> Any:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value
