import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot import text
from bot.bundle import FORMAT, READING_FILES, Bundle, open_bundle, read_manifest
from bot.emotion import EMOTIONS, Reader
from bot.errors import BundleError
from bot.settings import SHIPPED

FILES = sorted(path.name for path in (SHIPPED / "ko").iterdir() if path.name != "manifest.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle of links to the shipped one, with a manifest of its own."""
    copy = tmp_path / "ko"
    copy.mkdir()
    for name in FILES:
        (copy / name).symlink_to(SHIPPED / "ko" / name)
    shutil.copyfile(SHIPPED / "ko" / "manifest.json", copy / "manifest.json")
    return copy


def replace(folder: Path, name: str, content: bytes, *, signed: bool = False) -> None:
    """Another file in the place of one, and if `signed` another checksum too."""
    (folder / name).unlink()
    (folder / name).write_bytes(content)
    if signed:
        digest = hashlib.sha256(content).hexdigest()
        change(folder, lambda manifest: manifest["files"].update({name: digest}))


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    edit(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def refused(folder: Path, key: str) -> BundleError:
    """The error with which a bundle is refused, which says where it lies and what to do in both languages."""
    with pytest.raises(BundleError) as caught:
        Reader(open_bundle(folder))
    error = caught.value
    assert error.key == key
    assert error.tell("ko") != error.tell("en") == str(error)
    for language in ("ko", "en"):
        assert str(folder) in error.tell(language)
    return error


def test_a_copy_opens_with_the_same_fingerprint(folder: Path, bundle: Bundle) -> None:
    copy = open_bundle(folder)
    assert copy.manifest.fingerprint == bundle.manifest.fingerprint
    assert copy.words.tokens == bundle.words.tokens


def test_the_manifest_names_every_file_and_no_other(bundle: Bundle) -> None:
    assert sorted(bundle.manifest.files) == FILES
    assert set(READING_FILES) <= set(FILES)
    assert bundle.manifest.labels == EMOTIONS
    assert bundle.manifest.feeling_weight**2 + bundle.manifest.meaning_weight**2 == pytest.approx(1, abs=0.01)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "error.bundle_missing")


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    refused(tmp_path, "error.bundle_missing")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert name in refused(folder, "error.bundle_damaged").tell("ko")


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_bit_is_found(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    replace(folder, name, bytes(content))
    assert name in refused(folder, "error.bundle_damaged").tell("en")


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_is_found(folder: Path, name: str) -> None:
    replace(folder, name, (folder / name).read_bytes()[:-1])
    refused(folder, "error.bundle_damaged")


@pytest.mark.parametrize(
    "edit",
    [
        lambda manifest: manifest.update(text_version="0"),
        lambda manifest: manifest.update(format=FORMAT + 1),
        lambda manifest: manifest.update(format=str(FORMAT)),
        lambda manifest: manifest.update(labels=manifest["labels"][::-1]),
        lambda manifest: manifest.update(labels=manifest["labels"][:4]),
    ],
    ids=["text version", "format", "format of another type", "order of labels", "labels"],
)
def test_a_bundle_for_another_version_is_refused(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    change(folder, edit)
    refused(folder, "error.bundle_version")


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b"\xff\xfe\x00",
        b"{}",
        json.dumps({"format": FORMAT, "text_version": text.VERSION}).encode(),
    ],
)
def test_a_manifest_that_is_none_is_refused(folder: Path, garbage: bytes) -> None:
    (folder / "manifest.json").write_bytes(garbage)
    assert "manifest.json" in refused(folder, "error.bundle_unreadable").tell("en")


@pytest.mark.parametrize("name", ["labels", "window", "unsure_below", "rare", "feeling_weight", "files", "figures"])
def test_a_manifest_that_lacks_something_is_refused(folder: Path, name: str) -> None:
    change(folder, lambda manifest: manifest.pop(name))
    refused(folder, "error.bundle_unreadable")


@pytest.mark.parametrize("name", READING_FILES)
def test_a_manifest_must_vouch_for_what_decides_a_reading(folder: Path, name: str) -> None:
    change(folder, lambda manifest: manifest["files"].pop(name))
    refused(folder, "error.bundle_unreadable")


@pytest.mark.parametrize("content", [b"", b"garbage"])
@pytest.mark.parametrize("name", READING_FILES)
def test_a_file_that_is_something_else_is_refused_though_its_checksum_fits(
    folder: Path, name: str, content: bytes
) -> None:
    if content or name in ("model.onnx", "vectors.npy", "dictionary.json"):
        replace(folder, name, content, signed=True)
        refused(folder, "error.bundle_unreadable")


@pytest.mark.parametrize("name", READING_FILES)
def test_the_fingerprint_changes_with_what_decides_a_reading(folder: Path, bundle: Bundle, name: str) -> None:
    change(folder, lambda manifest: manifest["files"].update({name: "0" * 64}))
    assert read_manifest(folder).fingerprint != bundle.manifest.fingerprint


@pytest.mark.parametrize("name", ["feeling_weight", "meaning_weight", "rare"])
def test_the_fingerprint_changes_with_how_meanings_are_weighed(folder: Path, bundle: Bundle, name: str) -> None:
    change(folder, lambda manifest: manifest.update({name: 0.123}))
    assert read_manifest(folder).fingerprint != bundle.manifest.fingerprint


def test_the_fingerprint_does_not_change_with_the_card(folder: Path, bundle: Bundle) -> None:
    change(folder, lambda manifest: manifest["files"].update({"MODEL_CARD.md": "0" * 64}))
    assert read_manifest(folder).fingerprint == bundle.manifest.fingerprint


def test_the_runtime_keeps_no_record_for_its_maker(tmp_path: Path) -> None:
    # As on a person's machine: onnxruntime itself is silent where these say that nobody is there.
    environment = {k: v for k, v in os.environ.items() if k not in ("CI", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")}
    code = "from bot.bundle import open_bundle; from bot.settings import SHIPPED; open_bundle(SHIPPED / 'ko')"
    subprocess.run([sys.executable, "-c", code], env={**environment, "HOME": str(tmp_path)}, check=True, timeout=60)
    assert not [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name.lower()]
