"""The benchmark runs, on sizes that say nothing of speed."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from bot import songs
from bot.bundle import Bundle
from bot.text import morphemes

_FILE = Path(__file__).parent / "benchmarks" / "latency.py"
_spec = importlib.util.spec_from_file_location("latency", _FILE)
assert _spec and _spec.loader
latency = importlib.util.module_from_spec(_spec)
sys.modules["latency"] = latency
_spec.loader.exec_module(latency)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return latency.messages(5)


def test_messages_have_about_fifteen_morphemes(texts):
    assert len(texts) == 5 == len(set(texts))
    assert all(13 <= len(morphemes(text)) <= 17 for text in texts)


def test_recombined_lines_are_of_two_halves():
    lines = ["a b c d", "e f"]
    found = list(latency.recombined(lines, 50, np.random.default_rng(0)))
    assert set(found) == {"a b c d", "e f", "a b f", "e c d"}


def test_times_are_told_beside_their_aim():
    times = latency.Times.of([0.001, 0.001, 0.001])
    assert str(times) == "p50 1.00 ms, p99 1.00 ms"
    assert times.row("what", 0.5).met is False
    assert str(times.row("what", 1.5)).startswith("✓ what")


def test_a_reading_is_timed(bundle: Bundle, texts):
    (row,) = latency.reading(bundle, texts)
    assert row.met is not None


def test_the_network_is_compared_with_another_model(bundle: Bundle, texts):
    # The shipped model stands for a masked export, which takes TensorFlow's time to make.
    *_, ratio = latency.masked_reading(bundle, texts, bundle.folder / "model.onnx")
    assert 0 < float(ratio.figure) < 5
    assert ratio.met is False


@pytest.mark.parametrize("exact", [40, 1_000])
async def test_answers_on_synthetic_lines_are_timed(bundle: Bundle, texts, tmp_path, monkeypatch, exact):
    monkeypatch.setattr(songs, "EXACT", exact)
    index = await latency.synthetic_index(bundle, tmp_path, 100)
    answers, vectors = await latency.answers(bundle, texts, index, 100)
    assert answers.what == "one answer, 100 lines"
    assert ("MB" in vectors.figure) is (exact < 100)


async def test_answers_on_the_shipped_index_are_timed(bundle: Bundle, texts):
    (row,) = await latency.answers(bundle, texts)
    assert row.what == "one answer, shipped index"


def test_the_start_is_timed(tmp_path):
    assert latency.cold_start(tmp_path, runs=1).met is not None


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from Linux's /proc")
def test_memory_is_weighed(texts):
    assert "MB" in latency.memory(texts, 5).figure


async def test_an_import_is_timed(bundle: Bundle, tmp_path):
    row = await latency.importing(bundle, tmp_path, 50)
    assert "lines/s" in row.figure
