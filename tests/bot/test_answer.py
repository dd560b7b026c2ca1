from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from bot.answer import Answer, Answerer, Why, corrected
from bot.bundle import Bundle
from bot.emotion import EMOTIONS, FEELINGS, Emotion, Reader, Reading
from bot.indexing import Indexer
from bot.match import Weights
from bot.meaning import Meanings
from bot.songfiles import LineDraft, SongDraft
from bot.songs import Songs

MESSAGES = [
    "나만 빼고 다 잘 지내는 것 같아",
    "보고 싶다 ㅠㅠ",
    "어떻게 나한테 이럴 수가 있어 진짜 화나",
    "제발 돌아와 못 보내겠어",
    "이제 다 정리했어. 잘 지내",
    "점심 뭐 먹지",
]
HOSTILE = [
    "",
    " ",
    "가" * 6_000,
    "보고 싶다 " * 1_200,
    "💔😭🥀" * 200,
    "\u1112\u1166\u110b\u1165\u110c\u1167\u11bb\u1103\u1161",
    "\u200b\u200d\ufeff",
    "\ud800 보고 싶다 \udfff",
    "\x00보고\x00 싶다",
    "さよなら",
    "لا أستطيع نسيانك",
    "'; DROP TABLE songs; --",
    '" OR 1=1 NEAR(',
    "||**__~~`보고 싶다`~~__**||",
    "<@1><#2><:a:3> https://example.com",
    "\n".join("보고 싶다" for _ in range(300)),
]


@pytest.fixture
async def of(
    tmp_path: Path, bundle: Bundle, reader: Reader, meanings: Meanings, weights: Weights
) -> AsyncIterator[Callable[..., object]]:
    """Makes an answerer over an index of the given songs."""
    opened: list[Songs] = []

    async def make(songs: Sequence[SongDraft], source: str = "import") -> Answerer:
        index = await Songs.open(tmp_path / f"{len(opened)}.db", weights)
        opened.append(index)
        await Indexer(index, reader, meanings, bundle.manifest.fingerprint).add(songs, source)
        return Answerer(reader, meanings, index, weights)

    yield make
    for songs in opened:
        await songs.close()


def titles(answer: Answer) -> list[str]:
    return [one.song.title for one in answer.suggestions]


def ids(answer: Answer) -> list[int]:
    return [one.song.id for one in answer.suggestions]


def mean_feeling(answer: Answer, emotion: Emotion) -> float:
    """How much of an emotion the passages of an answer have."""
    place = EMOTIONS.index(emotion)
    found = [passage.feeling[place] for one in answer.suggestions for passage in one.passages]
    return sum(found) / len(found)


@pytest.mark.parametrize("message", MESSAGES)
async def test_a_message_gets_three_songs_with_a_line_or_two_or_a_story(answerer: Answerer, message: str) -> None:
    for seed in range(5):
        answer = await answerer.answer(message, seed=seed)
        assert len(set(ids(answer))) == 3
        for one in answer.suggestions:
            assert one.song.links
            assert 1 <= len(one.passages) <= 2
            assert all(passage.song == one.song.id for passage in one.passages)
            assert -1 <= one.score <= 1.01
            if one.passages[0].is_story:
                assert one.passages[0].text in one.song.story.values()


async def test_a_story_song_never_shows_a_line(answerer: Answerer) -> None:
    kinds = set()
    for seed in range(30):
        for one in (await answerer.answer("헤어진 사람을 기다린다", seed=seed)).suggestions:
            kinds.add(one.song.source)
            if one.song.source == "catalogue":
                assert one.lines == ()
                assert len(one.passages) == 1
                assert one.passages[0].is_story
            else:
                assert one.lines == one.passages
    assert kinds == {"original", "catalogue"}


async def test_answers_have_both_kinds_of_song(answerer: Answerer) -> None:
    both = 0
    for message in MESSAGES:
        answer = await answerer.answer(message, seed=1)
        both += {bool(one.lines) for one in answer.suggestions} == {True, False}
    assert both >= len(MESSAGES) / 2


@pytest.mark.parametrize("count", [1, 3, 20])
async def test_there_are_as_many_songs_as_asked_for(answerer: Answerer, count: int) -> None:
    assert len((await answerer.answer("보고 싶다", count=count, seed=1)).suggestions) == count


async def test_the_same_arguments_give_the_same_answer(answerer: Answerer) -> None:
    for message in MESSAGES:
        first = await answerer.answer(message, seed=7, recent={1, 2}, avoided=[3])
        assert await answerer.answer(message, seed=7, recent={1, 2}, avoided=[3]) == first


async def test_other_seeds_bring_other_songs(answerer: Answerer) -> None:
    answers = [ids(await answerer.answer("보고 싶다", seed=seed)) for seed in range(30)]
    assert len({tuple(one) for one in answers}) >= 10


async def test_songs_shown_lately_step_back(answerer: Answerer) -> None:
    first = await answerer.answer("보고 싶다", seed=1)
    second = await answerer.answer("보고 싶다", seed=1, recent=set(ids(first)))
    assert not set(ids(first)) & set(ids(second))


async def test_avoided_songs_never_come(answerer: Answerer) -> None:
    seen: list[int] = []
    for seed in range(10):
        answer = await answerer.answer("보고 싶다", seed=seed, avoided=seen)
        assert len(answer.suggestions) == 3
        assert not set(seen) & set(ids(answer))
        seen += ids(answer)


async def test_where_every_song_is_avoided_there_is_none(of: Callable) -> None:
    answerer = await of([SongDraft("하나", "가수", (LineDraft("보고 싶다"),))])
    (only,) = (await answerer.answer("보고 싶다", seed=1)).suggestions
    assert (await answerer.answer("보고 싶다", seed=1, avoided=[only.song.id])).suggestions == ()


async def test_an_empty_index_gives_a_reading_without_songs(of: Callable) -> None:
    answer = await (await of([])).answer("보고 싶다", seed=1)
    assert answer.suggestions == ()
    assert answer.reading.tokens


async def test_a_song_of_which_every_line_fits_leaves_room_for_others(of: Callable) -> None:
    same = SongDraft("후렴뿐", "가수", tuple(LineDraft("보고 싶다 보고 싶다") for _ in range(450)))
    others = [SongDraft(f"노래 {n}", "가수", (LineDraft(f"{n}월에도 네가 그립다"),)) for n in range(5)]
    answer = await (await of([same, *others])).answer("보고 싶다", seed=1)
    assert len(set(ids(answer))) == 3


async def test_a_line_is_answered_with_the_song_it_stands_in(of: Callable) -> None:
    lines = ["우산을 두고 온 날", "기차를 놓친 새벽", "바다에 던진 반지", "회사에 떠도는 소문"]
    answerer = await of([SongDraft(line[:2], "가수", (LineDraft(line),)) for line in lines])
    for line in lines:
        assert titles(await answerer.answer(line, count=1, seed=3)) == [line[:2]]


@pytest.mark.parametrize("feels", FEELINGS)
async def test_what_a_person_says_they_feel_moves_the_answer_there(answerer: Answerer, feels: Emotion) -> None:
    for message in MESSAGES[:3]:
        read = await answerer.answer(message, seed=1)
        told = await answerer.answer(message, seed=1, feels=feels)
        assert told.reading.emotion is feels
        assert not told.reading.unsure
        assert told.reading.tokens == read.reading.tokens
        assert mean_feeling(told, feels) > 0.5
        assert mean_feeling(told, feels) >= mean_feeling(read, feels) - 0.1


async def test_a_person_may_say_they_feel_nothing_of_the_kind(answerer: Answerer) -> None:
    answer = await answerer.answer("보고 싶다", seed=1, feels=Emotion.NONE)
    assert answer.reading.emotion is Emotion.NONE
    assert len(answer.suggestions) == 3


def test_a_corrected_reading_is_still_a_distribution() -> None:
    reading = Reading((0.1, 0.2, 0.4, 0.2, 0.1), unsure=True, words=(("배신", Emotion.ANGER),), tokens=("배신/NNG",))
    told = corrected(reading, Emotion.DENIAL)
    assert told.probabilities == pytest.approx((0.02, 0.84, 0.08, 0.04, 0.02))
    assert (told.words, told.tokens, told.unsure) == (reading.words, reading.tokens, False)


async def test_why_names_the_words_that_stand_in_both(of: Callable) -> None:
    answerer = await of(
        [SongDraft("하나", "가수", (LineDraft("네 우산을 들고 정류장에 서서 우는 나", label="sadness"),))]
    )
    (one,) = (await answerer.answer("우산이랑 정류장만 봐도 울어", seed=1)).suggestions
    assert one.why == Why(Emotion.SADNESS, ("우산", "정류장"))


async def test_why_names_two_words_that_are_related(of: Callable) -> None:
    answerer = await of([SongDraft("하나", "가수", (LineDraft("아빠의 겨울", label="sadness"),))])
    (one,) = (await answerer.answer("엄마가 우산을", seed=1)).suggestions
    assert one.why == Why(Emotion.SADNESS, (), ("엄마", "아빠"))


async def test_why_names_no_words_that_have_nothing_to_do_with_each_other(of: Callable) -> None:
    answerer = await of([SongDraft("하나", "가수", (LineDraft("우산"),))])
    (one,) = (await answerer.answer("부장", seed=1)).suggestions
    assert (one.why.shared, one.why.related) == ((), None)


async def test_why_relates_no_word_that_was_read_through_its_characters(of: Callable) -> None:
    answerer = await of([SongDraft("하나", "가수", (LineDraft("한정판이래"),))])
    (one,) = (await answerer.answer("영감탱이", seed=1)).suggestions
    assert (one.why.shared, one.why.related) == ((), None)


async def test_why_never_names_a_word_that_says_little(answerer: Answerer) -> None:
    for message in MESSAGES:
        for one in (await answerer.answer(message, seed=2)).suggestions:
            named = {*one.why.shared, *(one.why.related or ())}
            assert not named & {"하다", "되다", "있다", "나", "너", "것", "ㅠㅠ", "!", "는"}
            assert len(one.why.shared) <= 2
            assert one.why.feeling in FEELINGS


@pytest.mark.parametrize("message", HOSTILE)
async def test_any_text_gets_an_answer(answerer: Answerer, message: str) -> None:
    answer = await answerer.answer(message, seed=1)
    assert len(set(ids(answer))) == 3
    assert sum(answer.reading.probabilities) == pytest.approx(1, abs=1e-6)


async def test_the_index_is_as_it_was_after_hostile_texts(answerer: Answerer) -> None:
    before = await answerer.songs.stats()
    for message in HOSTILE:
        await answerer.answer(message, seed=1)
    assert await answerer.songs.stats() == before
