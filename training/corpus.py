"""Cleans all texts, drops duplicates and writes them as tokens, one sentence a line, for the vectors to learn from."""

import csv
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

from tqdm import tqdm

from bot.text import clean, morphemes
from training import rows
from training.fetch import Fetched, fetched
from training.stage import OURS, Workshop, write_json

# Whom a post was written by and to, as its compilers masked it: #화자#, #(여자)청자#.
_MASK = re.compile(r"#(?:\([가-힣]+\))?[화청]자#")
# Below this starting processes takes longer than the work.
_WORTH_PROCESSES = 20_000
_CHUNK = 500

_ANNOTATED = ("chatbot", "komuchat")

_Tokenise: TypeAlias = Callable[[Iterable[str]], Iterator[tuple[str, str]]]


def run(shop: Workshop) -> None:
    """Writes `corpus/<source>.txt` and `corpus/figures.json`."""
    for old in shop.work.glob("corpus/*"):  # a source that has gone must not stay from an earlier run
        old.unlink()
    texts = {"ours": [row.text for row in rows.ours(OURS)]}
    texts |= {name: list(_READERS[name](source)) for name, source in fetched(shop).items()}
    seen: set[str] = set()
    figures = {}
    with _tokeniser(shop.config.corpus.processes, sum(map(len, texts.values()))) as tokenise:
        for name, written in texts.items():
            path = shop.path("corpus", f"{name}.part")
            figures[name] = _write(path, tqdm(tokenise(written), name, len(written), disable=None), seen)
            print(f"{name}: {figures[name]['sentences']:,} sentences, {figures[name]['tokens']:,} tokens")
    for name in texts:  # all or none: a run that was stopped leaves nothing that looks like a corpus
        shop.path("corpus", f"{name}.part").rename(shop.path("corpus", f"{name}.txt"))
    write_json(shop.path("corpus", "figures.json"), figures)


def public_rows(shop: Workshop) -> dict[str, list[str]]:
    """The questions of the two annotated sources by data row, masks dropped; a source that is missing has no entry."""
    return {
        name: [_unmasked(row["Q"]) for row in _csv(source)]
        for name, source in fetched(shop).items()
        if name in _ANNOTATED
    }


def _write(path: Path, read: Iterable[tuple[str, str]], seen: set[str]) -> dict[str, int]:
    """Sentences not in `seen` (and then in it) as lines of tokens, and what was counted on the way."""
    figures = {"sentences": 0, "tokens": 0, "duplicates": 0, "empty": 0}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for cleaned, tokens in read:
            if not tokens:
                figures["empty"] += 1
            elif cleaned in seen:
                figures["duplicates"] += 1
            else:
                seen.add(cleaned)
                file.write(f"{tokens}\n")
                figures["sentences"] += 1
                figures["tokens"] += tokens.count(" ") + 1
    return figures


@contextmanager
def _tokeniser(processes: int, texts: int) -> Iterator[_Tokenise]:
    """A function that gives every text cleaned and as tokens, in order, whatever the number of processes."""
    if processes < 2 or texts < _WORTH_PROCESSES:
        yield lambda written: map(_tokenised, written)
        return
    # Spawned, not forked: a fork copies the locks of threads that another stage has running (TensorFlow).
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _leave_interrupts_to_the_parent)
    try:
        yield lambda written: pool.map(_tokenised, written, chunksize=_CHUNK)
    finally:
        pool.shutdown(cancel_futures=True)  # what is still queued when somebody stops the run


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _tokenised(text: str) -> tuple[str, str]:
    return clean(text), " ".join(morphemes(text))


def _unmasked(text: str) -> str:
    return _MASK.sub("", text).strip()


def _csv(source: Fetched) -> Iterator[dict[str, str]]:
    with Path(source.paths[0]).open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file, strict=True)


def _talk(source: Fetched) -> Iterator[str]:
    for row in _csv(source):
        yield _unmasked(row["Q"])
        yield _unmasked(row["A"])


def _comments(source: Fetched) -> Iterator[str]:
    """Texts of rows ``number<TAB>text<TAB>emotions``, quoted as in CSV."""
    for path in source.paths:
        with Path(path).open(encoding="utf-8", newline="") as file:
            yield from (row[1] for row in csv.reader(file, delimiter="\t", strict=True))


def _lines(source: Fetched) -> Iterator[str]:
    with Path(source.paths[0]).open(encoding="utf-8", newline="\n") as file:
        yield from (line.removesuffix("\n") for line in file)


_READERS: dict[str, Callable[[Fetched], Iterator[str]]] = {
    "chatbot": _talk,
    "komuchat": _talk,
    "kote": _comments,
    "nsmc": _lines,
}
