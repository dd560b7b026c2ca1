"""How long readings, answers, the start and imports take, and how much memory: `python tests/benchmarks/latency.py`.

Prints a table, each figure beside its aim. Everything is written to a temporary folder, removed at the end. Synthetic
lines have feelings and vectors drawn around those of the shipped index, and texts of two halves of real lines; they
serve to measure and are kept nowhere.
"""

import argparse
import asyncio
import csv
import importlib.util
import json
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnxruntime as ort

from bot.answer import Answerer
from bot.bundle import Bundle, open_bundle
from bot.emotion import EMOTIONS, Reader, Window, inputs
from bot.indexing import Indexer
from bot.match import Weights
from bot.meaning import Meanings
from bot.settings import SHIPPED
from bot.songfiles import read
from bot.songs import Songs
from bot.text import morphemes

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "training" / "data"
BUNDLE = SHIPPED / "ko"
MESSAGE = "나만 빼고 다 잘 지내는 것 같아"
SONG = 20  # lines of a synthetic song
_AT_ONCE = 50_000

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; `met` is None where there is no aim."""

    what: str
    figure: str
    aim: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        mark = {True: "✓", False: "✗", None: " "}[self.met]
        return f"{mark} {self.what:<42} {self.figure:<38} {self.aim}"


@dataclass(frozen=True, slots=True)
class Times:
    """Median and 99th percentile of one call, in milliseconds."""

    p50: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Times":
        p50, p99 = np.percentile(seconds, [50, 99]) * 1e3
        return cls(float(p50), float(p99))

    def __str__(self) -> str:
        return f"p50 {self.p50:.2f} ms, p99 {self.p99:.2f} ms"

    def row(self, what: str, aim: float, note: str = "") -> Row:
        return Row(what, f"{self}{note}", f"≤ {aim:g} ms (p50)", self.p50 <= aim)


def messages(count: int) -> list[str]:
    """Messages of the repository's own data of about 15 morphemes, spread over all files."""
    found = []
    for path in sorted((DATA / "messages_ko").glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row["text"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
        found += [text for text in rows if 13 <= len(morphemes(text)) <= 17]
    return found[:: max(1, len(found) // count)][:count]


def lyric_lines() -> list[str]:
    """The lines of the repository's own songs."""
    found = []
    for path in sorted((DATA / "songs_ko").glob("*.jsonl")):
        for song in path.read_text(encoding="utf-8").splitlines():
            found += [line[0] for line in json.loads(song)["lines"]]
    return found


def recombined(lines: Sequence[str], count: int, random: np.random.Generator) -> Iterator[str]:
    """Lines of the first half of one and the second half of another."""
    halves = [line.split() for line in lines]
    for first, second in random.integers(len(lines), size=(count, 2)).tolist():
        begin, end = halves[first], halves[second]
        yield " ".join(begin[: (len(begin) + 1) // 2] + end[len(end) // 2 :])


def timed(call: Callable[[Item], object], items: Iterable[Item]) -> Times:
    """One call for each item."""
    seconds = []
    for item in items:
        start = time.perf_counter()
        call(item)
        seconds.append(time.perf_counter() - start)
    return Times.of(seconds)


async def timed_answers(answerer: Answerer, texts: Sequence[str]) -> Times:
    """One whole answer to each text."""
    seconds = []
    for seed, text in enumerate(texts):
        start = time.perf_counter()
        answer = await answerer.answer(text, seed=seed)
        seconds.append(time.perf_counter() - start)
        assert answer.suggestions
    return Times.of(seconds)


def reading(bundle: Bundle, texts: Sequence[str]) -> Iterator[Row]:
    """One reading at a time."""
    reader = Reader(bundle)
    reader.read(texts[:20])
    yield timed(lambda text: reader.read([text]), texts).row("one reading, 13 to 17 morphemes", 0.5)


def masked_reading(bundle: Bundle, texts: Sequence[str], model: Path) -> Iterator[Row]:
    """The same network exported with its mask, fed as masks want it: padded to a window."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    reader = Reader(bundle)
    windows = [window for text in texts for window in reader._encoder.encode(text)[1][:1]]

    def run_masked(window: Window) -> None:
        feed = inputs([window])
        feed["words"] = np.pad(feed["words"], ((0, 0), (0, bundle.manifest.window - len(window.words))))
        session.run(None, feed)

    run_ours = partial(_run_alone, reader)
    for run in (run_masked, run_ours):
        timed(run, windows[:20])
    masked, ours = timed(run_masked, windows), timed(run_ours, windows)
    ratio = masked.p50 / ours.p50
    yield Row("  the network alone", str(ours))
    yield Row("  the same by a masked export", str(masked))
    yield Row("  masked / ours", f"{ratio:.1f}", "≥ 5", ratio >= 5)


def _run_alone(reader: Reader, window: Window) -> None:
    reader.probabilities([window])


def write_masked(path: Path, words: int, dimensions: int) -> None:
    """The default network with its mask and random weights as ONNX; only its time counts."""
    from training.config import PRESETS
    from training.export import to_onnx
    from training.network import GramTable, Hybrid, lstm_network

    config = PRESETS["default"]
    sizes = config.grams.sizes
    random = np.random.default_rng(0)
    characters, tokens = (
        GramTable(random.standard_normal((buckets + 1, 6)).astype(np.float32))
        for buckets in (sizes.character_buckets, sizes.morpheme_buckets)
    )
    lstm = lstm_network(config.network, (words, dimensions), masked=True)
    bias = np.zeros(len(EMOTIONS), np.float32)
    hybrid = Hybrid(lstm, characters, tokens, bias, config.grams.scale, config.grams.share, 1.0)
    path.write_bytes(to_onnx(hybrid).SerializeToString())


def masked_model(bundle: Bundle, folder: Path) -> Path | None:
    """The file of `write_masked`, made in a process of its own for TensorFlow's threads; None without TensorFlow."""
    if not importlib.util.find_spec("tf2onnx") or not importlib.util.find_spec("tensorflow"):
        return None
    path = folder / "masked.onnx"
    arguments = (path, len(bundle.words), bundle.vectors.shape[1])
    process = multiprocessing.get_context("spawn").Process(target=write_masked, args=arguments)
    process.start()
    process.join()
    return path if path.exists() else None


@asynccontextmanager
async def answering(bundle: Bundle, index: Path | None) -> AsyncIterator[Answerer]:
    """An answerer on the shipped index or another one."""
    weights = Weights(bundle.manifest.feeling_weight, bundle.manifest.meaning_weight)
    songs = await (Songs.open(index, weights) if index else Songs.open_shipped(bundle.songs, weights))
    try:
        yield Answerer(Reader(bundle), Meanings(bundle), songs, weights)
    finally:
        await songs.close()


async def answers(bundle: Bundle, texts: Sequence[str], index: Path | None = None, lines: int = 0) -> list[Row]:
    """Whole answers on the shipped index, or on one of so many synthetic lines."""
    async with answering(bundle, index) as answerer:
        start = time.perf_counter()
        await answerer.answer(MESSAGE, seed=0)
        built = time.perf_counter() - start
        await timed_answers(answerer, texts[:20])
        times = await timed_answers(answerer, texts)
    if index is None:
        return [times.row("one answer, shipped index", 3)]
    files = list(index.parent.glob(f"{index.name}.*.usearch"))
    size = f", {files[0].stat().st_size / 1e6:,.0f} MB" if files else ""
    return [
        times.row(f"one answer, {lines:,} lines", 10),
        Row("  its vectors, made at the first search", f"{built:,.1f} s{size}"),
    ]


async def synthetic_index(bundle: Bundle, folder: Path, count: int) -> Path:
    """An index of about `count` lines around the shipped ones; rows are written directly, no text is read."""
    path = folder / f"{count}.db"
    await (await Songs.open(path, Weights(1, 0))).close()
    with sqlite3.connect(f"{bundle.songs.as_uri()}?mode=ro&immutable=1", uri=True) as shipped:
        rows = shipped.execute("SELECT feeling, meaning FROM passages WHERE kind = 'line'").fetchall()
    shipped.close()
    feelings = np.frombuffer(b"".join(row[0] for row in rows), np.float32).reshape(len(rows), -1)
    meanings = np.frombuffer(b"".join(row[1] for row in rows), np.float16).reshape(len(rows), -1)
    random = np.random.default_rng(0)
    texts = recombined(lyric_lines(), count, random)
    database = sqlite3.connect(path)
    database.execute("PRAGMA synchronous = OFF")
    database.executemany(
        "INSERT INTO songs VALUES (?, ?, ?, 'synthetic', NULL, 'ko', NULL, 'import', '{}', NULL, '[]', '[]')",
        ((song, str(song), str(song)) for song in range(1, (count - 1) // SONG + 2)),
    )
    for start in range(0, count, _AT_ONCE):
        size = min(_AT_ONCE, count - start)
        base = random.integers(len(rows), size=size)
        feeling = feelings[base] * np.exp(0.5 * random.standard_normal((size, len(EMOTIONS))))
        feeling /= feeling.sum(axis=1, keepdims=True)
        noise = random.standard_normal((size, meanings.shape[1])) * (0.5 / meanings.shape[1] ** 0.5)
        meaning = meanings[base] + noise
        meaning /= np.linalg.norm(meaning, axis=1, keepdims=True)
        database.executemany(
            "INSERT INTO passages (song_id, kind, position, text, feeling, meaning) VALUES (?, 'line', ?, ?, ?, ?)",
            zip(
                (line // SONG + 1 for line in range(start, start + size)),
                (line % SONG + 1 for line in range(start, start + size)),
                texts,
                (one.tobytes() for one in feeling.astype(np.float32)),
                (one.tobytes() for one in meaning.astype(np.float16)),
                strict=False,
            ),
        )
        database.commit()
    database.close()
    return path


def cold_start(folder: Path, runs: int = 5) -> Row:
    """From nothing to the first answer in the terminal."""
    environment = {**os.environ, "EBYUL_DATA": str(folder / "none"), "EBYUL_LOCALE": "ko"}
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "bot", MESSAGE], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        seconds.append(time.perf_counter() - start)
    median = float(np.median(seconds))
    figure = f"best {min(seconds):.2f} s, median {median:.2f} s of {runs}"
    return Row("cold start to first answer", figure, "≤ 1.5 s (median)", median <= 1.5)


async def weigh(texts: Sequence[str], count: int) -> str:
    """`resident` after `count` answers."""
    async with answering(open_bundle(BUNDLE), None) as answerer:
        for number in range(count):
            await answerer.answer(texts[number % len(texts)], seed=number)
        return resident()


def resident() -> str:
    """Resident memory of this process now and at most, "N kB M kB"; Linux only."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return f"{status['VmRSS']} {status['VmHWM']}"


def memory(texts: Sequence[str], count: int = 1_000) -> Row:
    """Resident memory of a process that only answers."""
    command = [sys.executable, __file__, "--weigh", str(count)]
    # The texts are chosen here: choosing them reads thousands, and with them more of the dictionary's file.
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.run(
        command, check=True, env=environment, input=json.dumps(texts), capture_output=True, text=True
    )
    told = process.stdout.split()
    now, most = int(told[0]) / 1024, int(told[2]) / 1024
    figure = f"{now:.0f} MB, at most {most:.0f} MB"
    return Row(f"resident memory after {count:,} answers", figure, "≤ 200 MB", most <= 200)


@contextmanager
def one_core() -> Iterator[None]:
    """Only one core for this thread and those it starts, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def importing(bundle: Bundle, folder: Path, count: int) -> Row:
    """A JSON lines file of so many lines into a new index, on one core."""
    path = folder / "songs.jsonl"
    lines = list(recombined(lyric_lines(), count, np.random.default_rng(1)))
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, count, SONG):
            song = {"title": str(start), "artist": "synthetic", "lines": lines[start : start + SONG]}
            file.write(json.dumps(song, ensure_ascii=False) + "\n")
    weights = Weights(bundle.manifest.feeling_weight, bundle.manifest.meaning_weight)
    with one_core():
        songs = await Songs.open(folder / "imported.db", weights)
        indexer = Indexer(songs, Reader(bundle), Meanings(bundle), bundle.manifest.fingerprint)
        start, worked = time.perf_counter(), time.process_time()
        report = await indexer.add(read(path), "import")
        speed, alone = report.lines / (time.perf_counter() - start), report.lines / (time.process_time() - worked)
        await songs.close()
    assert report.lines == count and not report.problems
    # On a busy machine the core is shared; the second figure is what this process alone would do on it.
    figure = f"{speed:,.0f} lines/s, {alone:,.0f} a CPU second"
    return Row(f"import of {count:,} lines, one core", figure, "≥ 3,000 lines/s", speed >= 3_000)


def run(sizes: Sequence[int], texts: Sequence[str], folder: Path, *, imported: int, answered: int) -> Iterator[Row]:
    """Every row of the table."""
    bundle = open_bundle(BUNDLE)
    yield from reading(bundle, texts)
    if model := masked_model(bundle, folder):
        yield from masked_reading(bundle, texts, model)
    else:
        yield Row("  masked export", "not measured: needs the `train` extra", "≥ 5 times slower")
    yield from asyncio.run(answers(bundle, texts))
    for size in sizes:
        index = asyncio.run(synthetic_index(bundle, folder, size))
        yield from asyncio.run(answers(bundle, texts, index, size))
    yield cold_start(folder)
    if Path("/proc/self/status").exists():
        yield memory(texts, answered)
    yield asyncio.run(importing(bundle, folder, imported))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lines", type=int, nargs="*", default=[100_000, 1_000_000], help="sizes of synthetic indexes")
    parser.add_argument("--quick", action="store_true", help="for CI: without the million lines, fewer repetitions")
    parser.add_argument("--weigh", type=int, metavar="N", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.weigh:
        print(asyncio.run(weigh(json.load(sys.stdin), given.weigh)))
        return
    sizes = [size for size in given.lines if not given.quick or size <= 100_000]
    with tempfile.TemporaryDirectory(prefix="ebyul-latency-") as folder:
        rows = run(
            sizes,
            messages(400),
            Path(folder),
            imported=10_000 if given.quick else 50_000,
            answered=200 if given.quick else 1_000,
        )
        for row in rows:
            print(row, flush=True)


if __name__ == "__main__":
    main()
