import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot import store
from bot.errors import StoreError
from bot.songs import MIGRATIONS
from bot.store import open_database, open_read_only

STEPS = (
    "CREATE TABLE playlists (name TEXT NOT NULL) STRICT;",
    "ALTER TABLE playlists ADD COLUMN owner INTEGER; CREATE INDEX by_owner ON playlists (owner);",
    "CREATE TABLE entries (song TEXT NOT NULL) STRICT; INSERT INTO entries VALUES ('a;b');",
)


async def refused(path: Path, migrations: tuple[str, ...], key: str) -> None:
    """Opening says what is wrong with which file in both languages."""
    with pytest.raises(StoreError) as caught:
        await open_database(path, migrations)
    assert caught.value.key == key
    assert str(path) in caught.value.tell("ko")
    assert str(path) in caught.value.tell("en")


def shape(path: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return [
            *connection.execute("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name"),
            *connection.execute("PRAGMA user_version"),
        ]


async def test_a_database_is_made_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder with #, ? and %41" / "songs.db"
    connection = await open_database(path, STEPS)
    await connection.close()
    assert path.is_file()
    assert shape(path)[-1] == (3,)


@pytest.mark.parametrize("version", range(len(STEPS) + 1))
async def test_a_database_of_any_older_version_comes_up_to_date(tmp_path: Path, version: int) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    await (await open_database(old, STEPS[:version])).close()
    if version:
        with closing(sqlite3.connect(old)) as connection, connection:
            connection.execute("INSERT INTO playlists (name) VALUES ('밤 산책')")
    for path in (old, new):
        connection = await open_database(path, STEPS)
        rows = await connection.execute_fetchall("SELECT name FROM playlists")
        await connection.close()
        assert [row["name"] for row in rows] == (["밤 산책"] if version and path == old else [])
    assert shape(old) == shape(new)


async def test_a_migration_that_fails_leaves_nothing_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "servers.db"
    await (await open_database(path, STEPS[:1])).close()
    before = shape(path)
    await refused(path, (STEPS[0], "CREATE TABLE entries (song TEXT); SELECT nonsense;"), "error.database_failed")
    assert shape(path) == before


async def test_two_that_open_a_new_database_at_once_both_get_it(tmp_path: Path) -> None:
    connections = await asyncio.gather(*(open_database(tmp_path / "servers.db", STEPS) for _ in range(6)))
    for connection in connections:
        assert len(list(await connection.execute_fetchall("SELECT * FROM entries"))) == 1
        await connection.close()


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "songs.db"
    await (await open_database(path, STEPS)).close()
    await refused(path, STEPS[:2], "error.database_newer")
    assert shape(path)[-1] == (3,)


@pytest.mark.parametrize("content", [b"not a database, but long enough to look like a file of one" * 40, b"short"])
async def test_what_is_no_database_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "songs.db"
    path.write_bytes(content)
    await refused(path, MIGRATIONS, "error.database_damaged")
    assert path.read_bytes() == content


async def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    await refused(tmp_path, STEPS, "error.database_unwritable")


async def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    await refused(tmp_path / "data" / "songs.db", STEPS, "error.database_unwritable")


async def test_a_full_disk_is_told_and_nothing_half_done_stays(tmp_path: Path) -> None:
    path = tmp_path / "servers.db"
    await (await open_database(path, STEPS[:1])).close()
    fill = "PRAGMA max_page_count = 8; CREATE TABLE big (x); INSERT INTO big VALUES (zeroblob(1000000));"
    await refused(path, (STEPS[0], fill), "error.disk_full")
    assert shape(path)[-1] == (1,)


async def test_a_database_that_another_holds_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_BUSY_MS", 20)
    path = tmp_path / "servers.db"
    await (await open_database(path, STEPS[:1])).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await refused(path, STEPS, "error.database_busy")
        other.execute("ROLLBACK")
    await (await open_database(path, STEPS)).close()


@pytest.mark.parametrize(("durable", "synchronous"), [(False, 1), (True, 2)])
async def test_it_is_opened_as_decided(tmp_path: Path, durable: bool, synchronous: int) -> None:
    connection = await open_database(tmp_path / "servers.db", STEPS, durable=durable)
    values = []
    for name in ("journal_mode", "foreign_keys", "synchronous"):
        ((value,),) = await connection.execute_fetchall(f"PRAGMA {name}")
        values.append(value)
    await connection.close()
    assert values == ["wal", 1, synchronous]


async def test_a_read_only_database_is_not_written_and_leaves_no_file_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "folder with #, ? and %41" / "songs.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    before = path.read_bytes()
    connection = await open_read_only(path)
    with pytest.raises(sqlite3.OperationalError):
        await connection.execute("INSERT INTO songs VALUES ('x')")
    await connection.close()
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["songs.db"]


async def test_a_missing_database_is_not_made_for_reading(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        await open_read_only(tmp_path / "songs.db")
    assert caught.value.key == "error.database_unwritable"
    assert list(tmp_path.iterdir()) == []
