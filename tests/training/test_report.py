import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.vocabulary import Vocabulary
from training import facts, plots, report
from training.config import PRESETS
from training.measure import figures, reliability
from training.stage import StageError, Workshop, write_json, write_json_lines

LABELS = ("sadness", "denial", "anger", "indifference", "none")
WORDS = {
    "sadness": ["슬프다/VA", "눈물/NNG", "눈물/VV"],
    "denial": ["기다리다/VV", "재회/NNG"],
    "anger": ["배신/NNG"],
    "indifference": ["담담/XR"],
}
# (source, label, what the default reads, what the SVM reads)
READ = (
    ("message", "sadness", "sadness", "sadness"),
    ("message", "denial", "denial", "sadness"),
    ("message", "anger", "sadness", "anger"),
    ("line", "indifference", "indifference", "none"),
    ("line", "none", "none", "none"),
    ("line", "anger", "sadness", "sadness"),
    ("chatbot", "sadness", "denial", "sadness"),
)


@pytest.fixture
def made(shop: Workshop) -> Workshop:
    """A workshop in which all earlier stages have run, on a handful of rows."""
    _sources(shop)
    _words(shop)
    _dataset(shop)
    history = {"loss": [1.5, 1.1], "accuracy": [0.4, 0.6], "val_loss": [1.4, 1.2], "val_accuracy": [0.5, 0.55]}
    trained = {"history": history, "temperature": 1.234, "unsure_below": 0.321, "parameters": 98_765}
    write_json(shop.path("lstm", "default.json"), trained)
    write_json(shop.path("lstm", "paper.json"), {"history": history})
    write_json(shop.path("figures.json"), _figures())
    return shop


def _sources(shop: Workshop) -> None:
    there = {"home": "https://example.org/chatbot", "licence": "MIT", "origin": "folder", "missing": None}
    gone = {"home": "https://example.org/nsmc", "licence": "CC0", "origin": "folder"}
    why = f"{shop.corpora}/raw.tar.gz is not there"
    write_json(
        shop.path("fetch", "sources.json"),
        [
            {"name": "chatbot", **there, "paths": [f"{shop.corpora}/chatbot.csv"], "sha256": ["abc123"]},
            {"name": "nsmc", **gone, "missing": why, "paths": [], "sha256": []},
        ],
    )
    write_json(
        shop.path("corpus", "figures.json"),
        {
            "ours": {"sentences": 4321, "tokens": 54321, "duplicates": 3, "empty": 0},
            "chatbot": {"sentences": 1234, "tokens": 23456, "duplicates": 6, "empty": 1},
        },
    )


def _words(shop: Workshop) -> None:
    tokens = [token for listed in WORDS.values() for token in listed]
    Vocabulary(tokens, [9] * len(tokens)).write(shop.path("vectors", "vocabulary.txt"))
    vectors = np.random.default_rng(1).standard_normal((len(tokens), 8)).astype(np.float32)
    np.save(shop.path("vectors", "vectors.npy"), vectors)
    ours = {"사랑": {"행복": 0.712, "우정": 0.645}, "부정": {"모순": 0.748, "긍정": 0.683}, "무관심": {}}
    thesis = {"행복": 0.7, "미안": 0.635, "이별": 0.631}
    write_json(shop.path("vectors", "nearest.json"), {"ours": ours, "thesis_love": thesis})
    lists = {emotion: {token: 0.9 - 0.1 * n for n, token in enumerate(listed)} for emotion, listed in WORDS.items()}
    write_json(shop.path("dictionary.json"), lists)


def _dataset(shop: Workshop) -> None:
    counts = {source: dict.fromkeys(LABELS, 7) for source in ("chatbot", "line", "message")}
    write_json(
        shop.path("dataset_figures.json"),
        {
            "rows": {"train": counts, "validation": counts, "test": counts},
            "duplicates": {"dropped": 147, "with_another_label": 4},
            "left_out": {"train": 15, "validation": 1, "test": 0},
            "missing_sources": ["komuchat"],
        },
    )
    rows = [{"source": "message", "group": "messages_ko/01"}, {"source": "line", "group": "첫눈"}]
    write_json_lines(shop.path("dataset.jsonl"), iter(rows))


def _figures() -> dict[str, Any]:
    truth = [label for _, label, _, _ in READ]
    read = {
        "majority": ["sadness"] * len(READ),
        "dictionary": ["none"] * len(READ),
        "svm": [svm for _, _, _, svm in READ],
        "paper": ["denial"] * len(READ),
        "lstm": [default for _, _, default, _ in READ],
        "grams": [svm for _, _, _, svm in READ],
        "default": [default for _, _, default, _ in READ],
    }
    sure = np.full((len(READ), 5), 0.1)
    sure[range(len(READ)), [LABELS.index(label) for label in read["default"]]] = 0.6
    groups = {"all": range(len(READ))}
    groups |= {name: [n for n, row in enumerate(READ) if row[0] == name] for name in ("chatbot", "line", "message")}
    found: dict[str, Any] = {"test_rows": len(READ), "training_rows": 105}
    for method, labels in read.items():
        probabilities = {name: sure[list(places)] for name, places in groups.items()} if method == "default" else {}
        found[method] = {
            name: figures([truth[n] for n in places], [labels[n] for n in places], probabilities.get(name))
            for name, places in groups.items()
        }
    found["reliability"] = reliability(truth, sure)
    found["unsure"] = {"rows": 1, "share": 0.143, "accuracy_when_unsure": 0.25, "accuracy_when_sure": 0.875}
    return found


class _Text(HTMLParser):
    """The text of a page outside its styles, and whether every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag not in ("meta", "line", "polyline", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """Opens nothing."""

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("p", "li") or tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words += data.split()


def written(shop: Workshop) -> tuple[str, str]:
    """The text of the report, and the card."""
    report.run(shop)
    page = _Text()
    page.feed((shop.work / "report" / "report.html").read_text(encoding="utf-8"))
    assert page.open == []
    return " ".join(page.words), (shop.work / "report" / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_both_tell_every_figure(made: Workshop) -> None:
    told = _figures()
    numbers = {
        f"{100 * told[method][group]['accuracy']:.1f} %" for method in facts.METHODS for group in told["default"]
    }
    numbers |= {f"{told[method]['all']['macro_f1']:.3f}" for method in facts.METHODS}
    for found in told["default"]["all"]["classes"].values():
        numbers |= {f"{found[name]:.3f}" for name in ("precision", "recall", "f1")}
    numbers |= {f"{told['default']['all']['calibration_error']:.3f}", "14.3 %", "25.0 %", "87.5 %", "0.321", "98,765"}
    numbers |= {"4,321", "1,241", "1,234", "147", "0.712", "0.700", "0.635", "0.683"}
    for document in written(made):
        assert [number for number in sorted(numbers) if number not in document] == []


def test_both_say_which_sources_are_missing(made: Workshop) -> None:
    for document in written(made):
        assert "Missing in this run: nsmc" in document
        assert "missing in this run" in document


def test_neither_names_a_folder_of_the_machine(made: Workshop) -> None:
    report.run(made)
    for path in (made.work / "report").iterdir():
        written = path.read_text(encoding="utf-8")
        assert str(made.work.parent) not in written
        assert not re.search(r"(?<![\w.])/(?:tmp|home|work|root|Users)/", written)


def test_the_page_needs_nothing_from_elsewhere(made: Workshop) -> None:
    report.run(made)
    page = (made.work / "report" / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<(?:script|link|img|iframe)\b|@import|url\(", page)
    assert page.count("<svg") == page.count("</svg>") == 6
    for anchor in re.findall(r'href="#(\w+)"', page):
        assert f'id="{anchor}"' in page


def test_the_same_folder_gives_the_same_bytes(made: Workshop) -> None:
    report.run(made)
    first = {path.name: path.read_bytes() for path in (made.work / "report").iterdir()}
    report.run(made)
    assert {path.name: path.read_bytes() for path in (made.work / "report").iterdir()} == first
    assert set(first) == {"report.html", "MODEL_CARD.md"}


def test_the_card_begins_in_korean_and_its_tables_are_even(made: Workshop) -> None:
    _, card = written(made)
    assert "요약" in card.split("\n## ")[0]
    for table in re.findall(r"(?:^\|.*\n)+", card, re.MULTILINE):
        columns = {line.count("|") for line in table.splitlines()}
        assert len(columns) == 1 or "missing in this run" in table
        assert re.match(r"\|(?: [^|]*\|)+\n\|(?: -+:? \|)+\n", table)


def test_the_card_says_how_it_was_made_by_its_configuration(made: Workshop) -> None:
    _, card = written(made)
    assert "python -m training --config small" in card
    assert "| vectors | `dimensions` | 32 |" in card
    assert "bidirectional LSTM" in card  # the architecture, from network.py


def test_where_a_baseline_is_as_good_the_card_says_so(made: Workshop) -> None:
    _, card = written(made)
    assert (
        'Beside "TF-IDF + linear SVM": more accurate on our lyric lines; not on Chatbot_data (public) and our messages.'
        in card
    )
    assert "anger read as sadness: 2 of 2 rows (100.0 %)" in card
    assert "The weakest label is `anger` (F1 0.000)" in card


def test_a_stage_that_has_not_run_is_named(made: Workshop) -> None:
    (made.work / "figures.json").unlink()
    with pytest.raises(StageError, match="python -m training evaluate"):
        report.run(made)


@pytest.mark.parametrize("name", ["report.html.j2", "model_card.md.j2"])
def test_templates_come_with_the_package(name: str) -> None:
    assert (files("training") / "templates" / name).is_file()


def test_settings_are_words_and_numbers_not_python() -> None:
    told = [value for _, values in facts.settings(PRESETS["default"]) for _, value in values]
    assert "ours: 4; chatbot: 3; komuchat: 3; kote: 1; nsmc: 1" in told
    assert not any(character in value for value in told for character in "(){}[]='\"")


def test_margin_is_half_the_interval() -> None:
    assert facts.margin(0.5, 100) == pytest.approx(0.098)


def test_mistakes_are_counted_per_label() -> None:
    matrix = [[8, 2, 0, 0, 0], [0, 5, 0, 0, 0], [3, 0, 3, 0, 0], [0, 0, 0, 4, 0], [0, 0, 0, 0, 9]]
    first, second = facts.confused(matrix)
    assert first == {"truth": "anger", "read": "sadness", "rows": 3, "of": 6}
    assert second == {"truth": "sadness", "read": "denial", "rows": 2, "of": 10}


def test_a_word_is_read_in_parts_where_it_has_no_vector() -> None:
    found = facts.nearest({"ours": {"사랑": {}, "무관심": {}}, "thesis_love": {"행복": 0.7}})
    assert found["love"] == [("", None, "행복", 0.7)]
    assert found["asked"][0]["parts"] == ["무", "관심"]


def test_curves_stay_inside_their_frame() -> None:
    chart = plots.curves({"loss": [3.0, 1.0, 0.4], "val_loss": [2.0, 1.5, 1.7]}, "loss")
    assert [tick.text for tick in chart.x] == ["1", "2", "3"]
    for line in chart.lines:
        for point in line.points:
            assert chart.frame.left <= point.x <= chart.frame.width - chart.frame.right
            assert chart.frame.above <= point.y <= chart.frame.height - chart.frame.below
    heights = [point.y for point in chart.lines[0].points]
    assert heights == sorted(heights)  # a loss that falls goes down the page


def test_one_epoch_is_a_chart_too() -> None:
    assert len(plots.curves({"loss": [1.0], "val_loss": [1.0]}, "loss").lines[0].points) == 1


def test_labels_of_the_map_cover_neither_each_other_nor_points() -> None:
    random = np.random.default_rng(3)
    lists = {emotion: {f"{emotion[:3]}{n}/NNG": 0.9 for n in range(40)} for emotion in LABELS[:4]}
    vectors = {token: random.standard_normal(6) for listed in lists.values() for token in listed}
    found = plots.emotion_map(lists, vectors, labels=10)
    boxes = [
        (w.label.x - 7 * len(w.text), w.label.y - 8.5, w.label.x + 7 * len(w.text), w.label.y + 8.5)
        for w in found.words
        if w.label
    ]
    assert len(boxes) > 30
    for number, box in enumerate(boxes):
        assert not any(plots._covers(box, [(other[0] + 0.2, *other[1:])]) for other in boxes[:number])
        assert not any(box[0] < w.at.x < box[2] and box[1] < w.at.y < box[3] for w in found.words)
    assert found == plots.emotion_map(lists, vectors, labels=10)


def test_a_dictionary_of_two_words_has_no_map() -> None:
    lists: dict[str, dict[str, float]] = {emotion: {} for emotion in LABELS[:4]}
    assert plots.emotion_map({**lists, "sadness": {"a/NNG": 0.9}}, {"a/NNG": np.ones(3)}).words == ()


def test_both_are_written_below_the_work_folder(made: Workshop, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    report.run(made)
    assert {path.name for path in set(tmp_path.rglob("*")) - before} == {"report", "report.html", "MODEL_CARD.md"}
