import codecs
import json
import os
import string
import subprocess
import sys
import tomllib
import unicodedata
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot import emotion
from bot.locales import LANGUAGES
from bot.songfiles import SUFFIXES, LineDraft, Problem, SongDraft, read
from bot.songfiles.encoding import LONGEST_ROW
from bot.songfiles.jsonfiles import LARGEST
from bot.songfiles.song import MOST_LINES
from bot.songfiles.words import LABELS, clean, is_section_mark

DATA = Path(__file__).parents[2] / "training" / "data"

FIRST, SECOND = "빈 컵에 남은 물을 오래 보았다", "우산은 두 개인데 비는 한 사람만 맞네"
PLAIN = SongDraft("젖은 우산", "가짜 밴드", (LineDraft(FIRST), LineDraft(SECOND)), year=2019)
TIMED = SongDraft("젖은 우산", "가짜 밴드", (LineDraft(FIRST, 1500), LineDraft(SECOND, 62_000)))
UNTIMED = SongDraft("젖은 우산", "가짜 밴드", (LineDraft(FIRST), LineDraft(SECOND)))

JSON_SONG = {"title": "젖은 우산", "artist": "가짜 밴드", "year": 2019, "lines": [FIRST, SECOND]}
FORMATS = {
    "song.jsonl": (json.dumps(JSON_SONG, ensure_ascii=False) + "\n", PLAIN),
    "song.ndjson": (json.dumps(JSON_SONG, ensure_ascii=False) + "\r\n\r\n", PLAIN),
    "array.json": (json.dumps([JSON_SONG], ensure_ascii=False, indent=2), PLAIN),
    "object.JSON": (json.dumps(JSON_SONG, ensure_ascii=False, indent=2), PLAIN),
    "song.csv": (f'제목,가수,연도,가사\n젖은 우산,가짜 밴드,2019,"{FIRST}\n\n{SECOND}"\n', PLAIN),
    "semicolon.csv": (
        f"title;artist;year;line\n젖은 우산;가짜 밴드;2019;{FIRST}\n젖은 우산;가짜 밴드;;{SECOND}\n",
        PLAIN,
    ),
    "song.tsv": (
        f"곡명\t아티스트\t연도\t가사\n젖은 우산\t가짜 밴드\t2019\t{FIRST}\n젖은 우산\t가짜 밴드\t2019\t{SECOND}",
        PLAIN,
    ),
    "times.csv": (
        f"text,start,title,artist\n{FIRST},1.5,젖은 우산,가짜 밴드\n{SECOND},1:02,젖은 우산,가짜 밴드\n",
        TIMED,
    ),
    "positions.csv": (
        f"position,text,title,artist\n2,{SECOND},젖은 우산,가짜 밴드\n1,{FIRST},젖은 우산,가짜 밴드\n",
        UNTIMED,
    ),
    "header.txt": (f"제목: 젖은 우산\n가수: 가짜 밴드\n연도: 2019\n\n{FIRST}\n\n{SECOND}\n", PLAIN),
    "english.txt": (f"Title: 젖은 우산\r\nArtist: 가짜 밴드\r\nYear: 2019\r\n\r\n{FIRST}\r\n{SECOND}", PLAIN),
    "가짜 밴드 - 젖은 우산.txt": (f"{FIRST}\n{SECOND}\n", UNTIMED),
    "song.lrc": (f"[ti:젖은 우산]\n[ar: 가짜 밴드]\n[by:아무개]\n[01:02.00]{SECOND}\n[00:01.5]{FIRST}\n", TIMED),
    "가짜 밴드 - 젖은 우산.lrc": (f"[00:01.500]{FIRST}\n[01:02]{SECOND}\n", TIMED),
}
ENCODINGS = {
    "utf-8": (b"", "utf-8"),
    "utf-8-bom": (codecs.BOM_UTF8, "utf-8"),
    "utf-16-le-bom": (codecs.BOM_UTF16_LE, "utf-16-le"),
    "utf-16-be-bom": (codecs.BOM_UTF16_BE, "utf-16-be"),
    "utf-16-le": (b"", "utf-16-le"),
    "utf-16-be": (b"", "utf-16-be"),
    "cp949": (b"", "cp949"),
}


def read_all(path: Path) -> tuple[list[SongDraft], list[Problem]]:
    """Drafts and problems of a path; every problem can be told in every language."""
    found = list(read(path))
    problems = [item for item in found if isinstance(item, Problem)]
    for problem in problems:
        for locale in LANGUAGES:
            told = problem.tell(locale)
            assert told.encode("utf-8")
            assert "\x1b" not in told
    return [item for item in found if isinstance(item, SongDraft)], problems


def written(folder: Path, name: str, content: str | bytes | object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content, ensure_ascii=False)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return path


def keys(problems: list[Problem]) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.key.removeprefix("songfiles.")) for problem in problems]


def only(folder: Path, **fields: object) -> tuple[SongDraft, list[str]]:
    """The one draft of a JSON song with these fields besides title, artist and a line, and its problems."""
    raw = {"title": "젖은 우산", "artist": "가짜 밴드", "lines": [FIRST], **fields}
    drafts, problems = read_all(written(folder, "one.jsonl", raw))
    return drafts[0], [key for _, key in keys(problems)]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_in_every_encoding(tmp_path: Path, name: str, encoding: str) -> None:
    bom, codec = ENCODINGS[encoding]
    text, expected = FORMATS[name]
    assert read_all(written(tmp_path, name, bom + text.encode(codec))) == ([expected], [])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_english_songs_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    bom, codec = ENCODINGS[encoding]
    text = "Title: Two Umbrellas\nArtist: Nobody Real\n\nI kept the cup you left half full\n"
    drafts, problems = read_all(written(tmp_path, "english.txt", bom + text.encode(codec)))
    assert [(draft.title, len(draft.lines)) for draft in drafts] == [("Two Umbrellas", 1)]
    assert not problems


def test_reads_our_own_songs_and_the_catalogue() -> None:
    songs, problems = read_all(DATA / "songs_ko")
    assert len(songs) == sum(len(file.read_bytes().splitlines()) for file in (DATA / "songs_ko").iterdir())
    assert not problems
    assert all(song.lines and song.story["ko"] and song.mixture is None for song in songs)
    assert {line.label for song in songs for line in song.lines} == set(LABELS)
    catalogue, problems = read_all(DATA / "catalogue_ko.jsonl")
    assert not problems
    assert all(song.mixture and {"ko", "en"} <= song.story.keys() and not song.lines for song in catalogue)


def test_labels_are_those_of_the_readings() -> None:
    assert tuple(emotion.EMOTIONS) == LABELS


# Songs as JSON


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (f"{FIRST}\r\n\n {SECOND} ", (LineDraft(FIRST), LineDraft(SECOND))),
        ([FIRST, "", SECOND], (LineDraft(FIRST), LineDraft(SECOND))),
        ([[FIRST, "anger", "sadness"], [SECOND, "none"], [FIRST]],
         (LineDraft(FIRST, None, "anger", "sadness"), LineDraft(SECOND, None, "none"), LineDraft(FIRST))),
        ([{"text": FIRST, "start": 1.5, "emotion": "슬픔"}, {"text": SECOND, "start_ms": 62_000, "label": "denial", "secondary": "분노"}],
         (LineDraft(FIRST, 1500, "sadness"), LineDraft(SECOND, 62_000, "denial", "anger"))),
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["lines", "lyrics"])
def test_lines_come_in_four_shapes(tmp_path: Path, field: str, lines: object, expected: tuple[LineDraft, ...]) -> None:
    draft, problems = only(tmp_path, **{"lines": None, field: lines})
    assert draft.lines == expected
    assert not problems


def test_every_field_of_a_song(tmp_path: Path) -> None:
    draft, problems = only(
        tmp_path,
        year="1994",
        language="EN",
        genre=" 발라드 ",
        emotion={"sadness": 3, "anger": 1},
        story="He keeps the cup.",
        story_ko="컵을 버리지 못한다.",
        themes=["비", "우산", "비"],
        links=["https://example.com/a?b=1", "http://example.org"],
    )
    assert not problems
    assert draft == SongDraft(
        "젖은 우산",
        "가짜 밴드",
        (LineDraft(FIRST),),
        1994,
        "en",
        "발라드",
        {"en": "He keeps the cup.", "ko": "컵을 버리지 못한다."},
        {"sadness": 0.75, "denial": 0.0, "anger": 0.25, "indifference": 0.0},
        ("비", "우산"),
        ("https://example.com/a?b=1", "http://example.org"),
    )


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"emotion": "joy"}, "bad_label"),
        ({"emotion": ["sadness"]}, "bad_label"),
        ({"emotion": {"sadness": -1, "anger": 2}}, "bad_mixture"),
        ({"emotion": {"sadness": 0, "anger": 0}}, "bad_mixture"),
        ({"emotion": {"sadness": "0.5"}}, "bad_mixture"),
        ({"emotion": {"sadness": True}}, "bad_mixture"),
        ({"emotion": {"sadness": float("nan")}}, "bad_mixture"),
        ({"emotion": {"sadness": 10**400}}, "bad_mixture"),
        ({"emotion": {"joy": 1}}, "bad_mixture"),
        ({"emotion": {}}, "bad_mixture"),
        ({"year": "작년"}, "bad_year"),
        ({"year": 99}, "bad_year"),
        ({"year": True}, "bad_year"),
        ({"year": 10**4000}, "bad_year"),
        ({"year": [2019]}, "bad_year"),
        ({"language": "한국어"}, "bad_language"),
        ({"genre": 3}, "bad_text"),
        ({"story": "가" * 501}, "bad_text"),
        ({"themes": {"a": 1}}, "bad_list"),
        ({"themes": [1]}, "bad_text"),
        ({"themes": ["비"] * 51}, "long_list"),
        ({"links": ["javascript:alert(1)"]}, "bad_link"),
        ({"links": "ftp://example.com"}, "bad_link"),
        ({"links": ["https://"]}, "bad_link"),
        ({"links": ["http://[::1"]}, "bad_link"),
        ({"links": ["https://example.com/a b"]}, "bad_link"),
        ({"links": ["https://example.com/\ud800"]}, "bad_link"),
        ({"links": ["https://example.com/" + "a" * 500]}, "bad_link"),
        ({"links": [{"url": "https://example.com"}]}, "bad_link"),
        ({"lines": [FIRST, 7]}, "bad_line"),
        ({"lines": [FIRST, []]}, "bad_line"),
        ({"lines": [FIRST, {"text": None}]}, "bad_line"),
        ({"lines": [[FIRST, "joy"]]}, "bad_label"),
        ({"lines": [[FIRST, "anger", "joy"]]}, "bad_label"),
        ({"lines": [{"text": FIRST, "start": -1}]}, "bad_start"),
        ({"lines": [{"text": FIRST, "start": "잠시 뒤"}]}, "bad_start"),
        ({"lines": [{"text": FIRST, "start": float("inf")}]}, "bad_start"),
        ({"lines": [{"text": FIRST, "start_ms": 10**20}]}, "bad_start"),
        ({"lines": 7, "story": "컵을 버리지 못한다."}, "bad_lines"),
    ],
)
def test_a_song_goes_in_without_the_field_that_is_wrong(tmp_path: Path, fields: dict[str, object], key: str) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps({"title": "젖은 우산", "artist": "가짜 밴드", "lines": [FIRST], **fields}))
    drafts, problems = read_all(path)
    assert set(keys(problems)) == {(1, key)}
    draft = drafts[0]
    assert (draft.year, draft.mixture, draft.genre, draft.links, draft.language) == (None, None, None, (), "ko")
    assert draft.lines in ((LineDraft(FIRST),), (LineDraft(FIRST, None, "anger"),), ())


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"title": ""}, "title_missing"),
        ({"title": " \x00\ufeff"}, "title_missing"),
        ({"title": None}, "title_missing"),
        ({"title": ["젖은 우산"]}, "title_missing"),
        ({"title": "우" * 201}, "title_too_long"),
        ({"artist": "\n"}, "artist_missing"),
        ({"artist": "밴" * 201}, "artist_too_long"),
        ({"lines": []}, "nothing_to_find"),
        ({"lines": ["[Verse 1]", " "], "emotion": "sadness", "story": " "}, "nothing_to_find"),
    ],
)
def test_a_song_is_skipped_without_title_artist_or_content(tmp_path: Path, fields: dict[str, object], key: str) -> None:
    raw = {"title": "젖은 우산", "artist": "가짜 밴드", "lines": [FIRST], **fields}
    drafts, problems = read_all(written(tmp_path, "a.jsonl", json.dumps(raw) + "\n" + json.dumps(JSON_SONG)))
    assert keys(problems) == [(1, key)]
    assert drafts == [PLAIN]


def test_a_title_may_be_a_number_and_names_may_be_long(tmp_path: Path) -> None:
    draft, problems = only(tmp_path, title=1994, artist="밴" * 200)
    assert (draft.title, len(draft.artist), problems) == ("1994", 200, [])


def test_texts_are_cleaned(tmp_path: Path) -> None:
    noisy = " \ufeff" + unicodedata.normalize("NFD", FIRST[:4]) + "\x00\x07\ud800" + FIRST[4:] + "\t"
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps({"title": "젖은\n우산", "artist": "가짜\x1b 밴드", "lines": [noisy]}))
    assert read_all(path) == ([SongDraft("젖은 우산", "가짜 밴드", (LineDraft(FIRST),))], [])


def test_raw_nul_bytes_within_utf_8_are_dropped(tmp_path: Path) -> None:
    text = json.dumps(JSON_SONG, ensure_ascii=False).replace("빈 컵", "빈\0 컵")
    assert read_all(written(tmp_path, "nul.jsonl", text)) == ([PLAIN], [])
    assert read_all(written(tmp_path, "nul.txt", f"Title: a\0b\nArtist: c\n\n{FIRST}\0")) == (
        [SongDraft("ab", "c", (LineDraft(FIRST),))],
        [],
    )


@pytest.mark.parametrize(
    "mark",
    ["[Verse 1]", "[Verse]", "(간주)", "후렴", "Chorus:", "[Chorus x2]", "【후렴구】", "<간주 중>", "(후렴 반복)", "1절", "2절:", "Pre-Chorus",
     "[Bridge: 가짜 밴드]", "OUTRO", "x2", "(Hook)", "[Intro]", "랩:"],
)  # fmt: skip
def test_section_marks_are_skipped(tmp_path: Path, mark: str) -> None:
    draft, problems = only(tmp_path, lines=[FIRST, mark, [mark, "none"], SECOND])
    assert draft.lines == (LineDraft(FIRST), LineDraft(SECOND))
    assert not problems


@pytest.mark.parametrize(
    "line", [FIRST, "(간주처럼 길어진 침묵)", "후렴을 다시 부를 수 없어", "Chorus of rain", "[너]", "verse" + "1" * 195]
)
def test_lines_are_no_section_marks(line: str) -> None:
    assert not is_section_mark(line)


def test_long_lines_and_long_songs_are_cut(tmp_path: Path) -> None:
    draft, problems = only(tmp_path, lines=["물" * 301, "물" * 300])
    assert (len(draft.lines), problems) == (1, ["line_too_long"])
    draft, problems = only(tmp_path, lines=[FIRST] * MOST_LINES)
    assert (len(draft.lines), problems) == (MOST_LINES, [])
    draft, problems = only(tmp_path, lines=[FIRST] * (MOST_LINES + 9))
    assert (len(draft.lines), problems) == (MOST_LINES, ["too_many_lines"])


def test_a_bad_line_of_json_lines_is_told_and_the_rest_goes_in(tmp_path: Path) -> None:
    good = json.dumps(JSON_SONG, ensure_ascii=False).encode()
    rows = [
        good,
        b'{"title": ',
        good,
        b"[]",
        b"[" * 100_000,
        b'{"year": ' + b"9" * 5000 + b"}",
        "가나다".encode("cp949"),
        b"",
        b"{}",
        good,
    ]
    path = written(tmp_path, "song.jsonl", b"\n".join(rows))
    drafts, problems = read_all(path)
    assert drafts == [PLAIN] * 3
    assert keys(problems) == [
        (2, "bad_json"),
        (4, "not_an_object"),
        (5, "too_deep"),
        (6, "bad_json"),
        (7, "undecodable"),
        (9, "title_missing"),
        (9, "artist_missing"),
    ]
    assert problems[0].tell("en").startswith(f"{path}, line 2: The JSON")
    assert problems[0].tell("ko").startswith(f"{path} 2번째 줄: JSON")


def test_json_tells_the_line_of_a_mistake(tmp_path: Path) -> None:
    text = json.dumps([JSON_SONG, {"title": "짝 없는 컵"}, JSON_SONG], ensure_ascii=False, indent=1)
    drafts, problems = read_all(written(tmp_path, "song.json", text[:-3]))
    assert drafts == [PLAIN]
    assert keys(problems) == [(11, "artist_missing"), (text.count("\n"), "bad_json")]
    assert keys(read_all(written(tmp_path, "deep.json", "[" * 100_000))[1]) == [(1, "too_deep")]
    assert keys(read_all(written(tmp_path, "open.json", "[" + json.dumps(JSON_SONG)))[1]) == [(1, "bad_json")]
    assert keys(read_all(written(tmp_path, "empty.json", "[]"))[1]) == [(None, "no_songs")]
    assert read_all(written(tmp_path, "row.json", f"{json.dumps(JSON_SONG)}\n" * 2)) == ([PLAIN] * 2, [])


def test_a_json_file_too_large_to_hold_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "large.json", JSON_SONG)
    os.truncate(path, LARGEST + 1)
    with path.open("r+b") as stream:
        stream.write(json.dumps(JSON_SONG).encode() + b" " * (2 << 20))
    assert keys(read_all(path)[1]) == [(None, "json_too_large")]


def test_a_huge_line_is_told_and_the_rest_goes_in(tmp_path: Path) -> None:
    good = json.dumps(JSON_SONG)
    path = written(tmp_path, "huge.jsonl", f"{good}\n" + "[" * (LONGEST_ROW + 5) + f"\n{good}\n")
    drafts, problems = read_all(path)
    assert (drafts, keys(problems)) == ([PLAIN] * 2, [(2, "huge_row")])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_huge_line_of_any_kind(tmp_path: Path, suffix: str) -> None:
    for row in (b" " * (LONGEST_ROW + 5), b"[00:01.00]" * 1_100_000, b"<" * (LONGEST_ROW + 5), b'"a' * 5_100_000):
        drafts, problems = read_all(written(tmp_path, f"a - b{suffix}", row))
        assert not drafts
        assert problems


# Tables


def test_rows_of_a_table_make_songs(tmp_path: Path) -> None:
    rows = [
        "title,artist,line,emotion,start_ms",
        f"가,나,{FIRST},sadness,10",
        f"가,나,{SECOND},joy,20",
        f"다,나,{FIRST},,",
        f"가,나,{SECOND},,",
        f"라,나,{FIRST},,,,남는 칸",
        f",나,{FIRST},,",
        f",나,{SECOND},,",
    ]
    drafts, problems = read_all(written(tmp_path, "rows.csv", "\n".join(rows)))
    assert [(draft.title, len(draft.lines)) for draft in drafts] == [("가", 2), ("다", 1), ("가", 1)]
    assert drafts[0].lines == (LineDraft(FIRST, 10, "sadness"), LineDraft(SECOND, 20))
    assert keys(problems) == [(3, "bad_label"), (6, "extra_cells"), (7, "title_missing")]


def test_a_song_a_row_is_never_joined_with_the_next(tmp_path: Path) -> None:
    cell = f'"{FIRST}\n{SECOND}"'
    text = f"title,artist,lyrics,themes,links\n가,나,{cell},비;컵,https://example.com\n가,나,{cell},,\n"
    drafts, problems = read_all(written(tmp_path, "rows.csv", text))
    assert [(len(draft.lines), draft.themes, draft.links) for draft in drafts] == [
        (2, ("비", "컵"), ("https://example.com",)),
        (2, (), ()),
    ]
    assert not problems


@pytest.mark.parametrize("header", ["a,b,c", "title,lyrics", "title,artist", "", '"', "\n\n"])
def test_a_table_without_its_header_is_told(tmp_path: Path, header: str) -> None:
    drafts, problems = read_all(written(tmp_path, "a.csv", f"{header}\n가,나,{FIRST}\n"))
    assert not drafts
    assert [key for _, key in keys(problems)] == ["bad_header"]


def test_an_open_quote_and_a_broken_line_do_not_end_a_table(tmp_path: Path) -> None:
    lost = f'가,나,"{FIRST}\n'.encode() + b"x" * 200_000 + b"\n"
    after = f'다,나,"{FIRST}\n'.encode() + "깨진 줄".encode("cp949") + f'\n{SECOND}"\n'.encode()
    drafts, problems = read_all(written(tmp_path, "a.csv", b"title,artist,lyrics\n" + lost + after))
    assert [(draft.title, len(draft.lines)) for draft in drafts] == [("다", 2)]
    assert keys(problems) == [(2, "bad_row"), (5, "undecodable")]


# Plain text


def test_several_songs_in_one_text(tmp_path: Path) -> None:
    song = f"제목: 젖은 우산\n가수： 가짜 밴드\n앨범: 장마\n연도: 2019\n\n{FIRST}\n{SECOND}\n"
    text = f"---\n{song}\n=====\n\n{song}---\n머리말 없는 줄\n---\nTitle: 컵\nArtist: 나\n첫 줄\n작사: 아무개\n"
    drafts, problems = read_all(written(tmp_path, "songs.txt", text))
    assert drafts == [PLAIN, PLAIN, SongDraft("컵", "나", (LineDraft("첫 줄"), LineDraft("작사: 아무개")))]
    assert [key for _, key in keys(problems)] == ["title_missing", "artist_missing"]
    assert all(problem.line == text.splitlines().index("머리말 없는 줄") + 1 for problem in problems)


def test_a_problem_of_a_text_names_the_line_of_the_lyric(tmp_path: Path) -> None:
    drafts, problems = read_all(written(tmp_path, "나 - 컵.txt", f"{FIRST}\n{'물' * 400}\n"))
    assert (len(drafts), keys(problems)) == (1, [(2, "line_too_long")])


# LRC


def test_lrc_times(tmp_path: Path) -> None:
    text = (
        "[ti:컵]\n[ar:나]\n[offset:+500]\n작사: 아무개\n[00:10.00][00:01.25] 되풀이\n[00:05]<00:05.00>빈 <00:05.50> 컵\n"
        "이어진 줄\n[00:00.1]처음\n[00:07.00]\n[Chorus: 모두]\n[02:03:45]끝\n"
    )
    drafts, problems = read_all(written(tmp_path, "a.lrc", text))
    assert not problems
    assert [(line.text, line.start_ms) for line in drafts[0].lines] == [
        ("작사: 아무개", None),
        ("처음", 0),
        ("되풀이", 750),
        ("빈 컵", 4500),
        ("이어진 줄", None),
        ("되풀이", 9500),
        ("끝", 122_950),
    ]


def test_lrc_problems(tmp_path: Path) -> None:
    drafts, problems = read_all(written(tmp_path, "가 - 나.lrc", f"[offset:빨리]\n[00:01]{FIRST}\n[00:02]{'물' * 400}"))
    assert (len(drafts), keys(problems)) == (1, [(None, "bad_offset"), (3, "line_too_long")])
    drafts, problems = read_all(written(tmp_path, "이름.lrc", f"[00:01]{FIRST}"))
    assert keys(problems) == [(None, "title_missing"), (None, "artist_missing")]


# Encodings and files


def test_a_song_of_endless_rows_is_cut(tmp_path: Path) -> None:
    for text in ("물" * 301 + "\n") * 12_000, "[간주]\n" * 12_000:
        _, problems = read_all(written(tmp_path, "나 - 컵.txt", f"{FIRST}\n{text}"))
        assert keys(problems)[-1] == (10_001, "too_many_lines")


@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "utf-16-le-bom"])
def test_a_truncated_file_loses_its_last_line(tmp_path: Path, encoding: str, cut: int) -> None:
    bom, codec = ENCODINGS[encoding]
    text = f"제목: 젖은 우산\n가수: 가짜 밴드\n\n{FIRST}\n{SECOND}"
    drafts, problems = read_all(written(tmp_path, "a.txt", bom + text.encode(codec)[:-cut]))
    if codec == "utf-8" or cut == 1:
        assert [len(draft.lines) for draft in drafts] == [1]
        assert keys(problems) == [(5, "undecodable")]
    else:
        assert [len(draft.lines) for draft in drafts] == [2]


def test_a_truncated_file_longer_than_the_sample(tmp_path: Path) -> None:
    good = json.dumps(JSON_SONG, ensure_ascii=False)
    count = 3_000_000 // len(good.encode())
    for codec in ("utf-8", "cp949"):
        drafts, problems = read_all(written(tmp_path, "a.jsonl", "\n".join([good] * count).encode(codec) + b"\n\xb0"))
        assert drafts == [PLAIN] * count
        assert keys(problems) == [(count + 1, "undecodable")]


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x06\0\0\0\x1f\xf3\xffa" + bytes(range(256)) * 8


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [PNG, bytes(5000), "寂しい夜".encode("euc-jp") + b"\x80\xff", bytes(range(256))])
def test_a_binary_file_is_told(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = written(tmp_path, f"a - b{suffix}", content)
    drafts, problems = read_all(path)
    assert (drafts, keys(problems)) == ([], [(None, "unknown_encoding")])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_without_songs_is_told(tmp_path: Path, suffix: str) -> None:
    for content, key in ((b"", "empty_file"), (b" \n\n", "empty_file"), (codecs.BOM_UTF8, "no_songs")):
        drafts, problems = read_all(written(tmp_path, f"a - b{suffix}", content))
        assert not drafts
        assert [found for _, found in keys(problems)] in ([key], ["bad_header"])


def test_a_folder_is_read_in_order(tmp_path: Path) -> None:
    for name in ("b/2.txt", "b/1.txt", "a.txt", "c/d/e.TXT", ".hidden.txt", ".git/x.txt", "notes.md"):
        written(tmp_path, name, f"title: {name}\nartist: 나\n\n{FIRST}\n")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "folder.txt").mkdir()
    drafts, problems = read_all(tmp_path)
    assert [draft.title for draft in drafts] == ["a.txt", "b/1.txt", "b/2.txt", "c/d/e.TXT"]
    assert not problems


def test_what_is_named_directly(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "empty").mkdir()
    for path, key in (
        (written(tmp_path, "notes.md", FIRST), "unknown_kind"),
        (tmp_path / "pipe.txt", "not_a_file"),
        (tmp_path / "empty", "empty_folder"),
        (tmp_path / "gone.txt", "missing"),
        (tmp_path / "nul\0.txt", "missing"),
        (tmp_path / "\ud800.txt", "missing"),
    ):
        assert keys(read_all(path)[1]) == [(None, key)]
    assert len(read_all(written(tmp_path, ".hidden.jsonl", JSON_SONG))[0]) == 1


@pytest.fixture
def deep_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder below `tmp_path` deeper than Python calls may be nested, and than pytest's own clean-up can go."""
    folders = [tmp_path / "d"]
    for _ in range(1200):
        folders.append(folders[-1] / "d")
    for folder in folders:
        folder.mkdir()
    yield folders[-1]
    (folders[-1] / "a.jsonl").unlink(missing_ok=True)
    for folder in reversed(folders):
        folder.rmdir()


def test_folders_nested_deeper_than_calls_may_be(tmp_path: Path, deep_folder: Path) -> None:
    written(deep_folder, "a.jsonl", JSON_SONG)
    assert read_all(tmp_path) == ([PLAIN], [])


def test_folders_and_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "a/1.jsonl", JSON_SONG)
    written(tmp_path, "b/1.jsonl", JSON_SONG)
    written(tmp_path, "c.jsonl", JSON_SONG)
    scandir, open_file = os.scandir, Path.open

    def refuse_folder(path: Path) -> object:
        if path.name == "a":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    def refuse_file(self: Path, *arguments: str) -> object:
        if self.name == "c.jsonl":
            raise OSError(5, "Input/output error")
        return open_file(self, *arguments)

    monkeypatch.setattr(os, "scandir", refuse_folder)
    monkeypatch.setattr(Path, "open", refuse_file)
    drafts, problems = read_all(tmp_path)
    assert drafts == [PLAIN]
    assert [(problem.path.name, problem.key) for problem in problems] == [
        ("a", "songfiles.forbidden"),
        ("c.jsonl", "songfiles.unreadable"),
    ]


def test_a_file_that_vanishes_meanwhile(tmp_path: Path) -> None:
    written(tmp_path, "a.jsonl", JSON_SONG)
    gone = written(tmp_path, "b.jsonl", JSON_SONG)
    (tmp_path / "c.jsonl").symlink_to(tmp_path / "nowhere")
    found = read(tmp_path)
    assert next(found) == PLAIN
    gone.unlink()
    assert [item.key for item in found if isinstance(item, Problem)] == ["songfiles.missing"] * 2


def test_paths_and_values_are_told_in_printable_words(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xb0\xa1\x1b[31m.jsonl")
    (tmp_path / name).write_text(json.dumps({**JSON_SONG, "year": "\x1b[2J" + "9" * 500}))
    _, problems = read_all(tmp_path)
    assert [key for _, key in keys(problems)] == ["bad_year"]


# Sentences


def test_both_languages_have_the_same_sentences_and_values() -> None:
    names = {}
    for language in LANGUAGES:
        file = resources.files("bot.locales").joinpath(f"{language}.toml")
        table = tomllib.loads(file.read_text(encoding="utf-8"))["songfiles"]
        fields = {
            key: {name for _, name, _, _ in string.Formatter().parse(text) if name} for key, text in table.items()
        }
        names[language] = fields
    assert names["ko"] == names["en"]


# Properties

TEXTS = st.text(max_size=60).map(clean)
NAMES = TEXTS.filter(bool)
LYRICS = NAMES.filter(lambda text: not is_section_mark(text))
OPTIONAL_LABELS = st.none() | st.sampled_from(LABELS)
LINES = st.builds(LineDraft, LYRICS, st.none() | st.integers(0, 86_400_000), OPTIONAL_LABELS, OPTIONAL_LABELS)
# Sixteenths of a whole sum to exactly 1.
MIXTURES = (
    st.lists(st.integers(0, 16), min_size=3, max_size=3)
    .map(sorted)
    .map(
        lambda cuts: dict(
            zip(LABELS[:4], ((b - a) / 16 for a, b in zip([0, *cuts], [*cuts, 16], strict=True)), strict=True)
        )
    )
)
LINKS = st.from_regex(r"https?://[a-z]{1,20}\.example/[a-zA-Z0-9?=&%,;/-]{0,50}", fullmatch=True)
SONGS = st.builds(
    SongDraft,
    NAMES,
    NAMES,
    st.lists(LINES, min_size=1, max_size=8).map(tuple),
    st.none() | st.integers(1000, 2999),
    st.sampled_from(["ko", "en", "ja"]),
    st.none() | NAMES,
    st.dictionaries(st.sampled_from(["ko", "en"]), NAMES),
    st.none() | MIXTURES,
    st.lists(NAMES, max_size=4, unique=True).map(tuple),
    st.lists(LINKS, max_size=3, unique=True).map(tuple),
)
ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def as_json(song: SongDraft) -> dict[str, object]:
    lines = [
        {"text": line.text, "start_ms": line.start_ms, "label": line.label, "secondary": line.secondary}
        for line in song.lines
    ]
    stories = {f"story_{language}": story for language, story in song.story.items()}
    return {
        "title": song.title,
        "artist": song.artist,
        "year": song.year,
        "language": song.language,
        "genre": song.genre,
        "emotion": song.mixture,
        "themes": song.themes,
        "links": song.links,
        "lines": lines,
        **stories,
    }


@ONE_FOLDER
@given(st.lists(SONGS, min_size=1, max_size=5), st.booleans())
def test_songs_survive_json_lines(tmp_path: Path, songs: list[SongDraft], ascii_only: bool) -> None:
    text = "\n".join(json.dumps(as_json(song), ensure_ascii=ascii_only) for song in songs)
    assert read_all(written(tmp_path, "songs.jsonl", text)) == (songs, [])
    array = json.dumps([as_json(song) for song in songs], ensure_ascii=ascii_only)
    assert read_all(written(tmp_path, "songs.json", array)) == (songs, [])


@settings(ONE_FOLDER, max_examples=400)
@given(st.binary(max_size=400), st.sampled_from(SUFFIXES), st.sampled_from([bom for bom, _ in ENCODINGS.values()]))
@example(b'title,artist,line\n"', ".csv", b"")
@example(b"\0", ".txt", codecs.BOM_UTF16_LE)
def test_random_bytes_never_raise(tmp_path: Path, content: bytes, suffix: str, bom: bytes) -> None:
    drafts, problems = read_all(written(tmp_path, f"random - file{suffix}", bom + content))
    assert drafts or problems


PIECES = st.sampled_from(
    ["title,artist,line\n", "제목\t가수\t가사\n", ",", "\t", '"', "\n", "---\n", "제목: ", "Artist: ", "[00:01.00]", "[ti:", "[offset:", "]", "{",
     '{"title": "a", "artist": "b", "lines": [', "}", "[", "\0", "<00:01.00>", "\ud800", FIRST, "[Verse 1]", "1e999", '"emotion": {"anger": '],
) | st.text(max_size=5)  # fmt: skip


@settings(ONE_FOLDER, max_examples=400)
@given(st.lists(PIECES, max_size=30).map("".join), st.sampled_from(SUFFIXES), st.sampled_from(list(ENCODINGS)))
def test_broken_songs_never_raise(tmp_path: Path, text: str, suffix: str, encoding: str) -> None:
    bom, codec = ENCODINGS[encoding]
    errors = "replace" if codec == "cp949" else "surrogatepass"
    drafts, problems = read_all(written(tmp_path, f"broken - file{suffix}", bom + text.encode(codec, errors)))
    assert drafts or problems


@given(st.text())
def test_cleaning_again_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


# Streaming


def test_the_first_song_comes_before_the_rest_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", f"{json.dumps(JSON_SONG, ensure_ascii=False)}\n" * 20_000)
    found = read(path)
    assert next(found) == PLAIN
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({**JSON_SONG, "title": "뒤에 온 노래"}))
    assert [item.title for item in found if isinstance(item, SongDraft)][-1] == "뒤에 온 노래"


MEASURE = """
import resource, sys
from pathlib import Path
from bot.songfiles import read
found = read(Path(sys.argv[1]))
for _ in range(1000): next(found)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = 1000 + sum(1 for _ in found)
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("name", ["many.jsonl", "many.csv", "many.txt"])
def test_memory_stays_flat(tmp_path: Path, name: str) -> None:
    count = 200_000 if name == "many.jsonl" else 50_000
    song = {
        "many.jsonl": '{{"title": "노래 {0}", "artist": "나", "lines": ["' + FIRST + '", "' + SECOND + '"]}}\n',
        "many.csv": f"노래 {{0}},나,{FIRST}\n노래 {{0}},나,{SECOND}\n",
        "many.txt": f"제목: 노래 {{0}}\n가수: 나\n\n{FIRST}\n{SECOND}\n---\n",
    }[name]
    with (tmp_path / name).open("w", encoding="utf-8") as stream:
        stream.write("title,artist,line\n" if name == "many.csv" else "")
        stream.writelines(song.format(number) for number in range(count))
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", MEASURE, str(tmp_path / name)]
    output = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    songs, kilobytes = map(int, output.split())
    assert songs == count
    assert kilobytes < 4_000
