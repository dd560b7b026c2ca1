"""The command `ebyul`: words of the command line → one of the commands, and what goes wrong → a sentence."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from bot import __version__
from bot.errors import EbyulError
from bot.locales import sentences
from bot.printable import printable
from bot.settings import Settings, load

MOST_SONGS = 20
# What one means as an option; "-_-" and "--;" are the faces people begin a message with.
_OPTION = re.compile(r"--?[a-z][a-z-]*(=.*)?", re.IGNORECASE | re.DOTALL)


class UsageError(EbyulError):
    """Words of the command line that make no command."""


class _Parser(argparse.ArgumentParser):
    """Options of one command; its mistakes are sentences of the locales."""

    def __init__(self, command: str) -> None:
        super().__init__(prog=f"ebyul {command}", add_help=False, allow_abbrev=False)
        self.add_argument("-h", "--help", action="store_true")
        self.add_argument("words", nargs="*")

    def parse(self, given: Sequence[str]) -> argparse.Namespace:
        """The options, and in `words` what is none; all that comes after ``--`` is none."""
        end = given.index("--") if "--" in given else len(given)
        found, unknown = self.parse_known_intermixed_args(given[:end])
        if unknown:
            raise UsageError("error.option_unknown", option=unknown[0], help=f"{self.prog} --help")
        found.words += given[end + 1 :]
        return found

    def misuse(self) -> UsageError:
        return UsageError("error.usage", help=f"{self.prog} --help")

    def error(self, message: str) -> NoReturn:  # noqa: ARG002  # argparse's own message is English only
        raise self.misuse()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code is 0, 1 for what failed, 2 for a wrong call, 130 after Ctrl-C."""
    _speak_utf8()
    settings: Settings | None = None
    try:
        settings = load()
        code = _run(settings, list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except EbyulError as error:
        print(printable(error.tell(settings.locale if settings else _likely_locale())), file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read has enough. What is still buffered must not fail at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a full disk behind standard output, a terminal that went away
        locale = settings.locale if settings else _likely_locale()
        print(printable(sentences(locale)("error.output", reason=error)), file=sys.stderr)
        return 1
    else:
        return code


def _run(settings: Settings, given: list[str]) -> int:
    first = given[0] if given else "chat"
    if first in ("-h", "--help"):
        return _help(settings, "main")
    if first == "--version":
        print(f"ebyul {__version__}")
        return 0
    if command := _COMMANDS.get(first):
        return command(settings, given[1:])
    if first != "--" and _OPTION.fullmatch(first):
        raise UsageError("error.option_unknown", option=first, help="ebyul --help")
    from bot.commandline import answer_once

    return answer_once(settings, _text(given[1:] if first == "--" else given))


def _chat(settings: Settings, given: list[str]) -> int:
    parser = _Parser("chat")
    found = parser.parse(given)
    if found.help:
        return _help(settings, "chat")
    if found.words:
        raise parser.misuse()
    from bot.commandline import chat

    return chat(settings)


def _read(settings: Settings, given: list[str]) -> int:
    parser = _Parser("read")
    parser.add_argument("--jsonl", action="store_true")
    found = parser.parse(given)
    if found.help:
        return _help(settings, "read")
    if not found.jsonl or found.words:
        raise parser.misuse()
    from bot.commandline import read_jsonl

    return read_jsonl(settings)


def _recommend(settings: Settings, given: list[str]) -> int:
    parser = _Parser("recommend")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", default="3")
    parser.add_argument("--seed")
    found = parser.parse(given)
    if found.help:
        return _help(settings, "recommend")
    if not found.words:
        raise parser.misuse()
    count = _number("error.count", found.count, 1, MOST_SONGS)
    seed = None if found.seed is None else _number("error.seed", found.seed, 0, None)
    from bot.commandline import answer_once, recommend_json

    return (recommend_json if found.json else answer_once)(settings, _text(found.words), count=count, seed=seed)


def _songs(settings: Settings, given: list[str]) -> int:
    parser = _Parser("songs")
    parser.add_argument("--json", action="store_true")
    found = parser.parse(given)
    if found.help:
        return _help(settings, "songs")
    action, *words = found.words or [""]
    if found.json and action != "search":
        raise UsageError("error.option_unknown", option="--json", help="ebyul songs --help")
    from bot import commandline

    match action, words:
        case "import", [path] if path:  # an empty one, as of an unset variable, would be the current folder
            return commandline.import_songs(settings, Path(path))
        case "list", []:
            return commandline.list_songs(settings)
        case "stats", []:
            return commandline.show_stats(settings)
        case "search", [_, *_]:
            return commandline.search_songs(settings, _text(words), as_json=found.json)
        case "rebuild", []:
            return commandline.rebuild_songs(settings)
        case _:
            raise parser.misuse()


def _doctor(settings: Settings, given: list[str]) -> int:
    parser = _Parser("doctor")
    found = parser.parse(given)
    if found.help:
        return _help(settings, "doctor")
    if found.words:
        raise parser.misuse()
    from bot.doctor import examine

    return examine(settings)


_COMMANDS: dict[str, Callable[[Settings, list[str]], int]] = {
    "chat": _chat,
    "read": _read,
    "recommend": _recommend,
    "songs": _songs,
    "doctor": _doctor,
}


def _help(settings: Settings, command: str) -> int:
    print(sentences(settings.locale)(f"help.{command}").strip("\n"))
    return 0


def _number(key: str, digits: str, least: int, most: int | None) -> int:
    """A whole number within bounds, else the sentence of `key`."""
    if re.fullmatch(r"[0-9]{1,18}", digits) and least <= (number := int(digits)) <= (most or number):
        return number
    raise UsageError(key, value=digits[:20])


def _text(words: Sequence[str]) -> str:
    """The words as one text. Bytes that were no UTF-8 come as lone surrogates and become question marks."""
    return " ".join(words).encode("utf-8", "replace").decode()


def _speak_utf8() -> None:
    """UTF-8 in and out, whatever the locale; what it cannot write becomes a question mark."""
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed before the process began, as under some service managers
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  # open as long as we run
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")


def _likely_locale() -> str:
    """The language for saying that the settings cannot be used."""
    try:
        return load(dotenv_file=Path(os.devnull)).locale
    except EbyulError:
        return "en"


if __name__ == "__main__":
    sys.exit(main())
