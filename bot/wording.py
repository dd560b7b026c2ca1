"""What an Answer says in sentences, whoever shows it. Values go in as they are: whoever shows them makes them safe."""

import re
from urllib.parse import quote, unquote

from bot.answer import Suggestion, Why
from bot.emotion import EMOTIONS, Emotion, Reading
from bot.locales import Sentences
from bot.songs import Song

# Below this the second feeling of an unsure reading is no feeling to name.
_NEAR = 0.15
_ESCAPES = re.compile("(?:%[0-9A-Fa-f]{2})+")
_URL_SIGNS = ":/?#[]@!$&'()*+,;=%-._~"


def reading_sentence(reading: Reading, say: Sentences, corrected: Emotion | None = None) -> str:
    """What the reading says of the writer; `corrected` is the feeling the writer named instead."""
    if not reading.tokens:
        return say("reading.nothing")
    if corrected is Emotion.NONE:
        return say("reading.corrected_none")
    if corrected:
        return say("reading.corrected", feeling=say(f"emotion.{corrected}"))
    if not reading.unsure:
        return say(f"reading.{reading.emotion}")
    return _unsure_sentence(reading, say)


def _unsure_sentence(reading: Reading, say: Sentences) -> str:
    first, second = sorted(EMOTIONS, key=reading.of, reverse=True)[:2]
    if Emotion.NONE not in (first, second) and reading.of(second) >= _NEAR:
        return say("reading.between", first=say(f"emotion.{first}"), second=say(f"emotion.{second}"))
    feeling = second if first is Emotion.NONE else first
    if reading.of(feeling) < _NEAR:
        return say("reading.unclear")
    return say("reading.faint", feeling=say(f"emotion.{feeling}"))


def why_sentence(suggestion: Suggestion, reading: Reading, say: Sentences) -> str:
    """Why a song was chosen: words in both or near in meaning, and the feeling where there is one."""
    why = suggestion.why
    kind = "line" if suggestion.lines else "story"
    felt = reading.emotion is not Emotion.NONE
    values = {"feeling": say(f"emotion.{why.feeling}")} if felt else {}
    if why.shared:
        words = _words(why, say)
        return say(f"why.{kind}_shared" if felt else f"why.{kind}_shared_meaning", words=words, **values)
    if why.related:
        here, there = (say("why.word", word=word) for word in why.related)
        return say(f"why.{kind}_related" if felt else f"why.{kind}_related_meaning", here=here, there=there, **values)
    return say(f"why.{kind}_feeling" if felt else f"why.{kind}_meaning", **values)


def _words(why: Why, say: Sentences) -> str:
    words = [say("why.word", word=word) for word in why.shared]
    return words[0] if len(words) == 1 else say("why.two_words", first=words[0], second=words[1])


def title(song: Song, say: Sentences) -> str:
    """Title — artist (year); of a song of ours, that there are only words."""
    if song.source == "original":
        return say("answer.song_words", title=song.title, artist=song.artist)
    if song.year is None:
        return say("answer.song", title=song.title, artist=song.artist)
    return say("answer.song_year", title=song.title, artist=song.artist, year=song.year)


def story(suggestion: Suggestion, language: str) -> str:
    """Our sentence on a song without lyrics, in the language where there is one."""
    written = suggestion.song.story.get(language)
    return written or (suggestion.passages[0].text if suggestion.passages else "")


def address(link: str) -> str:
    """A link in ASCII, fit to be followed."""
    return quote(link.encode("utf-8", "replace"), safe=_URL_SIGNS)


def readable_address(link: str) -> str:
    """A link whose letters are to be read (이별, not %EC%9D%B4%EB%B3%84); all other signs stay escaped."""
    return _ESCAPES.sub(_letters, address(link))


def _letters(escapes: re.Match[str]) -> str:
    signs = unquote(escapes[0], errors="replace")
    if "\ufffd" in signs:  # no UTF-8
        return escapes[0]
    # Letters and digits alone: nothing that acts, separates or cuts the link comes out.
    return "".join(c if c.isalnum() else quote(c) for c in signs)
