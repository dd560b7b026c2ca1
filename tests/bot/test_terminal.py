"""What a person sees: answers drawn within the terminal's width, safe signs only, and the conversation around them."""

import io
import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from bot.answer import Answer, Suggestion, Why, corrected
from bot.conversation import Conversation
from bot.emotion import EMOTIONS, Emotion, Reading
from bot.locales import sentences
from bot.printable import printable
from bot.songs import LyricMatch, Passage, Song, Stats, search_links
from bot.terminal import FILLS, Screen, bar, clock, open_console
from bot.wording import address, readable_address, reading_sentence, why_sentence

SAD = (0.8, 0.1, 0.06, 0.038, 0.002)
LONG = "네가 두고 간 우산을 아직도 현관에 세워 두고 비가 오는 날이면 한 번씩 펼쳐 보는 버릇이 생겼어"


def reading(probabilities=SAD, *, unsure=False, tokens=("우산/NNG",)):
    return Reading(tuple(probabilities), unsure, (), tuple(tokens))


def song(number, **fields):
    title = fields.pop("title", f"노래 {number}")
    fields.setdefault("links", search_links(f"노래 {number}", "가수"))
    return Song(
        **{
            "id": number, "title": title, "artist": "가수", "year": 2001, "language": "ko", "genre": None,
            "source": "import", "story": {}, "themes": (), **fields,
        }
    )  # fmt: skip


def passage(number, text="비가 온다", *, is_story=False, feeling=SAD, start_ms=None):
    return Passage(number, number, is_story, 0 if is_story else 1, start_ms, text, feeling)


def suggestion(number, *texts, why=None, **fields):
    passages = tuple(passage(number, text) for text in texts or (LONG,))
    return Suggestion(song(number, **fields), passages, 0.9, why or Why(Emotion.SADNESS))


def story_suggestion(number):
    told = song(number, source="catalogue", story={"ko": "비 오는 날 혼자 걷는다.", "en": "Walking alone in rain."})
    return Suggestion(told, (passage(number, "비 오는 날 혼자 걷는다.", is_story=True),), 0.8, Why(Emotion.SADNESS))


ANSWER = Answer(
    reading(),
    (
        suggestion(1, LONG, "우산 하나", why=Why(Emotion.SADNESS, ("우산", "비"))),
        suggestion(2, "빈 방", why=Why(Emotion.SADNESS, related=("외롭다", "쓸쓸하다")), year=None),
        story_suggestion(3),
    ),
)


def shown(answer=ANSWER, *, width=80, language="ko", **console):
    stream = io.StringIO()
    options = {"color_system": None, "markup": False, "emoji": False, "highlight": False, **console}
    Screen(Console(file=stream, width=width, **options), sentences(language)).answer(answer)
    return stream.getvalue()


def test_an_answer_says_all_that_it_should():
    text = shown(width=100)
    assert "슬픔이 읽혀요." in text
    assert "█ 슬픔 80%" in text
    assert "해당 없음" not in text  # under 1 %
    assert "1  노래 1 — 가수 (2001)" in text
    assert f"“{LONG}”" in text
    assert "“우산 하나”" in text
    assert "‘우산’과 ‘비’라는 말이 함께 있고, 슬픔이 닿아 있어요." in text
    assert "‘외롭다’와 ‘쓸쓸하다’는 가까운 말이고, 슬픔이 닿아 있어요." in text
    assert "2  노래 2 — 가수\n" in text
    assert text.count("https://www.youtube.com/results?search_query=가수+노래+") == 3
    assert "melon" not in text


def test_a_story_is_no_lyric():
    text = shown()
    assert "이야기: 비 오는 날 혼자 걷는다." in text
    assert "“비 오는 날" not in text
    assert "The story: Walking alone in rain." in shown(language="en")


@pytest.mark.parametrize("width", [40, 60, 72, 100])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_an_answer_keeps_within_the_width(width, language):
    lines = shown(width=width, language=language).splitlines()
    assert all(line == line.rstrip() for line in lines)
    assert not [line for line in lines if cell_len(line) > width and "https://" not in line]


@pytest.mark.parametrize("width", [1, 2, 7, 20])
def test_no_width_is_too_narrow(width):
    assert "가수" in "".join(shown(width=width).split())


def test_wrapped_lines_hang_below_their_beginning():
    lines = shown(width=40).splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("   “네가"))
    assert lines[begin + 1].startswith("   ")
    assert not lines[begin + 1].startswith("    ")


@pytest.mark.parametrize("width", [1, 40, 48, 97])
def test_the_bar_is_whole(width):
    drawn = bar(SAD, width).plain
    assert len(drawn) == width
    assert drawn == "".join(sorted(drawn, key=[FILLS[one] for one in EMOTIONS].index))


def test_the_bar_reads_without_colour():
    assert len(set(FILLS.values())) == 5
    assert {FILLS[Emotion.SADNESS], FILLS[Emotion.DENIAL]} <= set(bar(SAD, 48).plain)


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5).filter(lambda one: sum(one) > 0.1), st.integers(1, 120))
def test_any_distribution_makes_a_bar(weights, width):
    assert len(bar([weight / sum(weights) for weight in weights], width).plain) == width


def test_percentages_sum_to_a_hundred():
    text = shown(Answer(reading((0.334, 0.333, 0.111, 0.111, 0.111)), ()))
    assert sum(int(number) for number in re.findall(r"(\d+)%", text)) == 100


def test_colours_are_those_of_the_emotion():
    text = shown(force_terminal=True, color_system="truecolor")
    assert "\x1b[38;2;91;141;239m" in text
    assert "\x1b]8;" in text  # a link to click


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1", "TERM": "xterm-256color"}, {"TERM": "dumb"}])
def test_plain_where_colours_are_not_wanted(environment, monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = io.StringIO()
    stream.isatty = lambda: True
    Screen(open_console(stream), sentences("ko")).answer(ANSWER)
    assert "\x1b" not in stream.getvalue()
    assert "█ 슬픔 80%" in stream.getvalue()


HOSTILE = "\x1b[31m빨강\x1b]0;title\x07 [bold]굵게[/bold] :smile: \x00\x9b2J\u202egnol\ud800\r\n{0} {word}"


def test_markup_and_control_signs_of_a_song_do_nothing():
    one = suggestion(1, HOSTILE, title=HOSTILE, artist=HOSTILE, links=(f"https://x.kr/{HOSTILE}",))
    text = shown(Answer(reading(), (one,)), force_terminal=True, color_system="truecolor", width=200)
    assert "[bold]굵게[/bold] :smile:" in text
    assert "{0} {word}" in text
    # What is left of escapes are our own styles and links.
    left = re.sub(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b\x07]*\x1b\\", "", text)
    assert not [c for c in left if unicodedata.category(c) in ("Cc", "Cs", "Cf") and c != "\n"]
    assert "\x07" not in text
    text.encode()


@given(st.text(st.characters(codec=None), max_size=40))
def test_printable_keeps_nothing_that_acts(text):
    safe = printable(text)
    assert all(c.isprintable() or c == "\u200d" for c in safe)
    assert printable(safe) == safe
    safe.encode()


def test_printable_composes_hangul_and_keeps_emoji():
    assert printable(unicodedata.normalize("NFD", "보고 싶다")) == "보고 싶다"
    assert printable("👩‍👧 ㅠㅠ\u3000끝") == "👩‍👧 ㅠㅠ 끝"


def test_links_are_readable_and_followable():
    link = search_links("각주 하나, 사실", "가수&밴드")[0]
    assert readable_address(link) == "https://www.youtube.com/results?search_query=가수%26밴드+각주+하나%2C+사실"
    assert address(link) == link
    assert address("https://x.kr/한 글\x1b") == "https://x.kr/%ED%95%9C%20%EA%B8%80%1B"
    assert readable_address("https://x.kr/%FF%ED") == "https://x.kr/%FF%ED"


@pytest.mark.parametrize(
    ("one", "feels", "expected"),
    [
        (reading(), None, "슬픔이 읽혀요."),
        (reading((0.1, 0.7, 0.1, 0.1, 0)), None, "놓지 못하는 마음이 읽혀요(부정)."),
        (reading((0.1, 0.1, 0.7, 0.1, 0)), None, "분노가 읽혀요."),
        (reading((0.1, 0.1, 0.1, 0.7, 0)), None, "담담함이 읽혀요(무관심)."),
        (reading((0, 0, 0, 0.1, 0.9)), None, "이별의 감정은 읽히지 않았어요."),
        (reading((0.4, 0.38, 0.1, 0.1, 0.02), unsure=True), None, "슬픔과 부정 사이로 읽혀요."),
        (reading((0.1, 0.02, 0.4, 0.38, 0.1), unsure=True), None, "분노와 무관심 사이로 읽혀요."),
        (reading((0.4, 0.1, 0.05, 0.05, 0.4), unsure=True), None, "슬픔이 비치지만"),
        (reading((0.05, 0.1, 0.35, 0.05, 0.45), unsure=True), None, "분노가 비치지만"),
        (reading((0.97, 0.01, 0.01, 0.01, 0), unsure=True), None, "슬픔이 비치지만"),
        (reading((0.02, 0.02, 0.01, 0.01, 0.94), unsure=True), None, "뚜렷이 읽지 못했어요."),
        (reading((0, 0, 0, 0, 1), unsure=True, tokens=()), None, "아직 읽을 수 있는 말이 없어요."),
        (reading(), Emotion.ANGER, "분노로 고쳐 읽고"),
        (reading(), Emotion.SADNESS, "슬픔으로 고쳐 읽고"),
        (reading(), Emotion.NONE, "이별의 감정은 아닌 것으로 고쳐 읽고"),
    ],
)
def test_a_reading_in_a_sentence(one, feels, expected):
    assert expected in reading_sentence(one, sentences("ko"), feels)
    assert reading_sentence(one, sentences("en"), feels)


def test_nothing_readable_shows_the_sentence_alone():
    text = shown(Answer(reading((0, 0, 0, 0, 1), unsure=True, tokens=()), ANSWER.suggestions))
    assert text == "아직 읽을 수 있는 말이 없어요. 지금 마음을 한 문장으로 적어 주세요.\n"


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("felt", [True, False])
@pytest.mark.parametrize("make", [suggestion, story_suggestion])
@pytest.mark.parametrize(
    "why", [Why(Emotion.ANGER, ("우산",)), Why(Emotion.ANGER, related=("비", "눈")), Why(Emotion.ANGER)]
)
def test_every_why_has_a_sentence(language, felt, make, why):
    one = Suggestion(make(1).song, make(1).passages, 0.5, why)
    say = sentences(language)
    text = why_sentence(one, reading() if felt else reading((0, 0, 0, 0.1, 0.9)), say)
    assert (say("emotion.anger") in text) is felt, "no feeling is named where none was read"
    assert all(word in text for word in (*why.shared, *(why.related or ())))


def test_found_lines_are_marked():
    match = LyricMatch(song(1), passage(1, "빈 정류장에 서 있어", start_ms=62_000), ((2, 5),))
    for color, expected in ((None, "빈 «정류장»에"), ("standard", "정류장\x1b[0m에")):
        stream = io.StringIO()
        console = Console(file=stream, width=80, color_system=color, force_terminal=True, markup=False)
        Screen(console, sentences("ko")).found([match])
        assert expected in stream.getvalue()
        assert "1번째 줄, 01:02" in stream.getvalue()


def test_stats_are_told():
    stream = io.StringIO()
    stats = Stats({"original": 3, "catalogue": 2, "import": 1}, dict.fromkeys(map(str, EMOTIONS), 1200), 2)
    Screen(Console(file=stream, width=80), sentences("ko")).stats(stats, "x.db")
    assert "노래 6곡, 가사 6,000줄, 이야기 2개" in stream.getvalue()
    assert "가져온 노래 1" in stream.getvalue()


@pytest.mark.parametrize(("milliseconds", "expected"), [(0, "00:00"), (62_999, "01:02"), (6_000_000, "100:00")])
def test_clock(milliseconds, expected):
    assert clock(milliseconds) == expected


class FakeAnswerer:
    """Has nine songs, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    async def answer(self, message, *, count=3, seed, recent=frozenset(), avoided=(), feels=None):
        assert seed >= 0
        self.asked.append((message, set(recent), set(avoided), feels))
        one = reading() if feels is None else corrected(reading(), feels)
        free = [number for number in range(1, 10) if number not in avoided]
        return Answer(one, tuple(suggestion(number) for number in free[:count]))


class Talk:
    def __init__(self, language="ko"):
        self.answerer, self._stream = FakeAnswerer(), io.StringIO()
        console = Console(file=self._stream, width=100, color_system=None, markup=False)
        self._conversation = Conversation(self.answerer, Screen(console, sentences(language)))
        self.goes_on = True

    async def say(self, line):
        self._stream.truncate(self._stream.seek(0))
        self.goes_on = await self._conversation.hear(line)
        return self._stream.getvalue()


@pytest.fixture
def talk():
    return Talk()


async def test_a_line_is_answered(talk):
    assert "슬픔이 읽혀요." in await talk.say("  보고 싶다 \n")
    assert talk.answerer.asked == [("보고 싶다", set(), set(), None)]


@pytest.mark.parametrize("more", ["더", "more", "More", "/더", "/more", unicodedata.normalize("NFD", "더"), "더!"])
async def test_more_gives_other_songs_for_the_same_message(talk, more):
    await talk.say("보고 싶다")
    text = await talk.say(more)
    assert "노래 4" in text
    assert "노래 1" not in text
    assert talk.answerer.asked[1] == ("보고 싶다", {1, 2, 3}, {1, 2, 3}, None)


async def test_songs_shown_step_back_for_the_next_message(talk):
    await talk.say("보고 싶다")
    await talk.say("화가 난다")
    assert talk.answerer.asked[1] == ("화가 난다", {1, 2, 3}, set(), None)


async def test_more_starts_again_when_every_song_was_shown(talk):
    await talk.say("보고 싶다")
    for _ in range(2):
        await talk.say("더")
    text = await talk.say("더")
    assert "처음부터 다시 골랐어요" in text
    assert "노래 1" in text


@pytest.mark.parametrize(
    ("name", "emotion"),
    [
        ("슬픔", Emotion.SADNESS),
        ("부정", Emotion.DENIAL),
        ("분노", Emotion.ANGER),
        ("무관심", Emotion.INDIFFERENCE),
        ("관조", Emotion.INDIFFERENCE),
        ("무관심(관조)", Emotion.INDIFFERENCE),
        ("해당 없음", Emotion.NONE),
        ("없음", Emotion.NONE),
        ("none", Emotion.NONE),
        ("Anger", Emotion.ANGER),
        (" indifference ", Emotion.INDIFFERENCE),
        (unicodedata.normalize("NFD", "슬픔"), Emotion.SADNESS),
    ],
)
async def test_the_reading_is_corrected(talk, name, emotion):
    await talk.say("보고 싶다")
    assert "고쳐 읽고" in await talk.say(f"/emotion {name}")
    await talk.say("더")
    assert [asked[3] for asked in talk.answerer.asked] == [None, emotion, emotion]


async def test_a_correction_is_of_one_message(talk):
    for line in ("보고 싶다", "/emotion 분노", "괜찮다"):
        await talk.say(line)
    assert talk.answerer.asked[-1][3] is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("더", "먼저 지금 마음을"),
        ("/emotion 분노", "먼저 지금 마음을"),
        ("/help", "/emotion 분노"),
        ("/foo bar", "/foo라는 명령은 없어요."),
        ("/", "명령은 없어요."),
        ("/\x1b[31m[bold]" + "x" * 500, "명령은 없어요."),
        ("", ""),
        (" \t\u3000", ""),
    ],
)
async def test_lines_that_are_no_message(talk, line, expected):
    text = await talk.say(line)
    assert expected in text
    assert bool(expected) == bool(text)
    assert "\x1b" not in text
    assert talk.goes_on
    assert talk.answerer.asked == []


@pytest.mark.parametrize("name", ["", "기쁨", "[red]"])
async def test_an_unknown_emotion_gets_the_names(talk, name):
    await talk.say("보고 싶다")
    assert "슬픔, 부정, 분노, 무관심, 해당 없음" in await talk.say(f"/emotion {name}")


async def test_quit_leaves(talk):
    await talk.say("/quit")
    assert not talk.goes_on


async def test_it_speaks_english():
    talk = Talk("en")
    assert "This reads as sadness." in await talk.say("보고 싶다")
    assert "4" in await talk.say("more")


def test_a_song_of_ours_says_that_there_are_only_words():
    first, *others = ANSWER.suggestions
    ours = replace(first, song=replace(first.song, source="original", year=None))
    assert "1  노래 1 — 가수 (노랫말)\n" in shown(replace(ANSWER, suggestions=(ours, *others)))
