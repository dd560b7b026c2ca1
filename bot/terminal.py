"""Answers in a terminal, and the conversation around them. What is shown is plain text: no markup, no control signs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.style import Style
from rich.text import Text

from bot.answer import Answer, Suggestion
from bot.emotion import EMOTIONS, Emotion, Reading
from bot.indexing import Progress as Told
from bot.locales import Sentences
from bot.printable import printable
from bot.songs import LyricMatch, Passage, Song, Stats
from bot.wording import address, readable_address, reading_sentence, story, title, why_sentence

# Middle tones, readable on black and on white.
COLOURS = {
    Emotion.SADNESS: "#5b8def",
    Emotion.DENIAL: "#b07ce8",
    Emotion.ANGER: "#e8604c",
    Emotion.INDIFFERENCE: "#3fa796",
    Emotion.NONE: "#8a8f98",
}
# Different without colours too.
FILLS = {
    Emotion.SADNESS: "█",
    Emotion.DENIAL: "▓",
    Emotion.ANGER: "▒",
    Emotion.INDIFFERENCE: "░",
    Emotion.NONE: "·",
}
_BAR = 48
_LEAST_TOLD = 0.01
_MARGIN = "   "
_NARROWEST = 8
_NO_BREAK = "\N{NO-BREAK SPACE}"


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # rich would end the process here; `bot.__main__` does, after everything was closed.
        raise BrokenPipeError


def open_console(stream: TextIO) -> Console:
    """A console on a stream; it writes no escape sequence at all to pipes, dumb terminals and with NO_COLOR."""
    no_color = Console(file=stream).no_color
    return _Console(file=stream, color_system=None if no_color else "auto", markup=False, emoji=False, highlight=False)


class Screen:
    """Shows answers and sentences on a console, in one language."""

    def __init__(self, console: Console, say: Sentences) -> None:
        self.say = say
        self._console = console

    def sentence(self, key: str, **values: object) -> None:
        """A text of the locales, each of its lines wrapped."""
        for line in self.say(key, **values).strip("\n").splitlines():
            text = printable(line)
            margin = " " * (len(text) - len(text.lstrip()))
            self._print(Text(text.lstrip()), margin, margin)

    def answer(self, answer: Answer, corrected: Emotion | None = None) -> None:
        """The reading as a sentence and a bar, then the songs. `corrected` is what the person said the feeling is."""
        reading = answer.reading
        self._print(Text(reading_sentence(reading, self.say, corrected), Style(bold=True)))
        if not reading.tokens:
            return
        self._print(bar(reading.probabilities, min(_BAR, self._console.width)))
        self._print(self._legend(reading.probabilities))
        for number, suggestion in enumerate(answer.suggestions, 1):
            self.blank()
            self._suggestion(number, suggestion, reading)
        if not answer.suggestions:
            self.sentence("answer.no_songs")

    def blank(self) -> None:
        """An empty line."""
        self._print(Text())

    def found(self, matches: Sequence[LyricMatch]) -> None:
        """Lines of a lyric search, the matched words marked."""
        for match in matches:
            self._print(self._marked(match))
            where = self._where(match.passage)
            self._print(Text(f"{printable(title(match.song, self.say))} · {where}", Style(dim=True)), _MARGIN, _MARGIN)

    def songs(self, songs: Iterable[Song]) -> None:
        """A song a line, never broken, so that other programs can read them."""
        for song in songs:
            self._console.print(Text(printable(title(song, self.say))), soft_wrap=True)

    def stats(self, stats: Stats, path: Path) -> None:
        """How many songs of each source and lines of each emotion there are."""
        songs, lines = sum(stats.songs.values()), sum(stats.lines.values())
        self.sentence("songs.in_all", songs=songs, lines=lines, stories=stats.stories, path=path)
        self._counts("songs.by_source", {self.say(f"songs.source_{one}"): count for one, count in stats.songs.items()})
        self._counts("songs.by_emotion", {self.say(f"emotion.{one}"): count for one, count in stats.lines.items()})

    def _counts(self, key: str, counts: Mapping[str, int]) -> None:
        self.sentence(key)
        for name, count in counts.items():
            self.sentence("songs.count", name=name, count=count)

    def _suggestion(self, number: int, suggestion: Suggestion, reading: Reading) -> None:
        name = printable(title(suggestion.song, self.say))
        self._print(Text(name, Style(bold=True)), f"{number:<{len(_MARGIN)}}", _MARGIN)
        for line in suggestion.lines:
            quoted = self.say("answer.line", text=printable(line.text))
            self._print(Text(quoted, Style(color=COLOURS[line.emotion])), _MARGIN, _MARGIN)
        if not suggestion.lines:
            told = self.say("answer.story", text=printable(story(suggestion, self.say.language)))
            self._print(Text(told, Style(italic=True)), _MARGIN, _MARGIN)
        why = printable(why_sentence(suggestion, reading, self.say))
        self._print(Text(why, Style(dim=True)), _MARGIN, _MARGIN)
        if suggestion.song.links:
            self._link(suggestion.song.links[0])

    def _link(self, link: str) -> None:
        """A link that is never broken, so that it can be clicked and copied."""
        shown = Text(readable_address(link), Style(link=address(link)))
        line = Text.assemble(_MARGIN, (self.say("answer.listen"), Style(dim=True)), " ", shown)
        self._console.print(line, soft_wrap=True)

    def _legend(self, probabilities: Sequence[float]) -> Text:
        parts = []
        shares = dict(zip(EMOTIONS, probabilities, strict=True))
        for emotion, percent in _apportioned(probabilities, 100).items():
            if shares[emotion] >= _LEAST_TOLD:
                entry = f"{FILLS[emotion]} {self.say(f'emotion.{emotion}')} {percent}%".replace(" ", _NO_BREAK)
                parts.append(Text(entry, Style(color=COLOURS[emotion])))
        return Text("  ").join(parts)

    def _where(self, passage: Passage) -> str:
        if passage.start_ms is None:
            return self.say("songs.where", position=passage.position)
        return self.say("songs.where_time", position=passage.position, time=clock(passage.start_ms))

    def _marked(self, match: LyricMatch) -> Text:
        line, end, words = Text(), 0, match.passage.text
        opened, closed = ("", "") if self._console.color_system else ("«", "»")
        for start, stop in match.marks:
            line.append(printable(words[end:start]))
            line.append(f"{opened}{printable(words[start:stop])}{closed}", Style(bold=True, underline=True))
            end = stop
        return line.append(printable(words[end:]))

    def _print(self, text: Text, first: str = "", margin: str = "") -> None:
        """Wraps at words within the console's width, behind a margin, which may differ for the first line."""
        lines = text.wrap(self._console, max(self._console.width - len(margin), _NARROWEST))
        for line in lines or [Text()]:
            line.rstrip()
            line.plain = line.plain.replace(_NO_BREAK, " ")
            self._console.print(Text.assemble((first, line.style), line), soft_wrap=True)
            first = margin


@contextmanager
def progress_bar(stream: TextIO, say: Sentences, key: str) -> Iterator[Told]:
    """A bar that tells how many lines were read, and goes away at the end."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[lines]}"))
    with Progress(*columns, TimeElapsedColumn(), console=open_console(stream), transient=True) as progress:
        task = progress.add_task(say(key), total=None, lines="")
        yield lambda lines: progress.update(task, lines=say("songs.progress", lines=lines))


def bar(probabilities: Sequence[float], width: int) -> Text:
    """One bar of `width` cells, each outcome with its share of them, the largest first."""
    cells = _apportioned(probabilities, width)
    return Text.assemble(*((FILLS[emotion] * size, Style(color=COLOURS[emotion])) for emotion, size in cells.items()))


def clock(milliseconds: int) -> str:
    """mm:ss."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes:02}:{seconds:02}"


def _apportioned(probabilities: Sequence[float], whole: int) -> dict[Emotion, int]:
    """Whole parts that sum to `whole`, the largest first: what rounding leaves goes to the largest rests."""
    by_share = sorted(zip(EMOTIONS, probabilities, strict=True), key=lambda one: -one[1])
    parts = {emotion: int(share * whole) for emotion, share in by_share}
    by_rest = sorted(by_share, key=lambda one: parts[one[0]] - one[1] * whole)
    for emotion, _ in by_rest[: whole - sum(parts.values())]:
        parts[emotion] += 1
    return parts
