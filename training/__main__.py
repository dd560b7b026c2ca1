"""`python -m training`: runs the stages of the training, all or those named, always in the order of the pipeline."""

import argparse
import ast
import importlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bot import settings
from bot.errors import EbyulError
from training.config import PRESETS
from training.stage import StageError, Workshop

PIPELINE = (
    "fetch",
    "corpus",
    "vectors",
    "dictionary",
    "dataset",
    "lstm",
    "export",
    "evaluate",
    "report",
    "package",
)
# Runs only when it is named.
ALONE = ("simple-cbow",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for; the exit code."""
    try:
        given = _parser().parse_args(arguments)
        shop = _workshop(given)
        for stage in _in_order(given.stages):
            _run(stage, shop)
    except (StageError, EbyulError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Every stage can be run again alone.", file=sys.stderr)
        return 130
    return 0


def sentence(stage: str) -> str:
    """What a stage does: the first line of its module, read without importing it (TensorFlow takes seconds)."""
    source = Path(__file__).with_name(f"{_module(stage)}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def _run(stage: str, shop: Workshop) -> None:
    print(f"== {stage}: {sentence(stage)}", flush=True)
    start = time.perf_counter()
    importlib.import_module(f"training.{_module(stage)}").run(shop)
    print(f"== {stage}: {time.perf_counter() - start:.1f} s", flush=True)


def _module(stage: str) -> str:
    return stage.replace("-", "_")


def _in_order(stages: Sequence[str]) -> list[str]:
    return [stage for stage in (*PIPELINE, *ALONE) if stage in stages] if stages else list(PIPELINE)


def _workshop(given: argparse.Namespace) -> Workshop:
    default = settings.load()
    return Workshop(
        config=PRESETS[given.config],
        work=given.work or default.work,
        corpora=given.corpora or default.corpora,
        bundle=given.bundle or default.bundle,
    )


class _Parser(argparse.ArgumentParser):
    def format_help(self) -> str:
        """The help and the stages; their modules are opened only when somebody asks."""
        listed = "\n".join(f"  {stage:12} {sentence(stage)}" for stage in (*PIPELINE, *ALONE))
        self.epilog = f"stages, in their order:\n{listed}\n\nWithout a stage all are run but {', '.join(ALONE)}."
        return super().format_help()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m training",
        description="Trains E-byul: from the corpora to the folder that the bot reads.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stages", nargs="*", metavar="STAGE", type=_stage, help="stages to run (see below)")
    parser.add_argument("--config", choices=PRESETS, default="default", help="small: for tests and without corpora")
    parser.add_argument("--work", type=Path, help="folder for intermediate files (setting EBYUL_WORK, else work/)")
    parser.add_argument("--bundle", type=Path, help="folder that package writes (setting EBYUL_BUNDLE)")
    parser.add_argument("--corpora", type=Path, help="folder of the corpora, else downloaded (setting EBYUL_CORPORA)")
    return parser


def _stage(name: str) -> str:
    if name not in (*PIPELINE, *ALONE):
        raise argparse.ArgumentTypeError(f'there is no stage "{name}", see --help')
    return name


if __name__ == "__main__":
    sys.exit(main())
