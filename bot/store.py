"""Opens SQLite databases the one way this program uses them, and brings an older one up to date."""

import errno
import sqlite3
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import aiosqlite

from bot.errors import StoreError

# Another process (an import beside the running bot) may hold the write lock for a moment.
_BUSY_MS = 5_000


def script(name: str) -> str:
    """An SQL file of this package."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


async def open_read_only(path: Path) -> aiosqlite.Connection:
    """A database nobody writes, such as the one the bundle ships, which may lie in a folder that cannot be written."""
    return await connect(path, "?mode=ro&immutable=1")


async def open_database(path: Path, migrations: Sequence[str], *, durable: bool = False) -> aiosqlite.Connection:
    """The database at `path`, made when missing, with every migration it lacks.

    `migrations` are SQL scripts; the database's `user_version` says how many of them it has. `durable` waits for the
    disk at every commit. Raises StoreError when the file is no database, is from a newer version or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(error, path) from error
    connection = await connect(path)
    try:
        # Fetched, not only executed: aiosqlite's thread holds the last cursor, and an open one keeps a lock.
        await connection.execute_fetchall("PRAGMA journal_mode = WAL")
        await connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        await connection.execute("PRAGMA foreign_keys = ON")
        await _migrate(connection, path, migrations)
    except BaseException as error:
        await connection.close()
        if isinstance(error, sqlite3.Error):
            raise told(error, path) from error
        raise
    return connection


def told(error: sqlite3.Error, path: Path) -> StoreError:
    """The sentence for what SQLite says."""
    name = getattr(error, "sqlite_errorname", "")
    if name in ("SQLITE_NOTADB", "SQLITE_CORRUPT") or name.startswith("SQLITE_CORRUPT"):
        return StoreError("error.database_damaged", path=path)
    if name.startswith("SQLITE_FULL"):
        return StoreError("error.disk_full", path=path)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreError("error.database_busy", path=path)
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_PERM")):
        return StoreError("error.database_unwritable", path=path, reason=error)
    return StoreError("error.database_failed", path=path, reason=error)


def unwritable(error: OSError, path: Path) -> StoreError:
    """The sentence for what the system says when a file cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError("error.disk_full", path=path)
    return StoreError("error.database_unwritable", path=path, reason=error)


async def connect(path: Path, options: str = "") -> aiosqlite.Connection:
    """The database at `path` as it is; `options` are those of SQLite's addresses."""
    address = f"{path.absolute().as_uri()}{options}"  # noqa: ASYNC240  # reads no disk but the current folder
    try:
        # First without aiosqlite: when opening fails, its thread may outlive the event loop and print a traceback.
        sqlite3.connect(address, uri=True).close()
        # isolation_level None: transactions are written out where they happen.
        connection = await aiosqlite.connect(address, uri=True, isolation_level=None)
        await connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    except sqlite3.Error as error:
        raise told(error, path) from error
    connection.row_factory = sqlite3.Row
    return connection


async def _migrate(connection: aiosqlite.Connection, path: Path, migrations: Sequence[str]) -> None:
    if (version := await _version(connection)) > len(migrations):
        raise StoreError("error.database_newer", path=path)
    while version < len(migrations):
        step = f"BEGIN IMMEDIATE;\n{migrations[version]}\nPRAGMA user_version = {version + 1};\nCOMMIT;"
        try:
            await connection.executescript(step)
        except sqlite3.Error:
            await connection.rollback()
            if await _version(connection) == version:
                raise
            # else another process was making the same step and came first
        version = await _version(connection)


async def _version(connection: aiosqlite.Connection) -> int:
    ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
    return int(version)
