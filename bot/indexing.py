"""Song drafts → read lines → the song index: imports, and reading everything again with another bundle."""

import json
import os
import shutil
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot import text
from bot.emotion import EMOTIONS, Emotion, Reader, Reading
from bot.meaning import Meanings
from bot.songfiles import LineDraft, Problem, SongDraft
from bot.songs import Songs, failures, key, search_forms
from bot.store import connect, unwritable

# Lines read at once: many lines of each length, so that the model reads full batches, in a few megabytes.
_BATCH_LINES = 8_192
# What its writer said of a line counts as much as what the model reads; a second label has this share of the writer's word.
_WRITER = 0.5
_SECONDARY = 0.3

Progress = Callable[[int], None]


class Sourced(NamedTuple):
    """A draft and where it comes from: `original`, `catalogue` or `import`."""

    draft: SongDraft
    source: str


class _ReadLine(NamedTuple):
    line: LineDraft
    reading: Reading


@dataclass(slots=True)
class ImportReport:
    """What an import did."""

    songs: int = 0
    lines: int = 0
    problems: list[Problem] = field(default_factory=list)


class Indexer:
    """Writes an index with the readings of one bundle."""

    def __init__(self, songs: Songs, reader: Reader, meanings: Meanings, fingerprint: str) -> None:
        self._songs = songs
        self._connection = songs.connection
        self._reader = reader
        self._meanings = meanings
        self._fingerprint = fingerprint

    async def add(
        self, drafts: Iterable[SongDraft | Problem], source: str, progress: Progress | None = None
    ) -> ImportReport:
        """Puts songs into the index, all of them or, when interrupted, none.

        A song already there gets the new facts and, where the draft has lines, the new lines. `progress` is told the
        number of lines so far; problems among the drafts are kept in the report.
        """
        report = ImportReport()

        async def sound() -> AsyncIterator[Sourced]:
            for draft in drafts:
                if isinstance(draft, Problem):
                    report.problems.append(draft)
                else:
                    yield Sourced(draft, source)

        async with self._transaction():
            await self._insert(sound(), report, progress)
        return report

    async def read_again(self, shipped: Path, progress: Progress | None = None) -> ImportReport:
        """Makes the whole index anew with this bundle: the songs the bundle ships, then those that were imported."""
        report = ImportReport()

        async def all_songs() -> AsyncIterator[Sourced]:
            async for song in stored(shipped):
                yield song
            async for song in stored(self._songs.path):
                if song.source == "import":  # what was shipped may have been mended or left out since
                    yield song

        async with self._transaction():
            await self._connection.execute("DELETE FROM songs")
            await self._connection.execute("DELETE FROM lyrics")
            await self._insert(all_songs(), report, progress)
        return report

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        with failures(self._songs.path):
            await self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                await self._connection.execute(
                    "UPDATE about SET reader = ?, revision = revision + 1", (self._fingerprint,)
                )
                await self._connection.execute("COMMIT")
            except BaseException:
                # Not "ROLLBACK": on a full disk SQLite has rolled back itself, and then that statement fails.
                await self._connection.rollback()
                raise
        self._songs.changed()

    async def _insert(self, found: AsyncIterable[Sourced], report: ImportReport, progress: Progress | None) -> None:
        async for batch in _batches(found):
            texts = [line.text for draft, _ in batch for line in draft.lines]
            readings = iter(self._reader.read(texts))
            lines: dict[int, list[_ReadLine]] = {}
            for draft, source in batch:
                song = await self._insert_song(draft, source)
                if draft.lines:
                    lines[song] = [_ReadLine(line, next(readings)) for line in draft.lines]
                else:
                    await self._insert_story(song, draft)
            await self._insert_lines(lines)
            report.songs += len(batch)
            report.lines += len(texts)
            if progress:
                progress(report.lines)

    async def _insert_song(self, draft: SongDraft, source: str) -> int:
        ((song,),) = await self._connection.execute_fetchall(
            """
            INSERT INTO songs (key, title, artist, year, language, genre, source, story, mixture, themes, links)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (key) DO UPDATE SET
                source = excluded.source,
                year = coalesce(excluded.year, year),
                genre = coalesce(excluded.genre, genre),
                story = json_patch(story, excluded.story),
                mixture = coalesce(excluded.mixture, mixture),
                themes = iif(excluded.themes = '[]', themes, excluded.themes),
                links = iif(excluded.links = '[]', links, excluded.links)
            RETURNING id
            """,
            (
                key(draft.title, draft.artist),
                draft.title,
                draft.artist,
                draft.year,
                draft.language,
                draft.genre,
                source,
                _json(dict(draft.story)),
                None if draft.mixture is None else _json(dict(draft.mixture)),
                _json(draft.themes),
                _json(draft.links),
            ),
        )
        return int(song)

    async def _insert_lines(self, songs: Mapping[int, Sequence[_ReadLine]]) -> None:
        """Song → its new lines. Many songs at once, for every statement waits for SQLite's thread."""
        await self._forget_passages(songs)
        await self._connection.executemany(
            "INSERT INTO passages (song_id, kind, position, start_ms, text, label, secondary, feeling, meaning)"
            " VALUES (?, 'line', ?, ?, ?, ?, ?, ?, ?)",
            [row for song, lines in songs.items() for row in self._rows(song, lines)],
        )
        await self._connection.executemany(
            "INSERT INTO lyrics (rowid, words) SELECT id, ? FROM passages WHERE song_id = ? AND position = ?",
            [
                (" ".join(search_forms(read.reading.tokens)), song, position)
                for song, lines in songs.items()
                for position, read in enumerate(lines, 1)
            ],
        )

    def _rows(self, song: int, lines: Sequence[_ReadLine]) -> Iterator[tuple[object, ...]]:
        meanings = self._meanings.of_texts([reading.tokens for _, reading in lines]).astype(np.float16)
        for position, ((line, reading), meaning) in enumerate(zip(lines, meanings, strict=True), 1):
            feeling = line_feeling(reading, line).tobytes()
            yield song, position, line.start_ms, line.text, line.label, line.secondary, feeling, meaning.tobytes()

    async def _insert_story(self, song: int, draft: SongDraft) -> None:
        """Our sentence as the passage of a song that has no lines, neither here nor in the index."""
        ((lines,),) = await self._connection.execute_fetchall(
            "SELECT count(*) FROM passages WHERE song_id = ? AND kind = 'line'", (song,)
        )
        story = draft.story.get(draft.language) or next(iter(draft.story.values()), "")
        if lines or not story:
            return
        await self._forget_passages([song])
        (reading,) = self._reader.read([story])
        feeling = reading.probabilities
        if draft.mixture:
            feeling = tuple(draft.mixture.get(emotion, 0.0) for emotion in EMOTIONS)
        meaning = self._meanings.of([*reading.tokens, *text.morphemes(" ".join(draft.themes))])
        await self._connection.execute(
            "INSERT INTO passages (song_id, kind, position, text, feeling, meaning) VALUES (?, 'story', 0, ?, ?, ?)",
            (
                song,
                story,
                np.array(feeling, np.float32).tobytes(),
                meaning.astype(np.float16).tobytes(),
            ),
        )

    async def _forget_passages(self, songs: Iterable[int]) -> None:
        ids = [(song,) for song in songs]
        await self._connection.executemany(
            "DELETE FROM lyrics WHERE rowid IN (SELECT id FROM passages WHERE song_id = ?)", ids
        )
        await self._connection.executemany("DELETE FROM passages WHERE song_id = ?", ids)


def line_feeling(reading: Reading, line: LineDraft) -> NDArray[np.float32]:
    """The distribution of a line, (5,): the model's, and where its writer labelled it, the middle of both."""
    read = np.array(reading.probabilities, np.float32)
    if line.label is None:
        return read
    written = np.zeros(len(EMOTIONS), np.float32)
    written[EMOTIONS.index(Emotion(line.label))] = 1
    if line.secondary:
        written *= 1 - _SECONDARY
        written[EMOTIONS.index(Emotion(line.secondary))] += _SECONDARY
    return _WRITER * written + (1 - _WRITER) * read


async def stored(path: Path) -> AsyncIterator[Sourced]:
    """The songs of an index as drafts, as it was before a transaction that has not ended."""
    connection = await connect(path)
    try:
        async with connection.execute("SELECT * FROM songs ORDER BY id") as songs:
            async for song in songs:
                lines = await connection.execute_fetchall(
                    "SELECT * FROM passages WHERE song_id = ? AND kind = 'line' ORDER BY position", (song["id"],)
                )
                yield Sourced(_draft(song, lines), song["source"])
    finally:
        await connection.close()


def copy_shipped(shipped: Path, own: Path) -> None:
    """Starts an installation's own index from the shipped one, whole or not at all."""
    new = own.with_name(f"{own.name}.{os.getpid()}.new")
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shipped, new)
        if not own.exists():  # else another import was first, and has its songs in there by now
            new.replace(own)
    except OSError as error:
        raise unwritable(error, own) from error
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


async def _batches(found: AsyncIterable[Sourced]) -> AsyncIterator[list[Sourced]]:
    """The songs in batches of about `_BATCH_LINES` lines, none of which holds a song twice."""
    batch: dict[str, Sourced] = {}
    lines = 0
    async for song in found:
        name = key(song.draft.title, song.draft.artist)
        if lines >= _BATCH_LINES or name in batch:
            yield list(batch.values())
            batch, lines = {}, 0
        batch[name] = song
        lines += len(song.draft.lines) or 1
    if batch:
        yield list(batch.values())


def _draft(song: Any, lines: Iterable[Any]) -> SongDraft:
    return SongDraft(
        title=song["title"],
        artist=song["artist"],
        lines=tuple(LineDraft(row["text"], row["start_ms"], row["label"], row["secondary"]) for row in lines),
        year=song["year"],
        language=song["language"],
        genre=song["genre"],
        story=json.loads(song["story"]),
        mixture=json.loads(song["mixture"]) if song["mixture"] else None,
        themes=tuple(json.loads(song["themes"])),
        links=tuple(json.loads(song["links"])),
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
