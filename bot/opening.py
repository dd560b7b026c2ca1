"""Settings → everything with a lifetime, opened once and closed together."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass

from bot.answer import Answerer
from bot.bundle import Bundle, open_bundle
from bot.emotion import Reader
from bot.indexing import Indexer, Progress, copy_shipped
from bot.match import Weights
from bot.meaning import Meanings
from bot.settings import Settings
from bot.songs import Songs

# Shows that something long is going on, under a key of the locales.
Waiting = Callable[[str], AbstractContextManager[Progress | None]]


def unseen(_key: str) -> AbstractContextManager[None]:
    """A `Waiting` that shows nothing."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Opened:
    """What answers: the bundle's readers and the song index."""

    bundle: Bundle
    reader: Reader
    meanings: Meanings
    songs: Songs
    answerer: Answerer
    is_own: bool
    """The index is this installation's, not the one the bundle ships, and may be written."""

    @property
    def indexer(self) -> Indexer:
        return Indexer(self.songs, self.reader, self.meanings, self.bundle.manifest.fingerprint)

    async def close(self) -> None:
        await self.songs.close()


async def open_all(
    settings: Settings, waiting: Waiting = unseen, *, own: bool = False, as_it_is: bool = False
) -> Opened:
    """Opens the bundle and this installation's index, or where there is none, the one the bundle ships.

    `own` makes the installation's index when it is missing. An index read with another bundle is read again first,
    unless it is wanted `as_it_is`.
    Raises BundleError and StoreError.
    """
    bundle = open_bundle(settings.bundle)
    reader, meanings = Reader(bundle), Meanings(bundle)
    weights = Weights(bundle.manifest.feeling_weight, bundle.manifest.meaning_weight)
    if own and not settings.songs.exists():
        copy_shipped(bundle.songs, settings.songs)
    is_own = settings.songs.exists()
    if is_own:
        songs = await Songs.open(settings.songs, weights)
    else:
        songs = await Songs.open_shipped(bundle.songs, weights)
    opened = Opened(bundle, reader, meanings, songs, Answerer(reader, meanings, songs, weights), is_own)
    try:
        if is_own and not as_it_is and await songs.reader() != bundle.manifest.fingerprint:
            with waiting("songs.reading_again") as progress:
                await opened.indexer.read_again(bundle.songs, progress)
    except BaseException:
        await opened.close()
        raise
    return opened


@asynccontextmanager
async def everything(
    settings: Settings, waiting: Waiting = unseen, *, own: bool = False, as_it_is: bool = False
) -> AsyncIterator[Opened]:
    """`open_all`, closed at the end."""
    opened = await open_all(settings, waiting, own=own, as_it_is=as_it_is)
    try:
        yield opened
    finally:
        await opened.close()
