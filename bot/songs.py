"""The song index: what of which song comes nearest to a message, and where a half-remembered line stands."""

import asyncio
import json
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import aiosqlite
import numpy as np

from bot import text
from bot.emotion import EMOTIONS, Emotion
from bot.match import Candidate, Vector, Weights, passage_vectors
from bot.nearest import EXACT, DamagedGraph, Exact, Graph, GraphFile, Nearest
from bot.store import open_database, open_read_only, script, told, unwritable

MIGRATIONS = (script("songs.sql"),)

# So many passages are looked at for one answer: enough for three songs after those avoided and shown lately step back.
_CANDIDATES = 400
# One song of four hundred lines alike, or many songs avoided, would leave fewer than an answer of 20 needs: then more.
_FEWEST_SONGS = 30
_GRAPH_BATCH = 50_000
_WORD = re.compile(r"\w+")
# A search answers with numbers that hold passage, song and kind, so that no candidate is looked up in SQLite.
_NUMBERED = "SELECT (song_id << 33) | (id << 1) | (kind = 'story'), feeling, meaning FROM passages ORDER BY id"


@dataclass(frozen=True, slots=True)
class Song:
    """What is told of a song beside its lines."""

    id: int
    title: str
    artist: str
    year: int | None
    language: str
    genre: str | None
    source: str
    """`original` (ours), `catalogue` (a real song, facts only) or `import` (by the operator)."""
    story: Mapping[str, str]
    """Language → our sentence on the song."""
    themes: tuple[str, ...]
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A lyric line, or the story of a song without lyrics."""

    id: int
    song: int
    is_story: bool
    position: int
    start_ms: int | None
    text: str
    feeling: tuple[float, ...]
    """Distribution in the order of `Emotion`."""

    @property
    def emotion(self) -> Emotion:
        return EMOTIONS[max(range(len(EMOTIONS)), key=self.feeling.__getitem__)]


@dataclass(frozen=True, slots=True)
class LyricMatch:
    """A line that holds sought words; `marks` are the stretches of `passage.text` that match, in order."""

    song: Song
    passage: Passage
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Stats:
    """What the index holds."""

    songs: Mapping[str, int]
    """Source → songs."""
    lines: Mapping[str, int]
    """Emotion → lines read as it."""
    stories: int


def key(title: str, artist: str) -> str:
    """Equal for the spellings of one song: width, case, spaces and punctuation do not count."""
    return "\x1f".join(_bare(part) or part for part in (title, artist))


def _bare(part: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", part).casefold())


def search_links(title: str, artist: str) -> tuple[str, ...]:
    """Where to listen: searches by title and artist, which hold for every song and go stale for none."""
    words = quote_plus(f"{artist} {title}")
    return (
        f"https://www.youtube.com/results?search_query={words}",
        f"https://www.melon.com/search/total/index.htm?q={words}",
    )


class Songs:
    """An open song index. `nearest` and the others only read; `bot.indexing` writes."""

    def __init__(
        self, connection: aiosqlite.Connection, path: Path, weights: Weights, *, is_shipped: bool = False
    ) -> None:
        self.connection = connection
        self.path = path
        self._weights = weights
        self._is_shipped = is_shipped
        self._nearest: Nearest | None = None
        self._revision = -1
        self._loading = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path, weights: Weights) -> "Songs":
        """The index at `path`, made when missing; StoreError says what is wrong with it."""
        return cls(await open_database(path, MIGRATIONS), path, weights)

    @classmethod
    async def open_shipped(cls, path: Path, weights: Weights) -> "Songs":
        """The index of a bundle, which is only read."""
        return cls(await open_read_only(path), path, weights, is_shipped=True)

    async def close(self) -> None:
        await self.connection.close()

    async def reader(self) -> str:
        """Fingerprint of the bundle the passages were read with; empty for a new index."""
        ((reader,),) = await self._rows("SELECT reader FROM about")
        return str(reader)

    async def candidates(self, query: Vector, avoided: Iterable[int] = ()) -> list[Candidate]:
        """The passages nearest to a query vector, best first, but none of the avoided songs."""
        nearest = await self._vectors_as_it_is()
        left_out = set(avoided)
        wanted = _CANDIDATES
        while True:
            numbers, scores = nearest.search(query, wanted)
            passages, songs, stories = numbers >> 1 & 0xFFFF_FFFF, numbers >> 33, (numbers & 1).astype(bool)
            found = map(Candidate, passages.tolist(), songs.tolist(), stories.tolist(), scores.tolist())
            candidates = [candidate for candidate in found if candidate.song not in left_out]
            if len(numbers) < wanted or len({candidate.song for candidate in candidates}) >= _FEWEST_SONGS:
                return candidates
            wanted *= 8

    async def passages(self, ids: Iterable[int]) -> dict[int, tuple[Song, Passage]]:
        """Passages by their ids, each with its song; in one query, for each costs a turn of SQLite's thread."""
        rows = await self._rows(
            "SELECT passages.*, songs.* FROM passages JOIN songs ON songs.id = passages.song_id"
            " WHERE passages.id IN (SELECT value FROM json_each(?))",
            json.dumps(list(ids)),
        )
        return {row["id"]: (_song(row, row["song_id"]), _passage(row)) for row in rows}

    async def search(self, words: str, count: int) -> list[LyricMatch]:
        """Lines that hold most of the words, the rarest counting most; the last word may be unfinished."""
        forms = search_forms(text.morphemes(words))
        if not forms:
            return []
        quoted = ['"' + form.replace('"', '""') + '"' for form in forms]
        rows = await self._rows(
            "SELECT passages.*, songs.* FROM lyrics JOIN passages ON passages.id = lyrics.rowid"
            " JOIN songs ON songs.id = passages.song_id WHERE lyrics MATCH ? ORDER BY bm25(lyrics), passages.id LIMIT ?",
            " OR ".join(quoted) + " *",
            count,
        )
        return [LyricMatch(_song(row, row["song_id"]), _passage(row), _marks(row["text"], forms)) for row in rows]

    async def list(self) -> list[Song]:
        """Every song, by artist and title."""
        return [_song(row, row["id"]) for row in await self._rows("SELECT * FROM songs ORDER BY artist, title")]

    async def stats(self) -> Stats:
        songs = await self._rows("SELECT source, count(*) FROM songs GROUP BY source ORDER BY source")
        feelings = await self._rows("SELECT feeling FROM passages WHERE kind = 'line'")
        first = (
            np.frombuffer(b"".join(row[0] for row in feelings), np.float32).reshape(-1, len(EMOTIONS)).argmax(axis=1)
        )
        ((stories,),) = await self._rows("SELECT count(*) FROM passages WHERE kind = 'story'")
        lines = {
            emotion.value: int(count) for emotion, count in zip(EMOTIONS, np.bincount(first, minlength=5), strict=True)
        }
        return Stats({row[0]: row[1] for row in songs}, lines, stories)

    def changed(self) -> None:
        """To be called after a write was committed: the vectors are loaded anew at the next search."""
        self._nearest = None

    async def _vectors_as_it_is(self) -> Nearest:
        """The vectors of this revision of the index: another process may have imported songs since the last search."""
        if self._nearest is not None and self._is_shipped:  # nobody writes that one
            return self._nearest
        async with self._loading:
            ((revision,),) = await self._rows("SELECT revision FROM about")
            if self._nearest is None or self._revision != revision:
                self._nearest, self._revision = await self._open_vectors(), revision
            return self._nearest

    async def _open_vectors(self) -> Nearest:
        ((passages,),) = await self._rows("SELECT count(*) FROM passages")
        if passages <= EXACT:
            return Exact(*_vectors(await self._rows(_NUMBERED), self._weights))
        path = await self._graph_file()
        try:
            return Graph(path)
        except DamagedGraph:
            path.unlink(missing_ok=True)
            return Graph(await self._graph_file())

    async def _graph_file(self) -> Path:
        """The vector file that fits this revision of the index, made if need be; those of older revisions go."""
        ((reader, revision),) = await self._rows("SELECT reader, revision FROM about")
        weights = f"{self._weights.feeling:.3f}-{self._weights.meaning:.3f}"
        path = self.path.with_name(f"{self.path.name}.{reader}-{revision}-{weights}.usearch")
        if not path.exists():
            graph: GraphFile | None = None
            async with self.connection.execute(_NUMBERED) as cursor:
                while rows := await cursor.fetchmany(_GRAPH_BATCH):
                    numbers, vectors = _vectors(rows, self._weights)
                    graph = graph or GraphFile(vectors.shape[1])
                    # In a thread: a million lines take minutes, and the bot must go on answering Discord's heartbeat.
                    await asyncio.to_thread(graph.add, numbers, vectors)
            if graph:
                try:
                    await asyncio.to_thread(graph.write, path)
                except OSError as error:
                    raise unwritable(error, path) from error
            for old in path.parent.glob(f"{self.path.name}.*.usearch"):
                if old != path:
                    old.unlink(missing_ok=True)
        return path

    async def _rows(self, sql: str, *values: Any) -> Sequence[sqlite3.Row]:
        with failures(self.path):
            return list(await self.connection.execute_fetchall(sql, values))


@contextmanager
def failures(path: Path) -> Iterator[None]:
    """Turns what SQLite says of the database at `path` into a StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise told(error, path) from error


def search_forms(tokens: Iterable[str]) -> list[str]:
    """The words by which a line is found: its content morphemes, each once, without the signs that FTS5 passes over."""
    forms = (text.form(token) for token in tokens if text.content(token))
    return list(dict.fromkeys(word for form in forms for word in _WORD.findall(form)))


def _marks(line: str, forms: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Stretches of a cleaned line whose morphemes are sought; neighbours are one stretch. The last form may be a prefix."""
    marks: list[tuple[int, int]] = []
    for span in text.spans(line):
        words = search_forms(span.tokens)
        if any(word in forms or word.startswith(forms[-1]) for word in words):
            if marks and marks[-1][1] == span.start:
                marks[-1] = (marks[-1][0], span.end)
            else:
                marks.append((span.start, span.end))
    return tuple(marks)


def _vectors(rows: Iterable[sqlite3.Row], weights: Weights) -> tuple[Any, Vector]:
    """Numbers (n,) and vectors (n, 5 + d) of the rows of `_NUMBERED`."""
    numbers, feelings, meanings = zip(*rows, strict=True) if rows else ((), (), ())
    count = len(numbers)
    distributions = np.frombuffer(b"".join(feelings), np.float32).reshape(count, len(EMOTIONS))
    units = np.frombuffer(b"".join(meanings), np.float16).reshape(count, -1) if count else np.zeros((0, 0), np.float16)
    return np.array(numbers, np.int64), passage_vectors(distributions, units.astype(np.float32), weights)


def _song(row: sqlite3.Row, number: int) -> Song:
    return Song(
        id=number,
        title=row["title"],
        artist=row["artist"],
        year=row["year"],
        language=row["language"],
        genre=row["genre"],
        source=row["source"],
        story=json.loads(row["story"]),
        themes=tuple(json.loads(row["themes"])),
        links=tuple(json.loads(row["links"])) or search_links(row["title"], row["artist"]),
    )


def _passage(row: sqlite3.Row) -> Passage:
    return Passage(
        id=row["id"],
        song=row["song_id"],
        is_story=row["kind"] == "story",
        position=row["position"],
        start_ms=row["start_ms"],
        text=row["text"],
        feeling=tuple(np.frombuffer(row["feeling"], np.float32).tolist()),
    )
