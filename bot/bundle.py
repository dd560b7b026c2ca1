"""Opens a language bundle, `exported/<language>/`, after checking that it is whole and made for this program."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from bot import text
from bot.errors import BundleError
from bot.grams import GramSizes
from bot.vocabulary import Vocabulary

FORMAT = 2
# What decides how a text is read; the song index is stale when one of them changed.
READING_FILES = ("model.onnx", "vocabulary.txt", "vectors.npy", "dictionary.json")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `manifest.json` says of the bundle beside it."""

    language: str
    labels: tuple[str, ...]
    """Names of the model's outputs, in order."""
    window: int
    """Most morphemes the model reads at once; a longer text is read in several windows."""
    grams: GramSizes
    """The n-grams the model reads beside the morphemes."""
    unsure_below: float
    """A reading is unsure when its first label leads the second by less than this probability."""
    rare: float
    """a in the word weight a / (a + frequency) of Arora, Liang, Ma (2017), by which meanings are averaged."""
    feeling_weight: float
    """α, how much feeling counts in a search."""
    meaning_weight: float
    """β, how much meaning counts in a search."""
    files: Mapping[str, str]
    """sha256 of each file of the bundle."""
    figures: Mapping[str, Any]
    """Test figures, as in the model card."""

    @property
    def fingerprint(self) -> str:
        """Names how texts are read and searched; equal fingerprints give equal readings and vectors."""
        numbers = (self.window, *self.grams, self.feeling_weight, self.meaning_weight, self.rare)
        parts = [text.VERSION, *map(str, numbers)]
        parts += [self.files[name] for name in READING_FILES]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Bundle:
    """An open bundle."""

    folder: Path
    manifest: Manifest
    words: Vocabulary
    vectors: NDArray[np.float16]
    """CBOW vectors, a row a token of `words.tokens`."""
    dictionary: Mapping[str, str]
    """Token → the emotion whose list it stands in."""
    model: ort.InferenceSession

    def golden(self) -> list[dict[str, Any]]:
        """Examples with their tokens, ids and probabilities, as training computed them."""
        return _read_json(self.folder / "golden.json")  # type: ignore[no-any-return]

    @property
    def songs(self) -> Path:
        """The song index the bundle ships."""
        return self.folder / "songs.db"


def open_bundle(folder: Path) -> Bundle:
    """The bundle in `folder`. Raises BundleError with what to do when it is missing, damaged or for another version."""
    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        found = _digest(folder / name)
        if found != expected:
            raise BundleError("error.bundle_damaged", folder=folder, file=name)
    try:
        return Bundle(
            folder=folder,
            manifest=manifest,
            words=Vocabulary.read(folder / "vocabulary.txt"),
            vectors=np.load(folder / "vectors.npy", allow_pickle=False),
            dictionary=_read_json(folder / "dictionary.json"),
            model=_session(folder / "model.onnx"),
        )
    except (ValueError, IndexError, EOFError) as error:  # whole by its digest, yet not what the program expects
        raise BundleError("error.bundle_unreadable", folder=folder, reason=error) from error


def read_manifest(folder: Path) -> Manifest:
    """`manifest.json` of a bundle. Raises BundleError when it is missing, not a manifest or for another version."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise BundleError("error.bundle_missing", folder=folder)
    try:
        raw = _read_json(path)
        if raw["format"] != FORMAT or raw["text_version"] != text.VERSION:
            raise BundleError("error.bundle_version", folder=folder)
        return Manifest(
            language=raw["language"],
            labels=tuple(raw["labels"]),
            window=raw["window"],
            grams=GramSizes(**raw["grams"]),
            unsure_below=raw["unsure_below"],
            rare=raw["rare"],
            feeling_weight=raw["feeling_weight"],
            meaning_weight=raw["meaning_weight"],
            files={**{name: raw["files"][name] for name in READING_FILES}, **raw["files"]},
            figures=raw["figures"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError("error.bundle_unreadable", folder=folder, reason=f"manifest.json: {error!r}") from error


def _session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    # A text is too little work to share out: a second thread makes one reading slower, and spinning burns a small host's core.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # The arena keeps the largest batch it ever saw; memory matters more here than the allocation.
    options.enable_cpu_mem_arena = False
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no other class in common
        raise ValueError(f"{path.name}: {error}") from error


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
