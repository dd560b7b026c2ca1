"""What every stage is given, and how a stage says that it cannot go on."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.config import Config

# What we wrote ourselves: songs, messages, word pairs, stand-off labels.
OURS = Path(__file__).resolve().parent / "data"


class StageError(Exception):
    """A stage that cannot go on; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a run of the training reads and writes. Every stage writes only below `work`, `package` also `bundle`."""

    config: Config
    work: Path
    corpora: Path | None
    """A folder with the public corpora; None downloads them."""
    bundle: Path
    """The folder of `exported/` that `package` makes."""

    def path(self, *parts: str) -> Path:
        """A file of the work folder, its folder made."""
        path = self.work.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def made_by(self, stage: str, *parts: str) -> Path:
        """A file an earlier stage wrote; StageError names the stage when it is not there."""
        path = self.work.joinpath(*parts)
        if not path.exists():
            raise StageError(f"{path} is missing: run `python -m training {stage}` first.")
        return path


def write_json(path: Path, value: Any) -> None:
    """A value as readable JSON, Korean as it is."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """The value of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_json_lines(path: Path, rows: Iterator[Any]) -> None:
    """A value a line."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_json_lines(path: Path) -> Iterator[Any]:
    """The values of a file of JSON lines, one after the other."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
