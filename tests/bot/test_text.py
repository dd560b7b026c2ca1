import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.text import LONGEST, clean, content, form, morphemes, pieces, spans, telling

# Everything that one step of the cleaning looks for, so that Hypothesis soon puts two of them side by side.
_SIGNS = (
    "<>@!&#:a1_*`|. …?!~,;ㅠㅜㅋ가각e/ᄀ\u1161\u11a8\u200b\ufe0f\U0001f3fb\ud83d\ude2d\udc00\x00\u3164\u3000\ufeff"
    "\u0301\u2026\u0378\ue000\U0001f62d\u1160\uff1c\uff1e\uff0a\uffa0\ufffd＠：https://www."
)
_ANYTHING = st.text(st.characters(exclude_categories=[]), max_size=60)
_HARD = st.one_of(st.text(st.sampled_from(_SIGNS), max_size=16), _ANYTHING)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (unicodedata.normalize("NFD", "보고 싶다"), "보고 싶다"),
        ("보\u200b고\u200d \ufeff싶\u2060다", "보고 싶다"),
        ("\ud83d보고\udc00 싶다\ud800", "보고 싶다"),
        ("\ud83d\ude2d", "😭"),  # a pair of surrogates is the emoji it stands for
        ("보고\x00 싶다\x07", "보고 싶다"),
        ("보고\u3164\u115f싶다\uffa0", "보고 싶다"),
        ("ｂｙｅ　１２！", "bye 12!"),
        ("보고\r\n\r\n\t싶다", "보고 싶다"),
        ("<@123> <@!123> <@&5> <#77> 보고 싶다", "보고 싶다"),
        ("보고 싶다 <:sad:123> <a:crying_cat:456>", "보고 싶다"),
        ("<t:1700000000:R> 헤어졌다 </playlist add:99>", "헤어졌다"),
        ("들어 봐 https://example.com/a?b=1#c 이 노래", "들어 봐 이 노래"),
        ("들어 봐 WWW.example.com", "들어 봐"),
        ("**보고** __싶다__ ~~정말~~ ||너|| `안녕`", "보고 싶다 ~정말~ 너 안녕"),
        ("ㅠㅠㅠㅠ", "ㅠㅠ"),
        ("ㅜㅜㅜㅜㅜ", "ㅠㅠ"),
        ("ㅋㅋㅋㅋㅋ", "ㅋㅋ"),
        ("ㅠ", "ㅠ"),
        ("아아아아아", "아아"),
        ("진짜!!!! 왜????", "진짜! 왜?"),
        ("그래서....", "그래서…"),
        ("그래서……", "그래서…"),
        ("💔💔💔", "💔"),
        ("❤️👋🏽", "❤👋"),
        ("3 < 5 > 1", "3 < 5 > 1"),
        ("", ""),
        (" \n\u200b\x00 ", ""),
    ],
)
def test_a_text_is_read_without_what_only_looks(written: str, read: str) -> None:
    assert clean(written) == read


def test_a_very_long_text_is_cut_at_the_same_place_however_its_hangul_is_composed() -> None:
    long = "헤어진 지 사흘 됐다. " * 900
    assert len(clean(long)) <= LONGEST < len(long)
    assert clean(unicodedata.normalize("NFD", long)) == clean(long)
    assert spans(clean(long))[-1].end <= LONGEST


@example("<@@1>")
@example("a\ue000\u0301")
@example("ａ\u0301")
@example("\u0958" * 10)
@example("\u0344" * LONGEST)
@settings(max_examples=400, deadline=None)
@given(_HARD)
def test_cleaning_twice_is_cleaning_once(written: str) -> None:
    cleaned = clean(written)
    assert clean(cleaned) == cleaned
    assert cleaned.isprintable()
    assert cleaned == cleaned.strip() == unicodedata.normalize("NFC", cleaned)


@settings(max_examples=400, deadline=None)
@given(_HARD)
def test_spans_lie_in_the_cleaned_text_in_order_and_leave_out_only_blanks(written: str) -> None:
    cleaned = clean(written)
    end = 0
    for span in spans(cleaned):
        assert end <= span.start < span.end <= len(cleaned)
        assert not cleaned[end : span.start].strip()
        assert span.tokens
        end = span.end
    assert not cleaned[end:].strip()


@settings(max_examples=200, deadline=None)
@given(_HARD)
def test_every_token_is_a_form_and_a_part_of_speech(written: str) -> None:
    for token in morphemes(written):
        word, slash, tag = token.rpartition("/")
        assert word and slash and tag
        assert not any(blank in token for blank in " \t\n")
        assert form(token) == word


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("헤어졌다못가지마안돼너를나는울었어보고싶지않아요 ㅠㅋ!?é"), max_size=30))
def test_composed_and_decomposed_give_the_same_tokens(written: str) -> None:
    assert morphemes(unicodedata.normalize("NFD", written)) == morphemes(unicodedata.normalize("NFC", written))


@pytest.mark.parametrize(
    ("written", "tokens"),
    [
        ("우리 헤어져 보자", ["우리/NP", "헤어지다/VV", "어/E", "보다/VX", "자/E"]),
        ("나를 떠나면", ["나/NP", "를/JKO", "떠나다/VV", "면/E"]),
        ("예쁜 너", ["예쁘다/VA", "ㄴ/ETM", "너/NP"]),
        ("내가", ["내/NP", "가/JKS"]),
    ],
)
def test_words_are_in_dictionary_form(written: str, tokens: list[str]) -> None:
    assert morphemes(written) == tokens


@pytest.mark.parametrize(
    ("written", "negation"),
    [
        ("못 헤어져", "못/MAG"),
        ("안 울어", "안/MAG"),
        ("안돼", "안/MAG"),
        ("울지 않아", "않다/VX"),
        ("울지 못해", "못하다/VX"),
        ("떠나지 마", "말다/VX"),
    ],
)
def test_negation_is_a_token(written: str, negation: str) -> None:
    assert negation in morphemes(written)


@pytest.mark.parametrize(
    ("written", "ending"),
    [
        ("헤어지자", "자/E"),
        ("떠나지 마", "지/E"),
        ("다시 만날까", "ㄹ까/E"),
        ("울더라", "더라/E"),
        ("보고 싶지", "고/E"),
    ],
)
def test_endings_are_tokens(written: str, ending: str) -> None:
    assert ending in morphemes(written)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("먹었어", "갔어", "었/EP"),
        ("먹었어", "잡았어", "었/EP"),
        ("먹었어", "했어", "었/EP"),
        ("먹었어", "예뻤어", "었/EP"),
        ("먹어요", "잡아요", "어요/E"),
        ("먹어서", "잡아서", "어서/E"),
        ("먹으면", "가면", "면/E"),
        ("먹을까", "갈까", "ㄹ까/E"),
        ("우산은", "나는", "는/JX"),
        ("사랑을", "너를", "를/JKO"),
        ("사람이", "네가", "가/JKS"),
        ("산으로", "바다로", "로/JKB"),
    ],
)
def test_spellings_that_differ_only_by_the_sound_before_them_are_one_token(one: str, other: str, shared: str) -> None:
    assert shared in morphemes(one)
    assert shared in morphemes(other)


@pytest.mark.parametrize(
    ("written", "tokens"),
    [
        ("ㅠㅠㅠㅠ", ["ㅠㅠ/IC"]),
        ("ㅜㅜ", ["ㅠㅠ/IC"]),
        ("ㅋㅋㅋ", ["ㅋㅋ/IC"]),
        ("왜???", ["왜/MAG", "?/SF"]),
        ("!!!", ["!/SF"]),
        ("😭💔", ["😭/SY", "💔/SY"]),
        ("LOVE Love", ["love/SL", "love/SL"]),
        ("", []),
    ],
)
def test_cries_and_signs_are_tokens(written: str, tokens: list[str]) -> None:
    assert morphemes(written) == tokens


def test_numbers_are_one_token_whatever_their_value() -> None:
    assert morphemes("300일")[0] == morphemes("7일")[0] == "0/SN"


def test_a_span_holds_all_the_morphemes_of_a_contraction() -> None:
    cleaned = clean("난 갔어")
    assert [(cleaned[span.start : span.end], span.tokens) for span in spans(cleaned)] == [
        ("난", ("나/NP", "는/JX")),
        ("갔", ("가다/VV", "었/EP")),
        ("어", ("어/E",)),
    ]


def test_the_parts_of_a_word_are_its_characters() -> None:
    assert pieces("빡치다/VV") == ["빡/+", "치/+", "다/+"]
    assert pieces("//SY") == ["//+"]


def test_only_words_with_a_meaning_of_their_own_are_worth_naming() -> None:
    tokens = morphemes("나는 비가 오는 날 우산을 두고 왔다 ㅠㅠ")
    assert [form(token) for token in tokens if telling(token)] == ["비", "우산"]
    assert "ㅠㅠ/IC" in [token for token in tokens if content(token)]
    assert "를/JKO" not in [token for token in tokens if content(token)]
