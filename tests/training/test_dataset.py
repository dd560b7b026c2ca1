from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.emotion import Emotion
from bot.text import clean
from training import dataset, fetch
from training.config import SplitConfig
from training.dataset import Row, near_duplicates, read, side_of, targets
from training.stage import StageError, Workshop, read_json

Put = Callable[[str, str], Path]
HEADER = "text\tlabel\tsecondary\n"


def message(text: str, label: Emotion = Emotion.NONE) -> Row:
    return Row(text, label, None, "message", "messages_ko/01")


def on_side(side: str, like: str = "오늘은 {}번째로 긴 하루였다") -> str:
    """A text that the hash puts on this side."""
    texts = (like.format(number) for number in range(1_000))
    return next(text for text in texts if side_of(message(text), SplitConfig()) == side)


@pytest.mark.usefixtures("ours", "public")
def test_all_sources_are_joined_with_their_labels(shop: Workshop) -> None:
    dataset.run(shop)
    rows = {row.text: row for row in read(shop)}
    assert len(rows) == 11
    assert rows["네가 없는 첫눈이 온다"] == Row(
        "네가 없는 첫눈이 온다", Emotion.SADNESS, Emotion.NONE, "line", "첫눈", None,
        side=rows["버스가 지나간다"].side,
    )  # fmt: skip
    assert rows["보고싶다 진짜"].group == "messages_ko/01"
    assert (rows["먼저 연락해 볼까"].group, rows["먼저 연락해 볼까"].kind) == ("연락", "message")
    again = rows['다시 "만날" 수\n있을까']
    assert (again.label, again.secondary, again.group) == (Emotion.DENIAL, Emotion.SADNESS, "2")
    assert rows["진짜 나쁜 놈"].label == Emotion.ANGER


@pytest.mark.usefixtures("ours")
def test_without_public_sources_ours_remain_and_the_figures_say_so(shop: Workshop) -> None:
    fetch.fetch([], replace(shop, corpora=None))
    dataset.run(shop)
    assert {row.source for row in read(shop)} == {"message", "line", "pair"}
    assert read_json(shop.work / "dataset_figures.json")["missing_sources"] == ["chatbot", "komuchat"]


@pytest.mark.usefixtures("public")
def test_rows_stay_on_their_side_when_others_come(shop: Workshop, ours: Path, put: Put) -> None:
    texts = [f"{number}번째 날의 {'가나다라마바사아자차'[number % 10] * 2} 이야기" for number in range(60)]
    put("ours/messages_ko/02.tsv", HEADER + "".join(f"{text}\tnone\t\n" for text in texts[:30]))
    dataset.run(shop)
    before = {row.text: row.side for row in read(shop)}
    put("ours/messages_ko/00.tsv", HEADER + "".join(f"{text}\tanger\t\n" for text in reversed(texts)))
    dataset.run(shop)
    after = {row.text: row.side for row in read(shop)}
    measuring = {text: side for text, side in before.items() if side != "train"}
    assert measuring and measuring.items() <= after.items()
    assert all(after.get(text, side) == side for text, side in before.items())


@pytest.mark.usefixtures("public")
def test_a_song_and_a_keyword_are_on_one_side(shop: Workshop, ours: Path) -> None:
    dataset.run(shop)
    for source in ("line", "pair"):
        groups: dict[str, set[str]] = {}
        for row in read(shop):
            if row.source == source:
                groups.setdefault(row.group, set()).add(row.side)
        assert groups and all(len(sides) == 1 for sides in groups.values())


@pytest.mark.usefixtures("public")
def test_duplicates_are_dropped_and_conflicts_counted(shop: Workshop, ours: Path, put: Put) -> None:
    put("ours/messages_ko/02.tsv", HEADER + "보고싶다  진짜\tdenial\t\n점심 뭐 먹지\tnone\t\n")
    dataset.run(shop)
    assert [row.label for row in read(shop) if row.text.startswith("보고싶다")] == [Emotion.SADNESS]
    assert read_json(shop.work / "dataset_figures.json")["duplicates"] == {"dropped": 2, "with_another_label": 1}


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(("measuring", "left"), [("test", "train"), ("test", "validation"), ("validation", "train")])
def test_what_is_nearly_a_measuring_row_is_left_out(
    shop: Workshop, ours: Path, put: Put, measuring: str, left: str
) -> None:
    kept = on_side(measuring, "그날 밤 바닷가에서 들은 말을 아직도 잊지 못하고 있어 {}")
    dropped = on_side(left, "그날 밤 바닷가에서 들은 말을 아직도 잊지 못하고 있어 {}")
    put("ours/messages_ko/02.tsv", f"{HEADER}{dropped}\tsadness\t\n{kept}\tsadness\t\n")
    dataset.run(shop)
    texts = {row.text: row.side for row in read(shop)}
    assert texts[kept] == measuring and dropped not in texts
    assert read_json(shop.work / "dataset_figures.json")["left_out"][left] == 1


def test_near_duplicates_agree_with_the_definition() -> None:
    def grams(text: str) -> set[str]:
        padded = f" {clean(text)} "
        return {padded[i : i + 3] for i in range(len(padded) - 2)}

    random = np.random.default_rng(1)
    texts = ["".join(random.choice(list("가나다"), random.integers(1, 9))) for _ in range(200)]
    others = texts[:5] + ["".join(random.choice(list("가나라"), random.integers(1, 9))) for _ in range(60)]
    expected = [any(len(grams(a) & grams(b)) / len(grams(a) | grams(b)) >= 0.6 for b in others) for a in texts]
    assert near_duplicates(texts, others, 0.6).tolist() == expected
    assert not near_duplicates(texts, [], 0.6).any()


def test_soft_targets() -> None:
    rows = [message("가", Emotion.ANGER), replace(message("나", Emotion.SADNESS), secondary=Emotion.NONE)]
    found = targets(rows, secondary_weight=0.3, smoothing=0.0)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0, 0, 1.0, 0, 0], [0.7, 0, 0, 0, 0.3]], atol=1e-7)
    smooth = targets(rows, secondary_weight=0.3, smoothing=0.1)
    np.testing.assert_allclose(smooth.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(smooth[0], [0.02, 0.02, 0.92, 0.02, 0.02], atol=1e-6)
    assert targets([], 0.3, 0.1).shape == (0, 5)


@pytest.mark.parametrize(
    ("name", "text", "line", "says"),
    [
        ("messages_ko/09.tsv", HEADER + "좋아\tnone\t\n슬퍼\tsad\t\n", 3, 'unknown label "sad"'),
        ("messages_ko/09.tsv", HEADER + "슬퍼\t\t\n", 2, "unknown label"),
        ("messages_ko/09.tsv", HEADER + "슬퍼\tsadness\tgrief\n", 2, 'unknown label "grief"'),
        ("messages_ko/09.tsv", HEADER + "슬퍼\tsadness\tsadness\n", 2, "both"),
        ("messages_ko/09.tsv", HEADER + " \u200b\tsadness\t\n", 2, "text is empty"),
        ("messages_ko/09.tsv", HEADER + "슬퍼\tsadness\n", 2, "2 columns, there must be 3"),
        ("messages_ko/09.tsv", HEADER + "좋아\tnone\t\n\n슬퍼\tsadness\t\n", 3, "1 columns"),
        ("messages_ko/09.tsv", "label\ttext\n", 1, "columns must be text, label, secondary"),
        ("pairs_ko/09.tsv", "keyword\ttext\tlabel\tsecondary\tkind\n못\t못 가\tdenial\t\tsong\n", 2, 'kind "song"'),
        ("songs_ko/09.jsonl", '{"title": "끝", "lines": []}\n{"title": "끝"\n', 2, "not JSON"),
        ("songs_ko/09.jsonl", '{"title": "끝"}\n', 1, "a title and lines"),
        ("songs_ko/09.jsonl", '{"title": "끝", "lines": [["가", "none"], ["나"]]}\n', 1, "its line 2"),
        ("songs_ko/09.jsonl", '{"title": "끝", "lines": [["가", "rage"]]}\n', 1, 'unknown label "rage"'),
        ("annotations/songys-Chatbot_data.tsv", "row\temotion\tsecondary\n0\tnone\t\n3\tnone\t\n", 3, "no row 3"),
        ("annotations/songys-Chatbot_data.tsv", "row\temotion\tsecondary\n1\tnone\t\n1\tanger\t\n", 3, "twice"),
        ("annotations/songys-Chatbot_data.tsv", "row\temotion\tsecondary\n-1\tnone\t\n", 2, "number of a row"),
    ],
)
@pytest.mark.usefixtures("public")
def test_a_bad_row_is_named_by_file_and_line(
    shop: Workshop, ours: Path, put: Put, name: str, text: str, line: int, says: str
) -> None:
    path = put(f"ours/{name}", text)
    with pytest.raises(StageError) as error:
        dataset.run(shop)
    assert str(error.value).startswith(f"{path}, line {line}")
    assert says in str(error.value)


@pytest.mark.usefixtures("public")
def test_a_file_in_another_encoding_is_named(shop: Workshop, ours: Path) -> None:
    (ours / "messages_ko/09.tsv").write_bytes(HEADER.encode() + "슬퍼\tsadness\t\n".encode("cp949"))
    with pytest.raises(StageError, match=r"09\.tsv, line 2: this is not UTF-8"):
        dataset.run(shop)


@pytest.mark.usefixtures("public")
def test_windows_line_ends_and_a_byte_order_mark_are_fine(shop: Workshop, ours: Path) -> None:
    (ours / "messages_ko/09.tsv").write_bytes(
        b"\xef\xbb\xbf" + f"{HEADER}다 끝났네\tanger\t\n".replace("\n", "\r\n").encode()
    )
    dataset.run(shop)
    assert "다 끝났네" in {row.text for row in read(shop)}


@pytest.mark.usefixtures("ours")
def test_it_says_which_stage_comes_first(shop: Workshop) -> None:
    with pytest.raises(StageError, match="python -m training fetch"):
        dataset.run(shop)
    with pytest.raises(StageError, match="python -m training dataset"):
        read(shop)


def test_our_own_data_has_no_bad_row(shop: Workshop) -> None:
    fetch.fetch([], replace(shop, corpora=None))
    dataset.run(shop)
    rows = read(shop)
    assert {row.side for row in rows} == {"train", "validation", "test"}
    assert {row.label for row in rows} == set(Emotion)
