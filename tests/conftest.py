"""What most tests share: the shipped bundle, opened once, and a data folder of their own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.answer import Answerer
from bot.bundle import Bundle, open_bundle
from bot.emotion import Reader
from bot.match import Weights
from bot.meaning import Meanings
from bot.settings import SHIPPED
from bot.songs import Songs


@pytest.fixture(autouse=True)
def own_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EBYUL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("EBYUL_LOCALE", "ko")
    for name in ("EBYUL_BUNDLE", "EBYUL_WORK", "DISCORD_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    return open_bundle(SHIPPED / "ko")


@pytest.fixture(scope="session")
def reader(bundle: Bundle) -> Reader:
    return Reader(bundle)


@pytest.fixture(scope="session")
def meanings(bundle: Bundle) -> Meanings:
    return Meanings(bundle)


@pytest.fixture(scope="session")
def weights(bundle: Bundle) -> Weights:
    return Weights(bundle.manifest.feeling_weight, bundle.manifest.meaning_weight)


@pytest.fixture
async def shipped_songs(bundle: Bundle, weights: Weights) -> AsyncIterator[Songs]:
    songs = await Songs.open_shipped(bundle.songs, weights)
    yield songs
    await songs.close()


@pytest.fixture
async def answerer(reader: Reader, meanings: Meanings, shipped_songs: Songs, weights: Weights) -> Answerer:
    return Answerer(reader, meanings, shipped_songs, weights)
