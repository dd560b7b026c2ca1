"""The command `ebyul`: its words, what it prints, its exit codes, and that nothing makes it show a traceback."""

import contextlib
import fcntl
import io
import json
import os
import select
import shutil
import sqlite3
import subprocess
import sys
import termios
import unicodedata
from pathlib import Path

import pytest

from bot import __version__, jsonlines
from bot.__main__ import main
from bot.emotion import EMOTIONS, Reading
from bot.locales import sentences
from bot.settings import SHIPPED

COMMANDS = ("chat", "read", "recommend", "songs", "doctor")
HOSTILE = {
    "empty": "",
    "blank": " \t\n\u3000",
    "long": "보고 싶다 " * 1200,
    "emoji": "😭💔👩‍👧",
    "decomposed": unicodedata.normalize("NFD", "네가 너무 보고 싶어"),
    "zero width": "\u200b\u2060\ufeff",
    "zero width inside": "보\u200b고 싶\u200d다",
    "lone surrogate": "보고\ud800 싶다\udfff",
    "NUL": "보고\x00싶다",
    "other scripts": "Ich vermisse dich, скучаю, 会いたい, أفتقدك",
    "SQL": "'); DROP TABLE songs; --",
    "markdown": "**보고싶다** ||네가|| `그립다` [x](http://x.kr)",
    "rich markup": "[bold red]보고 싶다[/bold red] [/]",
    "ANSI": "\x1b[31m보고 싶다\x1b[0m\x1b]0;x\x07\x9b2J",
    "full text search": '"보고" AND NEAR( * ^ OR NOT',
    "format": "{0} {word} %s",
    "options": "--json",
}


@pytest.fixture
def run(capsys):
    """Runs the command in this process → (exit code, standard output, standard error)."""

    def run(*words, stdin=b""):
        before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin))
        try:
            code = main(words)
        finally:
            sys.stdin = before
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


@pytest.fixture
def folder(tmp_path) -> Path:
    """Songs to import, one of them broken."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "가수 - 비 노래.lrc").write_text(
        "[00:12.50]비가 오면 네 보라색 우산이 생각나\n[01:02.00]빈 버스 정류장에 서 있어\n", encoding="utf-8"
    )
    (folder / "more.jsonl").write_text(
        '{"title": "가수 없는 노래"}\n{"title": "물음", "artist": "나", "lines": ["왜 그랬니", "너도 아파봐"]}\n',
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory) -> Path:
    """The shipped bundle with twenty of its songs, which are soon read again."""
    small = tmp_path_factory.mktemp("small") / "ko"
    shutil.copytree(SHIPPED / "ko", small)
    manifest = json.loads((small / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"].pop("songs.db", None)
    (small / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    connection = sqlite3.connect(small / "songs.db")
    connection.execute("DELETE FROM lyrics WHERE rowid NOT IN (SELECT id FROM passages WHERE song_id <= 20)")
    connection.execute("DELETE FROM passages WHERE song_id > 20")
    connection.execute("DELETE FROM songs WHERE id > 20")
    connection.commit()
    connection.close()
    return small


class FakeReader:
    """Reads everything as sadness, and counts what it is given at once."""

    def __init__(self):
        self.batches = []

    def read(self, texts):
        self.batches.append(list(texts))
        return [Reading((0.6, 0.1, 0.1, 0.1, 0.1), False, (), (text,)) for text in texts]


# --- words of the command line, without a bundle


@pytest.fixture
def no_bundle(monkeypatch, tmp_path):
    monkeypatch.setenv("EBYUL_BUNDLE", str(tmp_path / "none"))


def test_version(run, no_bundle):
    assert run("--version") == (0, f"ebyul {__version__}\n", "")


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("words", [("--help",), ("-h",), *((command, "--help") for command in COMMANDS)])
def test_help_is_in_the_persons_language(run, no_bundle, monkeypatch, language, words):
    monkeypatch.setenv("EBYUL_LOCALE", language)
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    name = words[0] if words[0] in COMMANDS else "main"
    assert out.strip() == sentences(language)(f"help.{name}").strip()
    assert "ebyul" in out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--foo",), "--foo라는 옵션은 없어요. ebyul --help"),
        (("--json=1",), "--json=1이라는 옵션은 없어요."),
        (("chat", "x"), "ebyul chat --help"),
        (("read",), "ebyul read --help"),
        (("read", "--json"), "ebyul read --help"),
        (("recommend",), "ebyul recommend --help"),
        (("recommend", "--count"), "ebyul recommend --help"),
        (("recommend", "--foo", "x"), "--foo라는 옵션은 없어요."),
        (("recommend", "--count", "0", "x"), "0은 쓸 수 없어요"),
        (("recommend", "--count", "21", "x"), "21은 쓸 수 없어요"),
        (("recommend", "--count", "셋", "x"), "셋은 쓸 수 없어요"),
        (("recommend", "--count", "9" * 5000, "x"), "1에서 20까지"),
        (("recommend", "--count", "\x1b[31m", "x"), "1에서 20까지"),
        (("recommend", "--count=-3", "x"), "1에서 20까지"),
        (("recommend", "--seed", "-1", "x"), "0 이상의 정수"),
        (("recommend", "--seed", "1.5", "x"), "0 이상의 정수"),
        (("songs",), "ebyul songs --help"),
        (("songs", "sing"), "ebyul songs --help"),
        (("songs", "import"), "ebyul songs --help"),
        (("songs", "import", "a", "b"), "ebyul songs --help"),
        (("songs", "import", ""), "ebyul songs --help"),
        (("songs", "search"), "ebyul songs --help"),
        (("songs", "list", "--json"), "--json이라는 옵션은 없어요."),
        (("doctor", "--fix"), "--fix라는 옵션은 없어요."),
    ],
)
def test_a_wrong_call_gets_a_sentence(run, no_bundle, words, expected):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert expected in err
    assert err.count("\n") == 1
    assert "\x1b" not in err


@pytest.mark.parametrize("words", [("보고 싶다",), (), ("read", "--jsonl"), ("songs", "list"), ("recommend", "x")])
def test_a_missing_bundle_is_told(run, no_bundle, words):
    code, out, err = run(*words)
    assert (code, out) == (1, "")
    assert "모델 묶음이 없어요" in err


def test_an_unknown_locale_is_told(run, monkeypatch):
    monkeypatch.setenv("EBYUL_LOCALE", "fr")
    code, out, err = run("보고 싶다")
    assert (code, out) == (1, "")
    assert err == "EBYUL_LOCALE is fr, which we do not speak. Set it to one of ko, en.\n"


def test_an_unreadable_dotenv_is_told_in_the_right_language(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path(".env").write_bytes(b"EBYUL_DATA=\xff\xfe\xb0\xa1")
    assert ".env를 읽지 못했어요." in run("보고 싶다")[2]


def test_doctor_tells_what_is_missing(run, no_bundle):
    code, out, _ = run("doctor")
    assert code == 1
    assert "✗" in out
    assert "EBYUL_BUNDLE" in out
    assert "고칠 것이 1가지" in out


def test_doctor_never_prints_the_token(run, no_bundle, monkeypatch):
    monkeypatch.setenv("DISCORD_TOKEN", "very-secret-token")
    _, out, err = run("doctor")
    assert "✓ 디스코드 토큰이 있어요." in out
    assert "very-secret" not in out + err


def test_doctor_sees_a_data_folder_that_is_a_file(run, no_bundle, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("EBYUL_DATA", str(tmp_path / "file"))
    code, out, _ = run("doctor")
    assert code == 1
    assert "✗ 자료 폴더에 쓸 수 없어요" in out


def test_help_and_version_load_nothing_heavy():
    code = (
        "import sys; from bot.__main__ import main; main(['--help']); main(['recommend', '--help']);"
        "print(sorted({'onnxruntime', 'numpy', 'rich', 'MeCab', 'aiosqlite'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    assert found.stdout.decode().endswith("[]\n")


def test_ctrl_c_is_exit_130(run, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("bot.__main__._run", interrupt)
    assert run("x") == (130, "", "")


def test_a_full_disk_is_told(run, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bot.__main__._run", fail)
    code, _, err = run("x")
    assert code == 1
    assert "디스크에 자리가 있는지" in err


# --- read --jsonl, with a fake reader


def read_lines(source, reader=None):
    target = io.StringIO()
    jsonlines.read_stream(reader or FakeReader(), io.BytesIO(source), target, sentences("ko"))
    return [json.loads(line) for line in target.getvalue().splitlines()]


def test_texts_are_read_in_order():
    found = read_lines('{"id": 1, "text": "보고 싶다"}\r\n{"id": "둘", "text": ""}\n{"text": "c"}'.encode())
    assert [one["id"] for one in found] == [1, "둘", None]
    assert all(list(one) == ["id", "emotion", "probabilities", "unsure"] for one in found)
    assert list(found[0]["probabilities"]) == [str(emotion) for emotion in EMOTIONS]
    assert sum(found[0]["probabilities"].values()) == pytest.approx(1, abs=1e-9)
    assert found[0]["unsure"] is False


@pytest.mark.parametrize(
    ("line", "number", "expected"),
    [
        (b"nope", None, "JSON이 아니에요"),
        (b"", None, "JSON이 아니에요"),
        (b"[1]", None, "JSON 객체가 아니에요"),
        (b'"text"', None, "JSON 객체가 아니에요"),
        (b'{"id": 1}', 1, "text가 없어요"),
        (b'{"id": 1, "text": null}', 1, "text가 없어요"),
        (b'{"id": {"a": [1]}, "text": 3}', {"a": [1]}, "text가 글이 아니에요"),
        (b'{"id": 1, "text": ["a"]}', 1, "text가 글이 아니에요"),
        (b'{"id": 1, "text": "\xff"}', None, "UTF-8로 읽히지 않아요"),
        (b'{"id": NaN, "text": "a"}', None, "JSON이 아니에요"),
        (b'{"id": 1e999, "text": "a"}', None, "JSON이 아니에요"),
        (b'{"id": ' + b"9" * 5000 + b', "text": "a"}', None, "JSON이 아니에요"),
        (b"[" * 200_000, None, "JSON이 아니에요"),
        (b'{"id": 1, "text": "a"', None, "JSON이 아니에요"),
    ],
)
def test_a_bad_line_gets_an_error_and_the_rest_goes_on(line, number, expected):
    bad, good = read_lines(line + b'\n{"id": 2, "text": "a"}\n')
    assert bad["id"] == number
    assert expected in bad["error"]
    assert set(bad) == {"id", "error"}
    assert good["emotion"] == "sadness"


@pytest.mark.parametrize("depth", [100, 900, 985, 990, 995, 1000, 5000])
def test_an_id_nested_deep_is_written_or_refused(depth):
    assert len(read_lines(b'{"id": ' + b"[" * depth + b"]" * depth + b', "text": "a"}\n')) == 1


def test_lone_surrogates_and_controls_survive_as_escapes():
    target = io.StringIO()
    line = rb'{"id": "\ud800\u009b\u2028", "text": "\udfff"}' + b"\n"
    reader = FakeReader()
    jsonlines.read_stream(reader, io.BytesIO(line), target, sentences("ko"))
    assert target.getvalue().encode().startswith(rb'{"id": "\ud800\u009b\u2028"')
    assert reader.batches == [["\udfff"]]


def test_a_byte_order_mark_is_no_mistake():
    assert read_lines(b'\xef\xbb\xbf{"id": 1, "text": "a"}\n')[0]["id"] == 1


def test_plenty_is_read_in_full_batches():
    reader = FakeReader()
    found = read_lines(b'{"id": 0, "text": "a"}\n' * 1000, reader)
    assert len(found) == 1000
    assert [len(batch) for batch in reader.batches] == [256, 256, 256, 232]


def test_a_line_without_end_takes_no_more_than_its_limit():
    long = b'{"id": 1, "text": "' + b"a" * 5_000_000 + b'"}\n{"id": 2, "text": "b"}\n'
    assert read_lines(long)[-1]["id"] == 2


# --- with the shipped bundle (exported/ko)


@pytest.mark.parametrize(
    "words", [("나만 빼고 다 잘 지내는 것 같아",), ("나만", "빼고", "다", "잘", "지내는", "것", "같아")]
)
def test_a_text_is_answered(run, words):
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    assert out.count("https://") == 3
    assert "\x1b" not in out


@pytest.mark.parametrize("words", [("--", "read"), ("--", "--help"), ("-_-", "헤어졌어"), ("--;;",), ("songs!",)])
def test_what_looks_like_a_command_may_be_a_text(run, words):
    code, out, _ = run(*words)
    assert code == 0
    assert "https://" in out


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_gets_an_answer_or_a_sentence(run, text):
    code, out, err = run("--", text)
    assert (code, err) == (0, "")
    assert out.strip()
    assert "\x1b" not in out
    code, out, err = run("recommend", "--json", "--", text)
    assert (code, err) == (0, "")
    assert json.loads(out)["reading"]["emotion"] in list(EMOTIONS)
    code, out, err = run("songs", "search", "--json", "--", text)
    assert (code, err) == (0, "")
    assert isinstance(json.loads(out), list)
    assert run("chat", stdin=f"{text}\n/quit\n".encode("utf-8", "replace"))[0] == 0


def test_recommend_tells_everything(run):
    code, out, _ = run("recommend", "--json", "--count", "5", "--seed", "1", "네 우산이 아직 현관에 있어, 보고 싶다")
    answer = json.loads(out)
    assert code == 0
    assert list(answer) == ["reading", "songs"]
    assert list(answer["reading"]) == ["emotion", "probabilities", "unsure", "words"]
    assert sum(answer["reading"]["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    assert len(answer["songs"]) == len({(song["title"], song["artist"]) for song in answer["songs"]}) == 5
    for song in answer["songs"]:
        assert list(song) == ["title", "artist", "year", "source", "lines", "story", "score", "why", "links"]
        assert bool(song["lines"]) != bool(song["story"])
        assert all(list(line) == ["position", "text", "emotion"] for line in song["lines"])
        assert song["why"]
        assert all(link.startswith("https://") for link in song["links"])


def test_a_seed_gives_the_same_songs_and_none_gives_others(run):
    text = "네가 너무 보고 싶어서 눈물이 나"
    assert run("recommend", "--json", "--seed", "7", text) == run("recommend", "--json", text, "--seed", "7")
    assert len({run("recommend", "--json", text)[1] for _ in range(6)}) > 1


@pytest.mark.parametrize("count", [1, 20])
def test_count(run, count):
    assert len(json.loads(run("recommend", "--json", "--count", str(count), "보고 싶다")[1])["songs"]) == count


def test_read_jsonl(run):
    texts = ["우리 헤어져 보자", "네가 너무 보고 싶어서 눈물이 나", ""]
    source = "".join(json.dumps({"id": number, "text": text}) + "\n" for number, text in enumerate(texts))
    code, out, err = run("read", "--jsonl", stdin=source.encode())
    found = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [one["id"] for one in found] == [0, 1, 2]
    assert [one["emotion"] for one in found] == ["indifference", "sadness", "none"]
    assert all(abs(sum(one["probabilities"].values()) - 1) < 1e-6 for one in found)


def test_chat_without_a_terminal_answers_each_line(run):
    code, out, err = run("chat", stdin="보고 싶다\n\n더\n/emotion 분노\n/foo\n/quit\n못 듣는 말".encode())
    assert (code, err) == (0, "")
    assert out.count("https://") == 9
    assert "고쳐 읽고" in out
    assert "/foo라는 명령은 없어요." in out
    assert "마음 >" not in out
    assert run(stdin="보고 싶다".encode())[1].count("https://") == 3


def test_songs_are_imported_and_found(run, folder, tmp_path):
    code, out, err = run("songs", "import", str(folder))
    assert code == 0
    assert "노래 2곡, 가사 4줄을 넣었어요." in out
    assert "more.jsonl 1번째 줄: " in err
    assert (tmp_path / "data" / "songs.db").exists()
    (match, *_) = json.loads(run("songs", "search", "보라색", "우산", "--json")[1])
    assert list(match) == ["title", "artist", "position", "start_ms", "text", "marks"]
    assert (match["title"], match["artist"], match["position"], match["start_ms"]) == ("비 노래", "가수", 1, 12_500)
    assert [match["text"][start:end] for start, end in match["marks"]] == ["보라색 우산"] or len(match["marks"]) == 2
    assert "«" in run("songs", "search", "보라색", "우산")[1]
    assert "1번째 줄, 00:12" in run("songs", "search", "보라색")[1]
    assert "비 노래 — 가수\n" in run("songs", "list")[1]
    assert "가져온 노래 2" in run("songs", "stats")[1]
    assert run("doctor")[0] == 0


def test_nothing_imported_makes_no_index(run, tmp_path):
    code, out, err = run("songs", "import", str(tmp_path / "nowhere"))
    assert (code, out) == (1, "")
    assert "찾을 수 없어요" in err
    assert not (tmp_path / "data").exists()


def test_an_index_read_with_another_bundle_is_read_again(run, folder, tmp_path, small_bundle, monkeypatch):
    monkeypatch.setenv("EBYUL_BUNDLE", str(small_bundle))
    run("songs", "import", str(folder))
    before = run("songs", "stats")[1]
    index = tmp_path / "data" / "songs.db"
    with sqlite3.connect(index) as connection:
        connection.execute("UPDATE about SET reader = 'another'")
    connection.close()
    code, out, _ = run("doctor")
    assert code == 0
    assert "– 노래를 다른 모델로 읽어 두었어요." in out
    assert run("보고 싶다")[0] == 0
    assert "– 노래를" not in run("doctor")[1]
    assert run("songs", "stats")[1] == before


def test_rebuild(run, folder, small_bundle, monkeypatch):
    monkeypatch.setenv("EBYUL_BUNDLE", str(small_bundle))
    assert "다시 읽을 것이 없어요" in run("songs", "rebuild")[1]
    run("songs", "import", str(folder))
    songs = run("songs", "list")[1].count("\n")
    code, out, _ = run("songs", "rebuild")
    assert code == 0
    assert f"노래 {songs:,}곡" in out
    assert run("songs", "list")[1].count("\n") == songs


@pytest.mark.parametrize("words", [("보고 싶다",), ("songs", "list"), ("songs", "rebuild"), ("chat",)])
def test_a_damaged_index_is_told(run, tmp_path, words):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "songs.db").write_bytes(b"no database" * 1000)
    code, _, err = run(*words, stdin=b"x\n")
    assert code == 1
    assert "데이터베이스가 아니에요" in err
    code, out, _ = run("doctor")
    assert code == 1
    assert "✗" in out


def test_doctor_is_content_with_what_is_shipped(run):
    code, out, err = run("doctor")
    assert (code, err) == (0, "")
    assert "✗" not in out
    assert out.count("✓") == 5
    assert "– 디스코드 토큰이 없어요." in out


# --- in a process of its own


def ebyul(*words, **options):
    environment = {**os.environ, "EBYUL_LOCALE": "ko", **options.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, "-m", "bot", *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **options,
    )  # fmt: skip


def test_an_interactive_writer_gets_each_answer_at_once():
    with ebyul("read", "--jsonl") as process:
        for number in range(3):
            process.stdin.write(json.dumps({"id": number, "text": "보고 싶다"}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, b"", b"")


def test_utf8_whatever_the_locale_and_any_bytes_as_words():
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    with ebyul(b"\xff\xfe \xeb\xb3\xb4\xea\xb3\xa0 \xec\x8b\xb6\xeb\x8b\xa4", env=environment) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert "듣기 https://" in out.decode("utf-8")


@pytest.mark.parametrize("words", [("songs", "list"), ("songs", "search", "--json", "너"), ("보고 싶다",)])
def test_a_closed_pipe_is_quiet(words):
    with ebyul(*words) as process:
        process.stdout.close()
        process.stdin.close()
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is a POSIX thing")
@pytest.mark.parametrize("leaves", [b"\x03", b"\x04", "쓰다 만\x03".encode(), b"/quit\n"])
def test_a_conversation_in_a_terminal(leaves):
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    with subprocess.Popen(
        [sys.executable, "-m", "bot"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as process, contextlib.ExitStack() as at_the_end:  # fmt: skip
        at_the_end.callback(process.kill)  # a failed expectation must not wait for an end that never comes
        os.close(theirs)
        assert "/help" in until(ours, "마음 > ")
        os.write(ours, "보고 싶다\n".encode())
        assert "듣기" in until(ours, "마음 > ")
        assert "들려주셔서 고마워요." in until(ours, "오세요.", leaves)
        assert process.wait(timeout=60) == 0
    os.close(ours)


def until(terminal, expected, keys=b""):
    """What a terminal shows up to an expected text, after keys were pressed.

    Pressed again where nothing comes: a Ctrl-C between the prompt and the wait for keys is lost in Python's readline.
    """
    shown = b""
    for _ in range(12):
        os.write(terminal, keys)
        while select.select([terminal], [], [], 5)[0]:
            shown += os.read(terminal, 4096)
            if expected.encode() in shown:
                return shown.decode()
    raise AssertionError(shown.decode(errors="replace"))


@pytest.mark.skipif(sys.platform == "win32", reason="closing a descriptor before exec is a POSIX thing")
@pytest.mark.parametrize("closed", [0, 1, 2])
def test_closed_standard_streams_are_no_matter(closed):
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    done = subprocess.run(
        [sys.executable, "-m", "bot"], **streams, preexec_fn=lambda: os.close(closed), timeout=60, check=False
    )
    assert done.returncode == 0
