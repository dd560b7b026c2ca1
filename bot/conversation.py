"""The conversation in a terminal: each line is a message or a command, and nothing said is kept beyond the session."""

import secrets
import unicodedata
from typing import Protocol

from bot.answer import Answer
from bot.emotion import EMOTIONS, Emotion
from bot.locales import LANGUAGES, sentences
from bot.printable import printable
from bot.terminal import Screen

_LONGEST_ECHO = 20


class Answers(Protocol):
    """What a conversation needs of `bot.answer.Answerer`."""

    async def answer(
        self, message: str, *, seed: int, recent: set[int], avoided: set[int], feels: Emotion | None
    ) -> Answer: ...


class Conversation:
    """Answers line after line; remembers the last message and the songs shown."""

    def __init__(self, answerer: Answers, screen: Screen) -> None:
        self._answerer = answerer
        self._screen = screen
        self._message: str | None = None
        self._feels: Emotion | None = None
        self._shown: set[int] = set()
        self._shown_for_message: set[int] = set()

    async def hear(self, line: str) -> bool:
        """Answers one line; False when the person leaves."""
        line = line.strip()
        command, _, rest = line.partition(" ")
        if _same(line) in _MORE:
            await self._more()
        elif not line.startswith("/"):
            if line:
                await self._new(line)
        elif command == "/emotion":
            await self._correct(rest)
        elif command == "/help":
            self._screen.sentence("chat.help")
        elif command == "/quit":
            return False
        else:
            self._screen.sentence("chat.command_unknown", command=_shortened(command))
        return True

    async def _new(self, message: str) -> None:
        self._message, self._feels = message, None
        self._shown_for_message.clear()
        await self._answer()

    async def _more(self) -> None:
        if self._message is None:
            self._screen.sentence("chat.nothing_before")
        else:
            await self._answer()

    async def _correct(self, name: str) -> None:
        emotion = _EMOTIONS.get(_same(name))
        if self._message is None:
            self._screen.sentence("chat.nothing_before")
        elif emotion is None:
            known = ", ".join(self._screen.say(f"emotion.{one}") for one in EMOTIONS)
            self._screen.sentence("chat.emotion_unknown", known=known)
        else:
            self._feels = emotion
            await self._answer()

    async def _answer(self) -> None:
        answer = await self._choose()
        if not answer.suggestions and self._shown_for_message:
            self._screen.sentence("chat.again_from_start")
            self._shown_for_message.clear()
            answer = await self._choose()
        songs = {suggestion.song.id for suggestion in answer.suggestions}
        self._shown |= songs
        self._shown_for_message |= songs
        self._screen.answer(answer, self._feels)
        self._screen.blank()

    async def _choose(self) -> Answer:
        return await self._answerer.answer(
            self._message or "",
            seed=secrets.randbits(32),
            recent=set(self._shown),
            avoided=set(self._shown_for_message),
            feels=self._feels,
        )


def _same(word: str) -> str:
    """Equal for the ways of typing one word: decomposed Hangul, case, blanks, a stop at the end."""
    return "".join(unicodedata.normalize("NFC", word).casefold().split()).rstrip(".!~")


def _emotions() -> dict[str, Emotion]:
    """The names of the emotions in every language."""
    names = {str(emotion): emotion for emotion in EMOTIONS}
    for say in map(sentences, LANGUAGES):
        names |= {_same(say(f"emotion.{emotion}")): emotion for emotion in EMOTIONS}
        names |= {_same(name): Emotion.INDIFFERENCE for name in say("chat.also_indifference").split()}
        names |= {_same(name): Emotion.NONE for name in say("chat.also_none").split()}
    return names


def _shortened(word: str) -> str:
    word = printable(word)
    return word if len(word) <= _LONGEST_ECHO else f"{word[: _LONGEST_ECHO - 1]}…"


_MORE = frozenset(f"{slash}{_same(sentences(one)('chat.more_word'))}" for one in LANGUAGES for slash in ("", "/"))
_EMOTIONS = _emotions()
