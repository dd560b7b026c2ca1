import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.bundle import Bundle
from bot.emotion import EMOTIONS, FEELINGS, Emotion, Reader, Reading
from bot.text import morphemes
from bot.vocabulary import UNKNOWN

TEXTS = [
    "우리 헤어져 보자",
    "보고 싶다",
    "",
    "나만 빼고 다 잘 지내는 것 같아 그래서 더 서러워",
    "ㅠㅠ",
    "진짜 어떻게 나한테 이럴 수가 있어?!",
    "이제 정말 괜찮아. 담담하게 정리했어. 잘 지내길 바라.",
    "💔",
    "보고 싶다 " * 70,
    "난 못 헤어져 나를 떠나면 안돼",
]
# What nobody wrote for the model: it gets a reading all the same.
STRANGE = [
    "",
    " ",
    "\x00\x00",
    "\ud800\udfff\ud83d",
    "\u200b\u200d\ufeff",
    "ㅠ" * 6_000,
    "가" * 6_001,
    "💔😭🥀" * 50,
    "さよならだけが人生だ",
    "Я скучаю по тебе",
    "لا أستطيع نسيانك",
    "ไปแล้ว",
    "'; DROP TABLE songs; --",
    "||**__~~`스포일러`~~__**||",
    "<@1> <:sad:2> https://example.com",
    "\u1112\u1166\u110b\u1165\u110c\u1167\u11bb\u1103\u1161",
    "͓̽".join("헤어졌다"),
    "뷁뛟쀍",
]


def one(reader: Reader, text: str) -> Reading:
    (reading,) = reader.read([text])
    return reading


def test_the_golden_examples_are_read_as_training_read_them(reader: Reader, bundle: Bundle) -> None:
    golden = bundle.golden()
    assert len(golden) >= 20
    readings = reader.read([example["text"] for example in golden])
    for example, reading in zip(golden, readings, strict=True):
        assert list(reading.tokens) == example["tokens"]
        assert bundle.words.ids(reading.tokens) == example["ids"]
        assert reading.probabilities == pytest.approx(example["probabilities"], abs=1e-5), example["text"]


@pytest.mark.parametrize(
    ("text", "emotion"),
    [("우리 헤어져 보자", Emotion.INDIFFERENCE), ("난 못 헤어져 나를 떠나면 안돼", Emotion.DENIAL)],
)
def test_the_pair_of_the_article_is_told_apart(reader: Reader, text: str, emotion: Emotion) -> None:
    assert one(reader, text).emotion is emotion


@pytest.mark.parametrize("text", [*TEXTS, *STRANGE])
def test_every_text_gets_a_distribution(reader: Reader, text: str) -> None:
    reading = one(reader, text)
    assert len(reading.probabilities) == len(EMOTIONS)
    assert min(reading.probabilities) >= 0
    assert sum(reading.probabilities) == pytest.approx(1, abs=1e-6)
    assert reading.of(reading.emotion) == max(reading.probabilities)


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(exclude_categories=[]), max_size=80))
def test_no_text_is_too_strange(reader: Reader, text: str) -> None:
    assert sum(one(reader, text).probabilities) == pytest.approx(1, abs=1e-6)


def test_a_text_reads_the_same_alone_and_among_others(reader: Reader) -> None:
    together = reader.read(TEXTS * 3)
    for text, reading in zip(TEXTS * 3, together, strict=True):
        alone = one(reader, text)
        assert reading.probabilities == pytest.approx(alone.probabilities, abs=1e-5)
        assert (reading.words, reading.tokens) == (alone.words, alone.tokens)


def test_readings_come_in_the_order_of_the_texts(reader: Reader) -> None:
    backwards = reader.read(TEXTS[::-1])
    assert [reading.tokens for reading in backwards] == [tuple(morphemes(text)) for text in TEXTS[::-1]]
    assert reader.read([]) == []


def test_more_texts_of_one_length_than_a_run_takes_are_all_read(reader: Reader) -> None:
    readings = reader.read(["보고 싶다", "헤어지자"] * 300)
    assert len(readings) == 600
    assert readings[-2].probabilities == pytest.approx(readings[0].probabilities, abs=1e-5)
    assert readings[-1].probabilities == pytest.approx(readings[1].probabilities, abs=1e-5)


@pytest.mark.parametrize("text", ["", "   ", "\u200b", "\u3164", "https://example.com", "<@123>"])
def test_where_nothing_can_be_read_it_is_none_and_unsure(reader: Reader, text: str) -> None:
    reading = one(reader, text)
    assert reading.emotion is Emotion.NONE
    assert reading.of(Emotion.NONE) == 1
    assert reading.unsure
    assert reading.words == reading.tokens == ()


@pytest.mark.parametrize("text", ["ⴰⵣⵓⵍ ⴼⵍⵍⴰⵡⵏ", "ᏙᎾᏓᎪᎲᎢ"])
def test_where_no_sign_is_known_it_is_unsure(reader: Reader, bundle: Bundle, text: str) -> None:
    assert set(bundle.words.ids(morphemes(text))) == {UNKNOWN}
    assert one(reader, text).unsure


def test_some_readings_are_sure(reader: Reader) -> None:
    assert not all(reading.unsure for reading in reader.read(TEXTS))


def test_a_long_text_is_read_in_windows_of_about_one_length(reader: Reader, bundle: Bundle) -> None:
    tokens, found = reader._encoder.encode("네가 없는 방에 혼자 앉아 비가 오는 소리를 들었다. " * 12)
    lengths = [len(window.words) for window in found]
    assert len(tokens) > bundle.manifest.window
    assert sum(lengths) == len(bundle.words.ids(tokens))
    assert max(lengths) <= bundle.manifest.window
    assert min(lengths[:-1]) > bundle.manifest.window / 2


def test_every_part_of_a_long_text_counts(reader: Reader, bundle: Bundle) -> None:
    plain = "오늘은 도서관에서 책을 빌리고 점심을 먹고 버스를 탔다. "
    angry = "배신자 진짜 화나고 짜증나 증오해 꺼져 나쁜 놈. "
    length = bundle.manifest.window
    rows = [plain * 12, angry * 3 + plain * 9, plain * 5 + angry * 3 + plain * 4, plain * 9 + angry * 3]
    assert all(len(morphemes(row)) > 3 * length for row in rows)
    without, *withs = (reading.of(Emotion.ANGER) for reading in reader.read(rows))
    assert min(withs) > without + 0.05


def test_a_text_of_several_feelings_is_read_by_what_it_ends_on(reader: Reader) -> None:
    sad = "눈물이 나고 너무 슬프고 보고 싶고 그립고 외로워서 매일 밤 울었다. " * 3
    angry = "배신자 진짜 화나고 짜증나 증오해 꺼져 나쁜 놈아 용서 못 해. " * 3
    first, last = reader.read([angry + sad, sad + angry])
    assert last.of(Emotion.ANGER) > first.of(Emotion.ANGER)
    assert last.of(Emotion.SADNESS) < first.of(Emotion.SADNESS)


def test_the_words_of_the_dictionary_are_named_once_and_in_order(reader: Reader, bundle: Bundle) -> None:
    reading = one(reader, "눈물이 나. 너무 슬프다. 배신이야. 눈물이 또 나")
    found = dict(reading.words)
    assert list(found) == ["눈물", "슬프다", "배신"]
    assert found["눈물"] is found["슬프다"] is Emotion.SADNESS
    assert found["배신"] is Emotion.ANGER


def test_a_text_without_such_words_names_none(reader: Reader) -> None:
    assert one(reader, "버스 정류장").words == ()


def test_the_dictionary_names_feelings_only(bundle: Bundle) -> None:
    assert set(bundle.dictionary.values()) <= {emotion.value for emotion in FEELINGS}


def test_composed_and_decomposed_hangul_read_the_same(reader: Reader) -> None:
    composed, decomposed = reader.read(["헤어졌다", "\u1112\u1166\u110b\u1165\u110c\u1167\u11bb\u1103\u1161"])
    assert composed.tokens == decomposed.tokens
    assert composed.probabilities == pytest.approx(decomposed.probabilities, abs=1e-6)


def test_a_reading_can_be_asked_for_one_outcome() -> None:
    reading = Reading((0.1, 0.2, 0.4, 0.2, 0.1), unsure=False, words=(), tokens=())
    assert reading.emotion is Emotion.ANGER
    assert [reading.of(emotion) for emotion in EMOTIONS] == [0.1, 0.2, 0.4, 0.2, 0.1]


def test_the_model_is_fed_no_padding(reader: Reader) -> None:
    _, (window,) = reader._encoder.encode("보고 싶다")
    assert 0 not in window.words
    (row,) = reader.probabilities([window])
    assert np.allclose(row, one(reader, "보고 싶다").probabilities, atol=1e-5)
