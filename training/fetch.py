"""Gets the public corpora, from their pinned addresses or from a folder, and checks each against its sha256.

They belong to others and are never committed. A corpus that is not to be had is a warning, and the training goes on
without it; one that is not what it was is an error, since the figures would no longer be those of this training.
"""

import hashlib
import json
import sys
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

import pooch
import requests

from training.stage import StageError, Workshop, read_json, write_json

# Seconds to connect, and to wait for the next bytes: without a network every source must fail within seconds.
TIMEOUT = (3, 30)


@dataclass(frozen=True, slots=True)
class File:
    """A file of a source, and what it must be."""

    path: str
    """Below the folder of the corpora."""
    address: str
    sha256: str
    reviews: str | None = None
    """For an archive of reviews: the name of the text file made of it, which `sha256` is of (`_unpack`)."""


@dataclass(frozen=True, slots=True)
class Source:
    """A public corpus."""

    name: str
    home: str
    licence: str
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What ``fetch/sources.json`` says of a source."""

    name: str
    home: str
    licence: str
    origin: Literal["folder", "network"]
    missing: str | None
    """Why the source is not there; None when it is."""
    paths: tuple[str, ...]
    sha256: tuple[str, ...]


class _MissingError(Exception):
    """A file that is not to be had; the message says what to do."""


def _raw(repository: str, path: str) -> str:
    return f"https://raw.githubusercontent.com/{repository}/{path}"


_CHATBOT = "songys/Chatbot_data/4cf20d13fc46f5037fd1c531cd566e2dd9f72974"
_KOMUCHAT = "4N3MONE/KOMUChat/f252794cddf2574c844aee410d6e2b08628faae8"
_KOTE = "searle-j/KOTE/cafd2c3f54a6f4b25ac74eaa02a2e76c3ef8c977"
_NSMC = "https://codeload.github.com/e9t/nsmc/tar.gz/cc0670e872d4ac27bfe36c87456783004b39ef6c"

SOURCES = (
    Source(
        "chatbot",
        "https://github.com/songys/Chatbot_data",
        "MIT",
        (
            File(
                "public/songys-Chatbot_data/ChatbotData.csv",
                _raw(_CHATBOT, "ChatbotData.csv"),
                "287eb129695b577321c80ad397bb3c2279164d4ca577874d129fd3db5b30afe2",
            ),
        ),
    ),
    Source(
        "komuchat",
        "https://github.com/4N3MONE/KOMUChat",
        "MIT (the compilers' grant; the posts are the public's)",
        (
            File(
                "public/4N3MONE-KOMUChat/data/komuchat.csv",
                _raw(_KOMUCHAT, "data/komuchat.csv"),
                "6c5dd85a00d09f4636c279b3e4c69370a0805d2471184967c3a77cbeb4f17cfe",
            ),
        ),
    ),
    Source(
        "kote",
        "https://github.com/searle-j/KOTE",
        "MIT",
        (
            File(
                "public/searle-j-KOTE/val.tsv",
                _raw(_KOTE, "val.tsv"),
                "c7d686ee1d63be7f57ec939f372ebdc4ada8eac1c9eeeeac207774976ab69a6e",
            ),
            File(
                "public/searle-j-KOTE/test.tsv",
                _raw(_KOTE, "test.tsv"),
                "8d8e11c5adf374f552cfbe6f2d7b9967e7335cc86c205beeefb6fd8c6ed9deb0",
            ),
        ),
    ),
    Source(
        "nsmc",
        "https://github.com/e9t/nsmc",
        "CC0",
        (
            File(
                "public/e9t-nsmc/raw.tar.gz",
                _NSMC,
                "5e6254df9ad047e8b1661051172ce08e625ea18c33f3f0e4fb0c5810a799b6b0",
                reviews="nsmc.txt",
            ),
        ),
    ),
)


def run(shop: Workshop) -> None:
    """Writes `fetch/sources.json` and what it names."""
    fetch(SOURCES, shop)


def fetch(sources: Sequence[Source], shop: Workshop) -> None:
    """Every source checked, and ``fetch/sources.json`` written; StageError where a file is not what it should be."""
    if shop.corpora is not None and not shop.corpora.is_dir():
        raise StageError(
            f"The corpora folder {shop.corpora} does not exist: name the folder that holds public/, "
            "or leave the setting out to download the corpora."
        )
    silent: set[str] = set()
    found = [_fetch(source, shop, silent) for source in sources]
    for source in found:
        print(f"{source.name}: {source.missing or 'checked'}", file=sys.stderr if source.missing else sys.stdout)
    write_json(shop.path("fetch", "sources.json"), [asdict(source) for source in found])


def fetched(shop: Workshop) -> dict[str, Fetched]:
    """The sources that are there, by name; StageError when `fetch` was not run or a file has gone since."""
    found = {}
    for entry in read_json(shop.made_by("fetch", "fetch", "sources.json")):
        source = Fetched(**{**entry, "paths": tuple(entry["paths"]), "sha256": tuple(entry["sha256"])})
        if source.missing:
            continue
        for path in source.paths:
            if not Path(path).exists():
                raise StageError(f"{path} has gone since it was fetched: run `python -m training fetch` again.")
        found[source.name] = source
    return found


def _fetch(source: Source, shop: Workshop, silent: set[str]) -> Fetched:
    paths: list[Path] = []
    missing = None
    try:
        paths.extend(_get(file, shop, silent) for file in source.files)
    except _MissingError as reason:
        missing, paths = str(reason), []
    return Fetched(
        name=source.name,
        home=source.home,
        licence=source.licence,
        origin="network" if shop.corpora is None else "folder",
        missing=missing,
        paths=tuple(str(path.resolve()) for path in paths),
        sha256=tuple(file.sha256 for file in source.files) if paths else (),
    )


def _get(file: File, shop: Workshop, silent: set[str]) -> Path:
    """Where the checked file is: in the corpora folder, or below the work folder when downloaded or unpacked."""
    kept = shop.path("fetch", file.reviews or file.path)
    if shop.corpora is not None:
        path = shop.corpora / file.path
        if not path.exists():
            raise _MissingError(
                f"{path} is not there, going on without it: put {file.address} there, "
                "or leave the corpora folder out of the settings to download it."
            )
        if file.reviews:
            _unpack(path, kept)
        else:
            kept = path
        _check(kept, file, f"Replace {path} by {file.address}, or take it away to go on without it.")
    elif not (kept.exists() and _sha256(kept) == file.sha256):
        kept.unlink(missing_ok=True)
        _download(file, kept, silent)
        _check(kept, file, f"It was {file.address}: run `python -m training fetch` again, and report it if it stays.")
    return kept


def _check(path: Path, file: File, advice: str) -> None:
    digest = _sha256(path)
    if digest != file.sha256:
        if path.name == file.reviews:
            path.unlink()
        raise StageError(f"{path} is not the expected file: its sha256 is {digest}, expected {file.sha256}. {advice}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(file: File, path: Path, silent: set[str]) -> None:
    """One file from its address; `silent` holds the hosts that did not answer, so that each is waited for once."""
    host = urlsplit(file.address).netloc
    if host in silent:
        raise _MissingError(_unreachable(file, f"{host} does not answer"))
    archive = path.with_suffix(".tar.gz") if file.reviews else path
    pooch.get_logger().setLevel("WARNING")  # it would advise on checksums, which are checked here
    loader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=TIMEOUT)
    try:
        pooch.retrieve(file.address, None, fname=archive.name, path=archive.parent, downloader=loader)
    except requests.HTTPError as error:
        raise _MissingError(_unreachable(file, str(error).partition(" for url")[0])) from error
    except requests.RequestException as error:
        silent.add(host)
        raise _MissingError(_unreachable(file, f"{host} does not answer")) from error
    if file.reviews:
        # The archive also holds who wrote each review, which is not ours to keep.
        try:
            _unpack(archive, path)
        finally:
            archive.unlink()


def _unreachable(file: File, reason: str) -> str:
    return (
        f"{file.address} could not be downloaded ({reason}), going on without it: try again with a network, "
        f"or put the file into a corpora folder as {file.path} and name the folder with EBYUL_CORPORA."
    )


def _unpack(archive: Path, path: Path) -> None:
    """The distinct reviews of the archive, sorted, one a line.

    GitHub packs its archives anew now and then, so their bytes prove nothing; this file is the same for the same
    reviews, whatever packed them.
    """
    try:
        reviews = sorted({" ".join(review.split()) for review in _reviews(archive)} - {""})
    except (tarfile.TarError, EOFError, OSError, ValueError, KeyError, TypeError) as error:
        raise StageError(f"{archive} is not an archive of reviews ({error}): fetch it again.") from error
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{review}\n" for review in reviews)


def _reviews(archive: Path) -> Iterator[str]:
    """The field ``review`` of every JSON file in a folder ``raw``, at any depth."""
    with tarfile.open(archive, "r|gz") as tar:
        for member in tar:
            name = PurePosixPath(member.name)
            opened = tar.extractfile(member) if name.suffix == ".json" and name.parent.name == "raw" else None
            if opened is not None:
                yield from (str(entry["review"]) for entry in json.load(opened))
