"""What each command of `ebyul` does, between what `bot.__main__` parsed and the exit code."""

import asyncio
import itertools
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bot.answer import Answer, Suggestion
from bot.bundle import open_bundle
from bot.emotion import Reader
from bot.indexing import ImportReport, Progress
from bot.jsonlines import read_stream, shares, to_json, waiting_lines
from bot.locales import Sentences, sentences
from bot.opening import Waiting, everything, open_all
from bot.settings import Settings
from bot.songfiles import Problem, SongDraft, read
from bot.songs import LyricMatch
from bot.wording import story, why_sentence

if TYPE_CHECKING:
    from bot.terminal import Screen

_FOUND = 20


def answer_once(settings: Settings, text: str, *, count: int = 3, seed: int | None = None) -> int:
    """Shows the answer to one message."""
    answer = asyncio.run(_answer(settings, text, count, seed))
    _screen(settings).answer(answer)
    return 0


def recommend_json(settings: Settings, text: str, *, count: int = 3, seed: int | None = None) -> int:
    """Prints the answer to one message as a JSON object."""
    answer = asyncio.run(_answer(settings, text, count, seed))
    print(to_json(answer_object(answer, sentences(settings.locale)), indent=2))
    return 0


def chat(settings: Settings) -> int:
    """A conversation; without a terminal, an answer to each line of standard input."""
    from bot.conversation import Conversation

    screen = _screen(settings)
    is_tty = sys.stdin.isatty() and sys.stdout.isatty()
    # Not asyncio.run: its Ctrl-C only cancels a task, and none runs while the person types.
    with asyncio.Runner() as runner:
        opened = runner.run(open_all(settings, _waiting(settings)))
        try:
            conversation = Conversation(opened.answerer, screen)
            if is_tty:
                screen.sentence("chat.welcome")
            with suppress(KeyboardInterrupt):
                for line in _typed(screen.say) if is_tty else _piped():
                    if not runner.run(conversation.hear(line)):
                        break
                    sys.stdout.flush()
            if is_tty:
                screen.sentence("chat.goodbye")
        finally:
            runner.run(opened.close())
    return 0


def read_jsonl(settings: Settings) -> int:
    """Reads the texts of standard input."""
    reader = Reader(open_bundle(settings.bundle))
    read_stream(reader, _standard_input(), sys.stdout, sentences(settings.locale))
    return 0


def import_songs(settings: Settings, path: Path) -> int:
    """Puts the songs of a file or folder into this installation's index; 1 when there was none."""
    return asyncio.run(_import(settings, path))


def list_songs(settings: Settings) -> int:
    """Prints every song, one a line."""
    return asyncio.run(_list(settings))


def show_stats(settings: Settings) -> int:
    """Prints how many songs and lines there are."""
    return asyncio.run(_stats(settings))


def search_songs(settings: Settings, words: str, *, as_json: bool = False) -> int:
    """Prints the lyric lines that hold the words."""
    return asyncio.run(_search(settings, words, as_json=as_json))


def rebuild_songs(settings: Settings) -> int:
    """Reads the whole index again with the present bundle."""
    return asyncio.run(_rebuild(settings))


def answer_object(answer: Answer, say: Sentences) -> dict[str, object]:
    """An answer as JSON may hold it."""
    reading = answer.reading
    return {
        "reading": {
            "emotion": str(reading.emotion),
            "probabilities": shares(reading.probabilities),
            "unsure": reading.unsure,
            "words": [{"word": word, "emotion": str(emotion)} for word, emotion in reading.words],
        },
        "songs": [_song_object(one, why_sentence(one, reading, say), say.language) for one in answer.suggestions],
    }


def _song_object(suggestion: Suggestion, why: str, language: str) -> dict[str, object]:
    song = suggestion.song
    return {
        "title": song.title,
        "artist": song.artist,
        "year": song.year,
        "source": song.source,
        "lines": [
            {"position": line.position, "text": line.text, "emotion": str(line.emotion)} for line in suggestion.lines
        ],
        "story": None if suggestion.lines else story(suggestion, language),
        "score": round(suggestion.score, 6),
        "why": why,
        "links": list(song.links),
    }


def _match_object(match: LyricMatch) -> dict[str, object]:
    return {
        "title": match.song.title,
        "artist": match.song.artist,
        "position": match.passage.position,
        "start_ms": match.passage.start_ms,
        "text": match.passage.text,
        "marks": [list(mark) for mark in match.marks],
    }


async def _answer(settings: Settings, text: str, count: int, seed: int | None) -> Answer:
    async with everything(settings, _waiting(settings)) as opened:
        return await opened.answerer.answer(text, count=count, seed=secrets.randbits(32) if seed is None else seed)


async def _import(settings: Settings, path: Path) -> int:
    problems, drafts = _until_a_song(read(path))
    report = ImportReport()
    if drafts:  # else no index is made for nothing
        async with everything(settings, _waiting(settings), own=True) as opened:
            with _waiting(settings)("songs.importing") as progress:
                report = await opened.indexer.add(drafts, "import", progress)
    for problem in (*problems, *report.problems):
        print(problem.tell(settings.locale), file=sys.stderr)
    if not report.songs:
        print(sentences(settings.locale)("songs.nothing_imported"), file=sys.stderr)
        return 1
    _screen(settings).sentence("songs.imported", songs=report.songs, lines=report.lines)
    return 0


def _until_a_song(found: Iterator[SongDraft | Problem]) -> tuple[list[Problem], Iterable[SongDraft | Problem]]:
    """The problems before the first song, and the rest; an empty rest where there is no song."""
    problems: list[Problem] = []
    for one in found:
        if isinstance(one, SongDraft):
            return problems, itertools.chain((one,), found)
        problems.append(one)
    return problems, ()


async def _list(settings: Settings) -> int:
    async with everything(settings, _waiting(settings)) as opened:
        songs = await opened.songs.list()
    _screen(settings).songs(songs)
    return 0


async def _stats(settings: Settings) -> int:
    async with everything(settings, _waiting(settings)) as opened:
        stats, path = await opened.songs.stats(), opened.songs.path
    _screen(settings).stats(stats, path)
    return 0


async def _search(settings: Settings, words: str, *, as_json: bool) -> int:
    async with everything(settings, _waiting(settings)) as opened:
        matches = await opened.songs.search(words, _FOUND)
    if as_json:
        print(to_json([_match_object(match) for match in matches], indent=2))
    elif matches:
        _screen(settings).found(matches)
    else:
        print(sentences(settings.locale)("songs.not_found"), file=sys.stderr)
    return 0


async def _rebuild(settings: Settings) -> int:
    if not settings.songs.exists():
        _screen(settings).sentence("songs.rebuild_shipped")
        return 0
    async with everything(settings, as_it_is=True) as opened:
        with _waiting(settings)("songs.reading_again") as progress:
            await opened.indexer.read_again(opened.bundle.songs, progress)
        stats = await opened.songs.stats()
    # Not the report's numbers: it counts a song of both indexes twice.
    songs, lines = sum(stats.songs.values()), sum(stats.lines.values())
    _screen(settings).sentence("songs.rebuilt", songs=songs, lines=lines)
    return 0


def _screen(settings: Settings) -> "Screen":
    # Not among the imports above: what programs ask for needs no rich.
    from bot.terminal import Screen, open_console

    return Screen(open_console(sys.stdout), sentences(settings.locale))


def _typed(say: Sentences) -> Iterator[str]:
    # It edits the line; the history it keeps stays in memory and goes with the session.
    with suppress(ImportError):
        import readline  # noqa: F401
    while True:
        try:
            yield input(say("chat.prompt"))
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            raise


def _piped() -> Iterator[str]:
    for lines in waiting_lines(_standard_input()):
        for line in lines:
            yield line.decode("utf-8-sig", "replace")


def _standard_input() -> BufferedIOBase:
    return cast(BufferedIOBase, sys.stdin.buffer)


def _waiting(settings: Settings) -> Waiting:
    """Progress on standard error where somebody watches it."""

    @contextmanager
    def shown(key: str) -> Iterator[Progress]:
        from bot.terminal import progress_bar

        with progress_bar(sys.stderr, sentences(settings.locale), key) as progress:
            yield progress

    def hidden(_key: str) -> AbstractContextManager[Progress | None]:
        return nullcontext()

    return shown if sys.stderr.isatty() else hidden
