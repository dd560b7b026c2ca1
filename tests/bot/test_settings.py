import locale
import sys
from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import SHIPPED, load


def env(folder: Path, text: str | bytes) -> Path:
    path = folder / ".env"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def nothing(folder: Path) -> Path:
    return folder / "no.env"


def test_without_any_setting_it_runs(tmp_path: Path) -> None:
    settings = load({}, nothing(tmp_path))
    assert settings.bundle == SHIPPED / "ko"
    assert (settings.locale, settings.token, settings.corpora, settings.work) == ("ko", None, None, Path("work"))
    assert settings.data.is_absolute()
    assert settings.songs == settings.data / "songs.db"


def test_every_setting_is_read_from_the_environment(tmp_path: Path) -> None:
    given = {
        "EBYUL_BUNDLE": "/b", "EBYUL_DATA": "/d", "EBYUL_LOCALE": "en", "EBYUL_CORPORA": "/c", "EBYUL_WORK": "/w",
        "DISCORD_TOKEN": "secret",
    }  # fmt: skip
    settings = load(given, nothing(tmp_path))
    assert (settings.bundle, settings.data, settings.corpora, settings.work) == tuple(
        map(Path, ("/b", "/d", "/c", "/w"))
    )
    assert (settings.locale, settings.token) == ("en", "secret")


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    file = env(tmp_path, "EBYUL_LOCALE=en\nEBYUL_DATA=/from/the/file\n")
    settings = load({"EBYUL_DATA": "/from/the/environment"}, file)
    assert settings.data == Path("/from/the/environment")
    assert settings.locale == "en"


def test_the_file_of_the_current_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env(tmp_path, "DISCORD_TOKEN=from-the-file\n")
    monkeypatch.chdir(tmp_path)
    assert load().token == "from-the-file"  # noqa: S105


def test_empty_values_are_no_values(tmp_path: Path) -> None:
    file = env(tmp_path, "DISCORD_TOKEN=\nEBYUL_DATA=''\nEBYUL_LOCALE\nEBYUL_WORK=/w\n")
    settings = load({"EBYUL_BUNDLE": "", "EBYUL_LOCALE": "", "EBYUL_WORK": ""}, file)
    assert (settings.bundle, settings.locale, settings.token) == (SHIPPED / "ko", "ko", None)
    assert settings.work == Path("/w")  # an empty variable does not hide the file


def test_a_value_may_hold_korean_and_a_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = load({}, env(tmp_path, "EBYUL_DATA=~/이별\n"))
    assert settings.data == tmp_path / "이별"


@pytest.mark.parametrize("value", ["fr", "korean", "../ko", "한국어"])
def test_a_language_nobody_wrote_is_told_with_those_there_are(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"EBYUL_LOCALE": value}, nothing(tmp_path))
    for language in ("ko", "en"):
        sentence = caught.value.tell(language)
        assert value in sentence
        assert "ko, en" in sentence


@pytest.mark.parametrize(
    ("value", "language"), [("ko", "ko"), ("EN", "en"), ("en_US", "en"), ("en-US", "en"), ("ko_KR.UTF-8", "ko")]
)
def test_a_language_may_be_written_as_systems_do(tmp_path: Path, value: str, language: str) -> None:
    assert load({"EBYUL_LOCALE": value}, nothing(tmp_path)).locale == language


@pytest.mark.parametrize(
    ("system", "language"),
    [
        ({}, "ko"),
        ({"LANG": "C.UTF-8"}, "ko"),
        ({"LANG": "C"}, "ko"),
        ({"LC_ALL": "POSIX"}, "ko"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": ""}, "ko"),
    ],
)
def test_without_one_the_system_decides(tmp_path: Path, system: dict[str, str], language: str) -> None:
    assert load(system, nothing(tmp_path)).locale == language


def test_windows_which_keeps_its_language_elsewhere_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(locale, "getlocale", lambda *_: ("English_United States", "cp1252"))
    assert load({}, nothing(tmp_path)).locale == "en"
    monkeypatch.setattr(locale, "getlocale", lambda *_: ("Korean_Korea", "cp949"))
    assert load({}, nothing(tmp_path)).locale == "ko"


@pytest.mark.parametrize("content", [b"\xc0\xcc\xba\xb0=1\n", b"\xff\xfeA\x00"])
def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path, content: bytes) -> None:
    path = env(tmp_path, content)
    with pytest.raises(SettingsError) as caught:
        load({}, path)
    assert str(path) in caught.value.tell("ko")
    assert str(path) in caught.value.tell("en")


def test_a_file_saved_by_notepad_is_read(tmp_path: Path) -> None:
    assert load({}, env(tmp_path, b"\xef\xbb\xbfEBYUL_LOCALE=en\r\n")).locale == "en"


def test_a_folder_of_that_name_is_no_file(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert load({}, tmp_path / ".env").locale == "ko"
