import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.bundle import Bundle
from bot.emotion import EMOTIONS, Reader
from bot.errors import StoreError
from bot.indexing import Indexer
from bot.match import Weights
from bot.meaning import Meanings
from bot.settings import SHIPPED
from bot.songfiles import LineDraft, SongDraft
from bot.songs import LyricMatch, Songs, key, search_links

UMBRELLA = "우산은 두 개인데 비는 한 사람만 맞네"
BREAK = "우리 이제 그만 헤어지자"
SONGS = (
    SongDraft("젖은 우산", "가짜 밴드", (LineDraft(UMBRELLA, 1_500), LineDraft("빈 컵에 남은 물을 오래 보았다")), 2019),
    SongDraft(
        "마지막 역", "다른 밴드", (LineDraft(BREAK), LineDraft("Goodbye my love, 안녕")), links=("https://a.b/c",)
    ),
    SongDraft("비밀", "가수", story={"ko": "우산을 돌려주러 간 날의 이야기."}, mixture={"sadness": 1.0}),
)


@pytest.fixture
async def songs(
    tmp_path: Path, bundle: Bundle, reader: Reader, meanings: Meanings, weights: Weights
) -> AsyncIterator[Songs]:
    opened = await Songs.open(tmp_path / "songs.db", weights)
    await Indexer(opened, reader, meanings, bundle.manifest.fingerprint).add(SONGS, "import")
    yield opened
    await opened.close()


def marked(found: Iterable[LyricMatch]) -> list[list[str]]:
    return [[one.passage.text[start:end] for start, end in one.marks] for one in found]


@pytest.mark.parametrize(
    ("words", "line", "marks"),
    [
        ("우산", UMBRELLA, ["우산"]),
        ("사람만 우산", UMBRELLA, ["우산", "사람"]),
        ("비가 왔는데 우산은", UMBRELLA, ["우산"]),
        ("헤어졌던 우리", BREAK, ["우리", "헤어지"]),
        ("GOODBYE", "Goodbye my love, 안녕", ["Goodbye"]),
        ("남았던 물", "빈 컵에 남은 물을 오래 보았다", ["남", "물"]),
    ],
)
async def test_a_line_is_found_by_half_remembered_words(songs: Songs, words: str, line: str, marks: list[str]) -> None:
    first, *_ = await songs.search(words, 5)
    assert first.passage.text == line
    found = marked([first])[0]
    assert all(any(mark in part for part in found) for mark in marks)
    assert len(found) <= len(marks)


@pytest.mark.parametrize(
    ("typed", "line"), [("헤어", BREAK), ("goodb", "Goodbye my love, 안녕"), ("우산 사", UMBRELLA)]
)
async def test_the_last_word_may_be_unfinished(songs: Songs, typed: str, line: str) -> None:
    first, *_ = await songs.search(typed, 5)
    assert first.passage.text == line
    assert marked([first])[0]


async def test_a_line_with_more_of_the_words_comes_first(songs: Songs) -> None:
    found = await songs.search("우산 비 사람 헤어지자", 5)
    assert [one.passage.text for one in found] == [UMBRELLA, BREAK]
    assert found[0].song.title == "젖은 우산"
    assert found[0].passage.start_ms == 1_500


async def test_no_more_lines_come_than_asked_for(songs: Songs) -> None:
    assert len(await songs.search("우산 헤어지자", 1)) == 1


async def test_stories_are_not_lyrics(songs: Songs) -> None:
    assert await songs.search("돌려주러", 5) == []


@pytest.mark.parametrize("words", ["", "   ", "은는", "!?", "🙂", "ⴰⵣⵓⵍ", "존재하지않는낱말뷁"])
async def test_words_that_stand_nowhere_find_nothing(songs: Songs, words: str) -> None:
    assert await songs.search(words, 5) == []


@pytest.mark.parametrize(
    "words",
    [
        '"',
        '우산"',
        "우산*",
        "우산 AND",
        "OR OR",
        "NEAR(우산 우산)",
        "words:우산",
        "^우산",
        "-우산",
        "(우산",
        "{a b}:",
        "우산'; --",
    ],
)
async def test_search_syntax_is_only_words(songs: Songs, words: str) -> None:
    assert all("우산" in one.passage.text for one in await songs.search(words, 5))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(words="L÷")
@given(words=st.text(st.one_of(st.characters(exclude_categories=[]), st.sampled_from('"*()^:-우산비 ')), max_size=20))
async def test_marks_lie_in_the_line_in_order(songs: Songs, words: str) -> None:
    for one in await songs.search(words, 5):
        end = 0
        assert one.marks
        for start, stop in one.marks:
            assert end <= start < stop <= len(one.passage.text)
            end = stop


async def test_songs_are_listed_by_artist_and_title(songs: Songs) -> None:
    assert [(one.artist, one.title) for one in await songs.list()] == [
        ("가수", "비밀"),
        ("가짜 밴드", "젖은 우산"),
        ("다른 밴드", "마지막 역"),
    ]


async def test_links_are_those_of_the_song_or_searches_for_it(songs: Songs) -> None:
    links = {one.title: one.links for one in await songs.list()}
    assert links["마지막 역"] == ("https://a.b/c",)
    assert links["비밀"] == search_links("비밀", "가수")


def test_a_search_link_survives_any_title() -> None:
    for link in search_links("A&B #1 = 100% ?", "가수/밴드"):
        assert link.startswith("https://")
        assert " " not in link
        assert link.isascii()
        assert link.endswith("%EA%B0%80%EC%88%98%2F%EB%B0%B4%EB%93%9C+A%26B+%231+%3D+100%25+%3F")


@pytest.mark.parametrize(
    ("one", "other"),
    [("Love Me", "ＬＯＶＥ　ＭＥ"), ("헤어지던 날", "헤어지던날"), ("It's You!", "its you"), ("Straße", "STRASSE")],
)
def test_spellings_of_a_song_have_one_key(one: str, other: str) -> None:
    assert key(one, "가수") == key(other, "가 수")


@pytest.mark.parametrize(
    ("one", "other"),
    [(("a", "bc"), ("ab", "c")), (("!!!", "x"), ("???", "x")), (("첫눈", "가수"), ("첫눈", "다른 가수"))],
)
def test_other_songs_have_other_keys(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert key(*one) != key(*other)


async def test_stats_count_songs_lines_and_stories(songs: Songs) -> None:
    stats = await songs.stats()
    assert stats.songs == {"import": 3}
    assert stats.stories == 1
    assert list(stats.lines) == [emotion.value for emotion in EMOTIONS]
    assert sum(stats.lines.values()) == 4


async def test_an_empty_index_answers_everything(tmp_path: Path, weights: Weights, meanings: Meanings) -> None:
    songs = await Songs.open(tmp_path / "songs.db", weights)
    stats = await songs.stats()
    assert (dict(stats.songs), stats.stories, sum(stats.lines.values())) == ({}, 0, 0)
    assert await songs.search("우산", 3) == await songs.list() == []
    assert await songs.reader() == ""
    await songs.close()


async def test_the_shipped_index_was_read_with_the_shipped_bundle(shipped_songs: Songs, bundle: Bundle) -> None:
    assert await shipped_songs.reader() == bundle.manifest.fingerprint
    stats = await shipped_songs.stats()
    assert set(stats.songs) == {"original", "catalogue"}
    assert stats.stories > 0
    assert sum(stats.lines.values()) > 1_000


async def test_the_shipped_index_is_only_read(bundle: Bundle, weights: Weights, tmp_path: Path) -> None:
    folder = tmp_path / "exported"
    folder.mkdir()
    shutil.copyfile(bundle.songs, folder / "songs.db")
    (folder / "songs.db").chmod(0o444)
    folder.chmod(0o555)
    try:
        songs = await Songs.open_shipped(folder / "songs.db", weights)
        assert await songs.search("우산", 3)
        with pytest.raises(sqlite3.OperationalError):
            await songs.connection.execute("DELETE FROM songs")
        await songs.close()
        assert [one.name for one in folder.iterdir()] == ["songs.db"]
        assert (folder / "songs.db").read_bytes() == bundle.songs.read_bytes()
    finally:
        folder.chmod(0o755)


async def test_opening_the_shipped_index_leaves_the_bundle_as_it_was(shipped_songs: Songs) -> None:
    await shipped_songs.search("우산", 3)
    assert not [
        one.name for one in (SHIPPED / "ko").iterdir() if one.name.startswith("songs.db") and one.name != "songs.db"
    ]


async def test_every_shipped_passage_has_a_feeling_and_a_unit_meaning(bundle: Bundle, shipped_songs: Songs) -> None:
    ids = [row[0] for row in await shipped_songs.connection.execute_fetchall("SELECT id FROM passages")]
    for _, passage in (await shipped_songs.passages(ids)).values():
        assert sum(passage.feeling) == pytest.approx(1, abs=1e-4)
        assert passage.emotion in EMOTIONS
        assert passage.text == passage.text.strip() != ""
        assert passage.is_story == (passage.position == 0)


async def test_a_damaged_index_is_told(tmp_path: Path, weights: Weights, bundle: Bundle) -> None:
    content = bytearray(bundle.songs.read_bytes())
    content[4096 : 4096 * 40] = os.urandom(4096 * 39)
    (tmp_path / "songs.db").write_bytes(content)
    songs = await Songs.open_shipped(tmp_path / "songs.db", weights)
    try:
        with pytest.raises(StoreError) as caught:
            await songs.list()
            await songs.stats()
            await songs.search("우산", 3)
        assert caught.value.key == "error.database_damaged"
    finally:
        await songs.close()
