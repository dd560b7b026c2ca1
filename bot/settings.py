"""Settings: the one reader of the environment and of ``.env``. Everything else is given what it needs."""

import locale
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import dotenv
import platformdirs

from bot.errors import SettingsError
from bot.locales import LANGUAGES

# Beside the package both in a checkout and where pip installs it.
SHIPPED = Path(__file__).resolve().parent.parent / "exported"


@dataclass(frozen=True, slots=True)
class Settings:
    """What may differ from one installation to another; each field is named in ``.env.example``."""

    bundle: Path
    """Folder of the language bundle (EBYUL_BUNDLE)."""
    data: Path
    """Folder for what this installation writes: its own song index (EBYUL_DATA)."""
    locale: str
    """Language of the terminal's sentences, ``ko`` or ``en`` (EBYUL_LOCALE)."""
    corpora: Path | None
    """Folder of the training corpora; without it `fetch` downloads them (EBYUL_CORPORA)."""
    work: Path
    """Folder for the intermediate files of the training (EBYUL_WORK)."""
    token: str | None
    """The bot's token (DISCORD_TOKEN)."""

    @property
    def songs(self) -> Path:
        """The song index of this installation, there once songs were imported."""
        return self.data / "songs.db"


def load(environment: Mapping[str, str] | None = None, dotenv_file: Path | None = None) -> Settings:
    """Settings from the environment, which wins, and from ``.env`` in the current folder.

    Raises SettingsError where a value cannot be used.
    """
    file = dotenv_file or Path(".env")
    try:
        written = {key: value for key, value in dotenv.dotenv_values(file, encoding="utf-8").items() if value}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("error.dotenv_unreadable", path=file, reason=error) from error
    given = {**written, **{k: v for k, v in (os.environ if environment is None else environment).items() if v}}

    def path(name: str, default: Callable[[], Path]) -> Path:
        return Path(given[name]).expanduser() if name in given else default()

    return Settings(
        bundle=path("EBYUL_BUNDLE", lambda: SHIPPED / "ko"),
        data=path("EBYUL_DATA", lambda: Path(platformdirs.user_data_dir("ebyul", appauthor=False))),
        locale=_language(given),
        corpora=Path(given["EBYUL_CORPORA"]).expanduser() if "EBYUL_CORPORA" in given else None,
        work=path("EBYUL_WORK", lambda: Path("work")),
        token=given.get("DISCORD_TOKEN"),
    )


def _language(given: Mapping[str, str]) -> str:
    """The language asked for; else the system's, where a system that says nothing (C, POSIX) gets Korean."""
    if wanted := given.get("EBYUL_LOCALE"):
        language = wanted.replace("-", "_").partition("_")[0].lower()
        if language not in LANGUAGES:
            raise SettingsError("error.locale_unknown", value=wanted, known=", ".join(LANGUAGES))
        return language
    system = next((given[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if name in given), "")
    if not system and sys.platform == "win32":  # elsewhere Python calls a system that says nothing en_US
        system = locale.getlocale()[0] or ""
    says_nothing = system.partition(".")[0] in ("", "C", "POSIX")
    return "ko" if says_nothing or system.lower().startswith("ko") else "en"
