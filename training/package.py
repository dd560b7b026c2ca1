"""The bundle of `exported/`: the checked model, its word lists, the song index, the card; then read back through the bot."""

import asyncio
import shutil
from pathlib import Path

import numpy as np
from tqdm import tqdm

from bot.bundle import open_bundle
from bot.emotion import Reader
from bot.indexing import Indexer
from bot.match import Weights
from bot.meaning import Meanings
from bot.songfiles import read
from bot.songs import Songs
from training import export
from training.stage import OURS, StageError, Workshop, read_json

_LARGEST = 25_000_000  # bytes; the bundle is committed and installed with the bot


def run(shop: Workshop) -> None:
    """Reads `bundle/`, the card and our songs, writes the folder of `exported/`."""
    staged = shop.made_by("export", "bundle", "model.onnx").parent
    shutil.copyfile(shop.made_by("report", "report", "MODEL_CARD.md"), staged / "MODEL_CARD.md")
    (staged / "songs.db").unlink(missing_ok=True)
    export.write_manifest(shop, staged, figures={})
    asyncio.run(_index(staged))
    figures = read_json(shop.made_by("evaluate", "figures.json"))
    export.write_manifest(shop, staged, figures=summary(figures))
    size = sum(path.stat().st_size for path in staged.iterdir())
    if size > _LARGEST:  # before the old bundle goes
        raise StageError(
            f"{staged} has {size:,} bytes, more than {_LARGEST:,}: raise word_count in training/config.py."
        )
    _replace(staged, shop.bundle)
    compare(shop.bundle)
    print(f"{shop.bundle}: {size / 1e6:.1f} MB")


def compare(folder: Path) -> None:
    """Opens the bundle as the bot does; StageError unless it reads its golden examples as they were written."""
    bundle = open_bundle(folder)
    golden = bundle.golden()
    readings = Reader(bundle).read([example["text"] for example in golden])
    for example, reading in zip(golden, readings, strict=True):
        if list(reading.tokens) != example["tokens"] or not np.allclose(
            reading.probabilities, example["probabilities"], atol=1e-5
        ):
            raise StageError(f"{folder} reads a golden example otherwise than it was exported: {example['text']!r}")


def summary(figures: dict[str, object]) -> dict[str, object]:
    """The figures a program may ask the manifest for."""
    return {name: figures[name] for name in ("test_rows", "default")}


async def _index(folder: Path) -> None:
    bundle = open_bundle(folder)
    new = folder / "songs.db.new"
    new.unlink(missing_ok=True)
    weights = Weights(bundle.manifest.feeling_weight, bundle.manifest.meaning_weight)
    songs = await Songs.open(new, weights)
    try:
        indexer = Indexer(songs, Reader(bundle), Meanings(bundle), bundle.manifest.fingerprint)
        with tqdm(desc="songs", unit=" lines") as bar:
            for path, source in ((OURS / "songs_ko", "original"), (OURS / "catalogue_ko.jsonl", "catalogue")):
                report = await indexer.add(read(path), source, lambda lines: bar.update(lines - bar.n))
                if report.problems:
                    raise StageError(report.problems[0].tell("en"))
        # Shipped in a folder that may not be writable: one file, without a write-ahead log beside it.
        await songs.connection.execute("INSERT INTO lyrics (lyrics) VALUES ('optimize')")
        await songs.connection.execute_fetchall("PRAGMA journal_mode = DELETE")
        await songs.connection.execute("VACUUM")
    finally:
        await songs.close()
    new.replace(folder / "songs.db")


def _replace(staged: Path, folder: Path) -> None:
    """Puts the new bundle in the place of the old one, which stays whole until then."""
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(staged, new)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
