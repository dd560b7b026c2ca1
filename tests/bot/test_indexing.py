import asyncio
import errno
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import bot.songs
from bot import indexing, match, store
from bot.bundle import Bundle
from bot.emotion import EMOTIONS, Emotion, Reader
from bot.errors import StoreError
from bot.indexing import Indexer, copy_shipped, line_feeling
from bot.match import Weights
from bot.meaning import Meanings
from bot.nearest import GraphFile
from bot.songfiles import LineDraft, Problem, SongDraft, read
from bot.songs import Passage, Song, Songs
from bot.text import morphemes

ROOT = Path(__file__).parents[2]
FIRST, SECOND, THIRD = "우산은 두 개인데 비는 한 사람만 맞네", "빈 컵에 남은 물을 오래 보았다", "너를 절대 못 보내"


@dataclass
class Index:
    """An index of its own and what writes it."""

    songs: Songs
    indexer: Indexer
    reader: Reader
    meanings: Meanings
    weights: Weights

    async def lines(self) -> dict[str, list[str]]:
        """Title → its passages in order."""
        rows = await self.songs.connection.execute_fetchall(
            "SELECT title, text FROM songs LEFT JOIN passages ON song_id = songs.id ORDER BY songs.id, position"
        )
        found: dict[str, list[str]] = {}
        for title, text in rows:
            found.setdefault(title, []).extend([text] if text else [])
        return found

    async def song(self, title: str) -> Song:
        (found,) = [one for one in await self.songs.list() if one.title == title]
        return found

    async def passages(self) -> list[Passage]:
        rows = await self.songs.connection.execute_fetchall("SELECT id FROM passages ORDER BY id")
        found = await self.songs.passages(row[0] for row in rows)
        return [found[row[0]][1] for row in rows]

    async def nearest(self, text: str) -> str:
        """The passage that comes nearest to a text."""
        (reading,) = self.reader.read([text])
        query = match.query_vector(reading.probabilities, self.meanings.of(reading.tokens), self.weights)
        best, *_ = await self.songs.candidates(query)
        return (await self.songs.passages([best.passage]))[best.passage][1].text

    def dump(self) -> list[str]:
        """All that is committed, as another process sees it."""
        with closing(sqlite3.connect(self.songs.path)) as connection:
            return [line for line in connection.iterdump() if "lyrics" not in line] + [
                str(row) for row in connection.execute("SELECT rowid, words FROM lyrics")
            ]


@pytest.fixture
async def index(
    tmp_path: Path, bundle: Bundle, reader: Reader, meanings: Meanings, weights: Weights
) -> AsyncIterator[Index]:
    songs = await Songs.open(tmp_path / "songs.db", weights)
    yield Index(songs, Indexer(songs, reader, meanings, bundle.manifest.fingerprint), reader, meanings, weights)
    await songs.close()


def draft(title: str, *lines: str | LineDraft, **fields: object) -> SongDraft:
    written = tuple(LineDraft(line) if isinstance(line, str) else line for line in lines)
    return SongDraft(title, "가수", written, **fields)


def many(count: int) -> Iterator[SongDraft]:
    return (draft(f"노래 {n}", FIRST, f"{n}번째 밤이 지나간다") for n in range(count))


async def test_a_folder_of_every_kind_of_file_is_imported(index: Index, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    song = {"title": "하나", "artist": "가", "year": 2001, "lines": [FIRST]}
    (folder / "a.jsonl").write_text(f"{json.dumps(song, ensure_ascii=False)}\n{{broken\n", encoding="utf-8-sig")
    (folder / "b.csv").write_text(f"제목,가수,가사\n둘,나,{SECOND}\n", encoding="cp949")
    (folder / "c.txt").write_text(f"제목: 셋\n가수: 다\n\n{FIRST}\n{SECOND}\n", encoding="utf-16")
    (folder / "d.lrc").write_text(f"[ti:넷]\n[ar:라]\n[00:01.50]{FIRST}\n[01:02.00]{SECOND}\n", encoding="utf-8")
    (folder / "e.txt").write_bytes(b"\xff\xfe\xff")
    told: list[int] = []
    report = await index.indexer.add(read(folder), "import", told.append)
    assert (report.songs, report.lines) == (4, 6)
    assert told[-1] == 6
    assert [(problem.path.name, problem.line) for problem in report.problems] == [("a.jsonl", 2), ("e.txt", 1)]
    assert await index.lines() == {"하나": [FIRST], "둘": [SECOND], "셋": [FIRST, SECOND], "넷": [FIRST, SECOND]}
    assert [one.start_ms for one in await index.passages()] == [None, None, None, None, 1_500, 62_000]
    assert (await index.song("하나")).year == 2001


async def test_the_same_song_again_is_one_song_with_the_newer_lines(index: Index) -> None:
    await index.indexer.add([draft("첫눈", FIRST, SECOND, year=1999, links=("https://a.b/c",))], "import")
    first = await index.song("첫눈")
    await index.indexer.add([SongDraft("첫 눈!", "가 수", (LineDraft(THIRD),), genre="발라드")], "import")
    assert await index.lines() == {"첫눈": [THIRD]}
    assert await index.song("첫눈") == replace(first, genre="발라드")
    assert await index.songs.search("우산", 5) == []
    assert len(await index.songs.search("보내", 5)) == 1


async def test_the_same_song_twice_in_one_import_is_one_song(index: Index) -> None:
    await index.indexer.add([draft("첫눈", FIRST), draft("첫눈", SECOND)], "import")
    assert await index.lines() == {"첫눈": [SECOND]}


async def test_facts_alone_leave_the_lines_of_a_song(index: Index) -> None:
    await index.indexer.add([draft("첫눈", FIRST)], "import")
    await index.indexer.add([draft("첫눈", story={"ko": "첫눈 오는 날의 이야기."}, year=2003)], "import")
    assert await index.lines() == {"첫눈": [FIRST]}
    song = await index.song("첫눈")
    assert (song.year, dict(song.story)) == (2003, {"ko": "첫눈 오는 날의 이야기."})


async def test_a_song_of_the_catalogue_gets_its_lines_and_its_story_steps_aside(index: Index) -> None:
    story = "헤어진 사람의 우산을 돌려주러 간다."
    known = draft("젖은 우산", story={"ko": story, "en": "Returning it."}, mixture={"sadness": 1.0}, themes=("비",))
    await index.indexer.add([known], "catalogue")
    (passage,) = await index.passages()
    assert (passage.text, passage.is_story, passage.emotion) == (story, True, Emotion.SADNESS)
    await index.indexer.add([draft("젖은 우산", FIRST)], "import")
    (passage,) = await index.passages()
    assert (passage.text, passage.is_story) == (FIRST, False)
    assert dict((await index.song("젖은 우산")).story) == {"ko": story, "en": "Returning it."}


async def test_a_story_is_found_by_its_mixture_its_sentence_and_its_themes(index: Index) -> None:
    calm = draft("하나", story={"ko": "바다를 본다."}, mixture={"indifference": 0.9, "sadness": 0.1}, themes=("우산",))
    await index.indexer.add([calm, draft("둘", story={"ko": "화내며 소리친다."})], "catalogue")
    one, other = await index.passages()
    assert one.feeling == pytest.approx((0.1, 0, 0, 0.9, 0))
    assert sum(other.feeling) == pytest.approx(1, abs=1e-5)
    ((blob,),) = await index.songs.connection.execute_fetchall("SELECT meaning FROM passages WHERE id = ?", (one.id,))
    meaning = np.frombuffer(blob, np.float16).astype(np.float32)
    assert meaning @ index.meanings.of(["우산/NNG"]) > index.meanings.of(morphemes("바다를 본다.")) @ index.meanings.of(
        ["우산/NNG"]
    )


async def test_nothing_but_problems_changes_no_song(index: Index, tmp_path: Path) -> None:
    report = await index.indexer.add(read(tmp_path / "nowhere"), "import")
    assert (report.songs, len(report.problems)) == (0, 1)
    assert await index.lines() == {}


def test_what_its_writer_said_counts_as_much_as_the_model(reader: Reader) -> None:
    (reading,) = reader.read([FIRST])
    read_so = np.array(reading.probabilities)
    assert line_feeling(reading, LineDraft(FIRST)) == pytest.approx(read_so, abs=1e-6)
    one = line_feeling(reading, LineDraft(FIRST, label="denial"))
    assert one == pytest.approx(0.5 * read_so + 0.5 * np.eye(5)[EMOTIONS.index(Emotion.DENIAL)], abs=1e-6)
    two = line_feeling(reading, LineDraft(FIRST, label="denial", secondary="anger"))
    assert two == pytest.approx(0.5 * read_so + 0.5 * np.array([0, 0.7, 0.3, 0, 0]), abs=1e-6)
    assert two.sum() == pytest.approx(1, abs=1e-5)


async def test_an_import_that_breaks_off_leaves_the_index_as_it_was(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "_BATCH_LINES", 4)
    await index.indexer.add([draft("첫눈", FIRST)], "import")
    before = index.dump()

    def breaking() -> Iterator[SongDraft | Problem]:
        yield draft("첫눈", THIRD)
        yield from many(20)
        raise OSError("the disk was pulled out")

    with pytest.raises(OSError, match="pulled out"):
        await index.indexer.add(breaking(), "import")
    assert index.dump() == before
    assert await index.lines() == {"첫눈": [FIRST]}
    await index.indexer.add(many(3), "import")  # and the index can still be written
    assert len(await index.lines()) == 4


async def test_an_import_that_is_cancelled_leaves_the_index_as_it_was(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "_BATCH_LINES", 4)
    await index.indexer.add([draft("첫눈", FIRST)], "import")
    before = index.dump()
    begun = asyncio.Event()
    task = asyncio.create_task(index.indexer.add(many(2_000), "import", lambda _: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert index.dump() == before
    await index.indexer.add(many(3), "import")
    assert len(await index.lines()) == 4


_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from bot import indexing
from bot.bundle import open_bundle
from bot.emotion import Reader
from bot.match import Weights
from bot.meaning import Meanings
from bot.settings import SHIPPED
from bot.songfiles import LineDraft, SongDraft
from bot.songs import Songs

indexing._BATCH_LINES = 8

def drafts():
    for number in range(60):
        yield SongDraft(f"노래 {number}", "가수", (LineDraft("너를 절대 못 보내"), LineDraft("비가 온다")))
    print("killed", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    bundle = open_bundle(SHIPPED / "ko")
    songs = await Songs.open(Path(sys.argv[1]), Weights(0.75, 0.66))
    await songs.connection.execute("PRAGMA cache_size = 2")  # so that half of the import is in the file already
    await indexing.Indexer(songs, Reader(bundle), Meanings(bundle), "other").add(drafts(), "import")

asyncio.run(main())
"""


async def test_an_import_that_is_killed_leaves_the_index_as_it_was(index: Index) -> None:
    await index.indexer.add([draft("노래 0", FIRST), draft("첫눈", SECOND)], "import")
    before = index.dump()
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", _KILLED, str(index.songs.path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("killed\n", -signal.SIGKILL), done.stderr
    assert index.dump() == before
    assert await index.lines() == {"노래 0": [FIRST], "첫눈": [SECOND]}
    await index.indexer.add(many(3), "import")
    assert len(await index.lines()) == 4


async def test_a_full_disk_is_told_and_leaves_the_index_as_it_was(index: Index) -> None:
    await index.indexer.add([draft("첫눈", FIRST)], "import")
    before = index.dump()
    ((pages,),) = await index.songs.connection.execute_fetchall("PRAGMA page_count")
    await index.songs.connection.execute_fetchall(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(StoreError) as caught:
        await index.indexer.add(many(300), "import")
    assert caught.value.key == "error.disk_full"
    assert index.dump() == before
    await index.songs.connection.execute_fetchall("PRAGMA max_page_count = 1000000")
    await index.indexer.add(many(3), "import")
    assert len(await index.lines()) == 4


async def test_a_transaction_that_sqlite_rolled_back_itself_is_told(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = index.dump()

    async def fails(*_given: object) -> None:
        await index.songs.connection.execute("ROLLBACK")  # as SQLite does where a full disk stops a commit
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        raise error

    monkeypatch.setattr(index.indexer, "_insert", fails)
    with pytest.raises(StoreError) as caught:
        await index.indexer.add(many(3), "import")
    assert caught.value.key == "error.disk_full"
    assert index.dump() == before


async def test_an_import_beside_another_one_is_told(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    await index.songs.connection.execute_fetchall("PRAGMA busy_timeout = 20")
    with closing(sqlite3.connect(index.songs.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            await index.indexer.add(many(1), "import")
        other.execute("ROLLBACK")
    assert caught.value.key == "error.database_busy"
    assert store._BUSY_MS >= 1_000
    await index.indexer.add(many(1), "import")


async def test_another_bundle_reads_everything_again_and_keeps_what_was_imported(
    index: Index, bundle: Bundle, tmp_path: Path
) -> None:
    shipped = await Songs.open(tmp_path / "shipped.db", index.weights)
    writer = Indexer(shipped, index.reader, index.meanings, bundle.manifest.fingerprint)
    await writer.add([draft("우리 노래", FIRST, SECOND)], "original")
    await writer.add([draft("아는 노래", story={"ko": "우산 이야기"}, year=1999)], "catalogue")
    await shipped.close()
    copy_shipped(tmp_path / "shipped.db", tmp_path / "own.db")
    songs = await Songs.open(tmp_path / "own.db", index.weights)
    own = replace(index, songs=songs, indexer=Indexer(songs, index.reader, index.meanings, "an older bundle"))
    try:
        mine = draft("내 노래", LineDraft(FIRST, 1_500, "denial", "anger"), LineDraft(SECOND, 62_000), year=2020)
        await own.indexer.add([mine, draft("아는 노래", LineDraft(THIRD, 7))], "import")
        assert await songs.reader() == "an older bundle"
        before, feelings = await own.lines(), sorted(one.feeling for one in await own.passages())
        await songs.connection.execute("UPDATE passages SET feeling = zeroblob(20), meaning = zeroblob(2)")

        report = await Indexer(songs, index.reader, index.meanings, bundle.manifest.fingerprint).read_again(
            tmp_path / "shipped.db"
        )

        assert await songs.reader() == bundle.manifest.fingerprint
        assert await own.lines() == before
        assert (report.songs, report.lines) == (4, 5)
        now = sorted(one.feeling for one in await own.passages())
        assert np.array(now) == pytest.approx(np.array(feelings), abs=1e-5)
        rows = await songs.connection.execute_fetchall(
            "SELECT title, start_ms, label, secondary FROM passages JOIN songs ON songs.id = song_id"
            " WHERE source = 'import' ORDER BY title, position"
        )
        assert [tuple(row) for row in rows] == [
            ("내 노래", 1_500, "denial", "anger"),
            ("내 노래", 62_000, None, None),
            ("아는 노래", 7, None, None),
        ]
        assert (await own.song("내 노래")).year == 2020
        assert (await own.song("아는 노래")).year == 1999
        assert await own.nearest(THIRD) == THIRD
        assert [one.song.title for one in await songs.search("절대 보내", 3)] == ["아는 노래"]
    finally:
        await songs.close()


async def test_reading_again_takes_the_shipped_songs_as_they_are_shipped_now(index: Index, tmp_path: Path) -> None:
    await index.indexer.add([draft("고친 노래", FIRST), draft("뺀 노래", FIRST)], "original")
    await index.indexer.add([draft("내 노래", FIRST)], "import")
    newer = await Songs.open(tmp_path / "newer.db", index.weights)
    await Indexer(newer, index.reader, index.meanings, "newer").add([draft("고친 노래", SECOND)], "original")
    await newer.close()
    await index.indexer.read_again(tmp_path / "newer.db")
    assert await index.lines() == {"고친 노래": [SECOND], "내 노래": [FIRST]}


async def test_reading_again_that_breaks_off_leaves_the_index_as_it_was(index: Index, tmp_path: Path) -> None:
    await index.indexer.add(many(5), "import")
    before = index.dump()
    with pytest.raises(StoreError):
        await index.indexer.read_again(tmp_path)  # not an index
    assert index.dump() == before


async def test_the_nearest_passages_are_those_of_the_index_as_it_is_now(index: Index) -> None:
    await index.indexer.add([draft("하나", SECOND)], "import")
    assert await index.nearest(THIRD) == SECOND
    await index.indexer.add([draft("둘", THIRD)], "import")
    assert await index.nearest(THIRD) == THIRD
    await index.indexer.add([draft("둘", FIRST)], "import")
    assert await index.nearest(THIRD) != THIRD


async def test_what_another_process_imports_is_found_too(index: Index, bundle: Bundle) -> None:
    await index.indexer.add([draft("하나", SECOND), draft("둘", FIRST)], "import")
    assert await index.nearest(FIRST) == FIRST
    beside = await Songs.open(index.songs.path, index.weights)
    await Indexer(beside, index.reader, index.meanings, bundle.manifest.fingerprint).add(
        [draft("둘", THIRD), draft("셋", FIRST)], "import"
    )
    await beside.close()
    assert await index.nearest(FIRST) == FIRST
    assert await index.nearest(THIRD) == THIRD


async def test_a_large_index_keeps_its_vectors_in_a_file_that_fits_it(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.songs, "EXACT", 10)
    monkeypatch.setattr(bot.songs, "_GRAPH_BATCH", 7)

    def files() -> list[Path]:
        return sorted(index.songs.path.parent.glob("*.usearch*"))

    await index.indexer.add([*many(20), draft("첫눈", THIRD)], "import")
    assert await index.nearest(THIRD) == THIRD
    (first,) = files()
    made = first.stat().st_mtime_ns

    again = await Songs.open(index.songs.path, index.weights)
    assert await replace(index, songs=again).nearest(THIRD) == THIRD
    await again.close()
    assert files() == [first]
    assert first.stat().st_mtime_ns == made  # not made a second time

    await index.indexer.add([draft("둘째 눈", SECOND)], "import")
    assert await index.nearest(SECOND) == SECOND
    (second,) = files()
    assert second != first

    other = await Songs.open(index.songs.path, Weights(0.6, 0.8))
    assert await replace(index, songs=other, weights=Weights(0.6, 0.8)).nearest(THIRD) == THIRD
    await other.close()
    assert files() != [second]


async def test_a_damaged_vector_file_is_made_again(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.songs, "EXACT", 10)
    await index.indexer.add([*many(20), draft("첫눈", THIRD)], "import")
    await index.nearest(THIRD)
    (file,) = index.songs.path.parent.glob("*.usearch*")
    whole = file.stat().st_size
    file.write_bytes(b"nothing of that kind")
    index.songs.changed()
    assert await index.nearest(THIRD) == THIRD
    assert file.stat().st_size == whole


async def test_a_vector_file_that_finds_no_room_is_told(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: GraphFile, _path: Path) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(bot.songs, "EXACT", 10)
    monkeypatch.setattr(GraphFile, "write", full)
    await index.indexer.add(many(20), "import")
    with pytest.raises(StoreError) as caught:
        await index.nearest(FIRST)
    assert caught.value.key == "error.disk_full"


async def test_few_passages_need_no_file(index: Index) -> None:
    await index.indexer.add(many(5), "import")
    await index.nearest(FIRST)
    assert {one.name for one in index.songs.path.parent.iterdir()} <= {"songs.db", "songs.db-wal", "songs.db-shm"}


async def test_an_empty_index_has_no_candidates(index: Index) -> None:
    query = np.ones(5 + index.meanings.dimensions, np.float32)
    assert await index.songs.candidates(query) == []


async def test_avoided_songs_are_no_candidates(index: Index) -> None:
    await index.indexer.add(many(5), "import")
    query = np.ones(5 + index.meanings.dimensions, np.float32)
    everything = await index.songs.candidates(query)
    assert [one.score for one in everything] == sorted((one.score for one in everything), reverse=True)
    avoided = {everything[0].song, everything[-1].song}
    left = await index.songs.candidates(query, avoided)
    assert {one.song for one in left} == {one.song for one in everything} - avoided


def test_an_own_index_starts_as_a_copy_of_the_shipped_one(bundle: Bundle, tmp_path: Path) -> None:
    copy_shipped(bundle.songs, tmp_path / "new" / "songs.db")
    assert (tmp_path / "new" / "songs.db").read_bytes() == bundle.songs.read_bytes()
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["songs.db"]


def test_a_copy_that_cannot_be_made_is_told(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StoreError) as caught:
        copy_shipped(bundle.songs, tmp_path / "data" / "songs.db")
    assert caught.value.key == "error.database_unwritable"


def test_a_copy_leaves_the_index_that_another_import_made_first(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(_source: Path, target: Path) -> None:
        target.write_bytes(b"copied")
        (tmp_path / "songs.db").write_bytes(b"with songs")

    monkeypatch.setattr(indexing.shutil, "copyfile", slow)
    copy_shipped(bundle.songs, tmp_path / "songs.db")
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"with songs"]


def test_a_copy_that_finds_no_room_is_told(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(indexing.shutil, "copyfile", full)
    with pytest.raises(StoreError) as caught:
        copy_shipped(bundle.songs, tmp_path / "songs.db")
    assert caught.value.key == "error.disk_full"
    assert not list(tmp_path.iterdir())
