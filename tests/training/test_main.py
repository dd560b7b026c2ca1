import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.errors import EbyulError
from training import __main__ as program
from training.stage import StageError, Workshop


class ToldError(EbyulError):
    def tell(self, _locale: str) -> str:
        return "The bundle is on holiday."


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, Workshop]]:
    """The stages that were run instead of the real ones, each with what it was given."""
    found: list[tuple[str, Workshop]] = []

    def load(name: str) -> SimpleNamespace:
        stage = name.removeprefix("training.")
        return SimpleNamespace(run=lambda shop: found.append((stage, shop)))

    monkeypatch.chdir(tmp_path)
    for name in ("EBYUL_WORK", "EBYUL_CORPORA", "EBYUL_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(program, "importlib", SimpleNamespace(import_module=load))
    monkeypatch.setattr(program, "sentence", lambda stage: f"What {stage} does.")
    return found


def test_without_a_stage_all_run_but_the_worked_example(ran: list[tuple[str, Workshop]]) -> None:
    assert program.main([]) == 0
    assert [stage for stage, _ in ran] == [
        "fetch", "corpus", "vectors", "dictionary", "dataset", "lstm", "export", "evaluate", "report", "package",
    ]  # fmt: skip


def test_named_stages_run_in_the_order_of_the_pipeline(
    ran: list[tuple[str, Workshop]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["simple-cbow", "dataset", "fetch"]) == 0
    assert [stage for stage, _ in ran] == ["fetch", "dataset", "simple_cbow"]
    printed = capsys.readouterr().out
    assert "== fetch: What fetch does." in printed and "== fetch: 0.0 s" in printed


def test_options_win_over_settings(ran: list[tuple[str, Workshop]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBYUL_WORK", "from-settings")
    monkeypatch.setenv("EBYUL_CORPORA", "corpora-from-settings")
    program.main(["fetch"])
    program.main(["fetch", "--work", "w", "--corpora", "c", "--bundle", "b", "--config", "small"])
    (_, first), (_, second) = ran
    assert (first.work, first.corpora) == (Path("from-settings"), Path("corpora-from-settings"))
    assert first.config.name == "default"
    assert (second.work, second.corpora, second.bundle) == (Path("w"), Path("c"), Path("b"))
    assert second.config.name == "small"


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (StageError("The cat sat on the corpus."), 1, "The cat sat on the corpus."),
        (ToldError("key"), 1, "The bundle is on holiday."),
        (KeyboardInterrupt(), 130, "Stopped."),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_an_exit_code(
    error: BaseException, code: int, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Workshop) -> None:
        raise error

    stage = SimpleNamespace(run=fail)
    monkeypatch.setattr(program, "importlib", SimpleNamespace(import_module=lambda _: stage))
    assert program.main(["fetch", "corpus"]) == code
    printed = capsys.readouterr().err
    assert says in printed and printed.count("\n") == 1


@pytest.mark.usefixtures("ran")
def test_a_stage_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        program.main(["lunch"])
    assert 'there is no stage "lunch"' in capsys.readouterr().err


def test_help_lists_every_stage_with_its_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        program.main(["--help"])
    listed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if line.endswith("."))
    for stage in (*program.PIPELINE, *program.ALONE):
        assert listed[stage] == program.sentence(stage)


def test_a_light_stage_does_not_wait_for_tensorflow(tmp_path: Path) -> None:
    root = Path(program.__file__).parent.parent
    call = "import sys; from training.__main__ import main; main(); print('tensorflow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", call, "simple-cbow", "--work", str(tmp_path)],
        capture_output=True, text=True, check=True, cwd=root, env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "False"
    assert (tmp_path / "simple_cbow.png").exists()
