"""`ebyul doctor`: looks at everything an answer needs and says of each what is wrong and what to do."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np

from bot.bundle import Bundle, open_bundle
from bot.emotion import Reader
from bot.errors import EbyulError
from bot.locales import sentences
from bot.opening import Opened, everything
from bot.printable import printable
from bot.settings import Settings
from bot.songs import failures

# Another processor adds in another order; more than this is another model.
_TOLERANCE = 1e-4


class State(StrEnum):
    """How a check went, as it is shown."""

    GOOD = "✓"
    BROKEN = "✗"
    NOTE = "–"


@dataclass(frozen=True, slots=True)
class Check:
    """What was found: a key of the locales with its values, or an error that tells itself."""

    state: State
    key: str
    values: dict[str, object] = field(default_factory=dict)

    @classmethod
    def failed(cls, error: EbyulError) -> "Check":
        return cls(State.BROKEN, error.key, error.values)


def examine(settings: Settings) -> int:
    """Prints a line a check; 1 when something is broken."""
    return asyncio.run(_examine(settings))


async def _examine(settings: Settings) -> int:
    say = sentences(settings.locale)
    broken = 0
    async for check in checks(settings):
        print(f"{check.state} {printable(say(check.key, **check.values))}", flush=True)
        broken += check.state is State.BROKEN
    print(say("doctor.broken", count=broken) if broken else say("doctor.sound"))
    return 1 if broken else 0


async def checks(settings: Settings) -> AsyncIterator[Check]:
    """Every check, in the order in which one rests on another."""
    yield Check(State.GOOD, "doctor.settings", {"locale": settings.locale, "data": settings.data})
    try:
        bundle = open_bundle(settings.bundle)
    except EbyulError as error:
        yield Check.failed(error)
        yield Check(State.NOTE, "doctor.index_waits")
    else:
        words = len(bundle.words.tokens)
        yield Check(State.GOOD, "doctor.bundle", {"words": words, "folder": settings.bundle})
        yield golden(bundle)
        try:
            async with everything(settings, as_it_is=True) as opened:
                yield await index(opened)
        except EbyulError as error:
            yield Check.failed(error)
    yield data_folder(settings.data)
    yield Check(State.GOOD, "doctor.token") if settings.token else Check(State.NOTE, "doctor.no_token")


def golden(bundle: Bundle) -> Check:
    """Whether this computer reads the bundle's examples as training did."""
    try:
        examples = bundle.golden()
        expected = [np.array(example["probabilities"], np.float64) for example in examples]
        readings = Reader(bundle).read([example["text"] for example in examples])
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Check(State.BROKEN, "doctor.golden_unreadable", {"reason": repr(error)})
    pairs = zip(readings, expected, strict=True)
    wrong = sum(not np.allclose(reading.probabilities, right, rtol=0, atol=_TOLERANCE) for reading, right in pairs)
    if wrong:
        return Check(State.BROKEN, "doctor.golden_differs", {"count": len(examples), "wrong": wrong})
    return Check(State.GOOD, "doctor.golden", {"count": len(examples)})


async def index(opened: Opened) -> Check:
    """Whether the song index is whole and was read with this bundle."""
    songs = opened.songs
    with failures(songs.path):
        ((first,), *_) = await songs.connection.execute_fetchall("PRAGMA integrity_check")
    if first != "ok":
        return Check(State.BROKEN, "doctor.index_damaged", {"path": songs.path, "reason": first})
    if await songs.reader() != opened.bundle.manifest.fingerprint:
        if opened.is_own:
            return Check(State.NOTE, "doctor.index_stale", {"path": songs.path})
        return Check(State.BROKEN, "doctor.index_unfit")
    stats = await songs.stats()
    counts = {"songs": sum(stats.songs.values()), "lines": sum(stats.lines.values())}
    if opened.is_own:
        return Check(State.GOOD, "doctor.index_own", {**counts, "path": songs.path})
    return Check(State.GOOD, "doctor.index_shipped", {**counts})


def data_folder(folder: Path) -> Check:
    """Whether the data folder, or where it would be made, can be written. Leaves nothing behind."""
    there = next((path for path in (folder, *folder.absolute().parents) if path.exists()), folder)
    try:
        if not os.access(there, os.W_OK | os.X_OK):
            raise PermissionError
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError:
        return Check(State.BROKEN, "doctor.data_unwritable", {"path": folder})
    return Check(State.GOOD, "doctor.data", {"path": folder})
