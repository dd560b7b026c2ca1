"""The whole training, from our own texts to a bundle that the bot answers with."""

import asyncio
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from bot.answer import Answerer
from bot.bundle import Bundle, open_bundle
from bot.emotion import EMOTIONS, Reader
from bot.match import Weights
from bot.meaning import Meanings
from bot.songs import Songs, Stats
from training.__main__ import main

TEXTS = [
    "우리 헤어져 보자",
    "보고 싶다 ㅠㅠ",
    "나만 빼고 다 잘 지내는 것 같아",
    "진짜 화나",
    "점심 뭐 먹지",
    "",
    "비 " * 80,
]


@pytest.mark.filterwarnings("ignore::UserWarning:keras")
def test_the_pipeline_makes_a_bundle_that_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work, folder, corpora = tmp_path / "work", tmp_path / "exported" / "ko", tmp_path / "corpora"
    corpora.mkdir()  # empty, so that nothing is downloaded
    where = ["--config", "small", "--work", str(work), "--bundle", str(folder), "--corpora", str(corpora)]

    assert main(where) == 0, capsys.readouterr().err

    told = capsys.readouterr()
    assert "is not there, going on without it" in told.err
    bundle = open_bundle(folder)
    it_is_whole(bundle)
    it_reads(bundle)
    it_answers(bundle)
    the_card_says_how_it_was_made(folder)
    figures_of_all_methods_stand_side_by_side(work)

    again = tmp_path / "again"
    shutil.copytree(work, again)
    shutil.rmtree(again / "lstm")
    shutil.rmtree(again / "bundle")
    assert main([*where[:3], str(again), *where[4:], "lstm", "export"]) == 0, capsys.readouterr().err
    it_reads_the_same(bundle, open_bundle(again / "bundle"))
    assert [one.name for one in folder.parent.iterdir()] == ["ko"]


def it_is_whole(bundle: Bundle) -> None:
    found = {path.name for path in bundle.folder.iterdir()}
    assert found == {"manifest.json", *bundle.manifest.files}
    assert found >= {"model.onnx", "vocabulary.txt", "vectors.npy", "dictionary.json", "golden.json", "songs.db"}
    assert bundle.manifest.labels == EMOTIONS
    assert bundle.manifest.figures["test_rows"] > 500
    assert bundle.vectors.dtype == np.float16
    assert bundle.vectors.shape == (len(bundle.words.tokens), 32)


def it_reads(bundle: Bundle) -> None:
    golden = bundle.golden()
    readings = Reader(bundle).read([example["text"] for example in golden])
    for example, reading in zip(golden, readings, strict=True):
        assert list(reading.tokens) == example["tokens"]
        assert reading.probabilities == pytest.approx(example["probabilities"], abs=1e-5)
    # Little training on little text, but more than guessing: five labels, about as many rows of each.
    assert bundle.manifest.figures["default"]["all"]["accuracy"] > 0.4


def it_answers(bundle: Bundle) -> None:
    async def ask() -> tuple[Stats, list[set[str]]]:
        weights = Weights(bundle.manifest.feeling_weight, bundle.manifest.meaning_weight)
        songs = await Songs.open_shipped(bundle.songs, weights)
        assert await songs.reader() == bundle.manifest.fingerprint
        answerer = Answerer(Reader(bundle), Meanings(bundle), songs, weights)
        answers = [await answerer.answer(text, seed=1) for text in TEXTS]
        stats = await songs.stats()
        await songs.close()
        return stats, [{one.song.title for one in answer.suggestions} for answer in answers]

    stats, answers = asyncio.run(ask())
    assert set(stats.songs) == {"original", "catalogue"}
    assert [len(titles) for titles in answers] == [3] * len(TEXTS)


def the_card_says_how_it_was_made(folder: Path) -> None:
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "small" in card
    assert "without" in card.lower() or "missing" in card.lower()


def figures_of_all_methods_stand_side_by_side(work: Path) -> None:
    figures = json.loads((work / "figures.json").read_text(encoding="utf-8"))
    for method in ("majority", "dictionary", "svm", "paper", "default"):
        assert {"all", "message", "line"} <= figures[method].keys()
        assert 0 <= figures[method]["all"]["accuracy"] <= 1
    assert figures["default"]["all"]["accuracy"] > figures["majority"]["all"]["accuracy"]
    report = (work / "report" / "report.html").read_text(encoding="utf-8")
    assert "<html" in report
    assert 'src="http' not in report  # it can be read without a network


def it_reads_the_same(one: Bundle, other: Bundle) -> None:
    if (one.folder / "model.onnx").read_bytes() != (other.folder / "model.onnx").read_bytes():
        first, second = (Reader(bundle).read(TEXTS) for bundle in (one, other))
        for before, after in zip(first, second, strict=True):
            assert after.probabilities == pytest.approx(before.probabilities, abs=1e-6)
