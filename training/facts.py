"""What the report and the model card tell: the files of the earlier stages, brought together, no figure made up."""

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.emotion import EMOTIONS, FEELINGS
from bot.text import form, morphemes
from bot.vocabulary import FIRST, Vocabulary
from training.config import Config
from training.stage import Workshop, read_json, read_json_lines

KOREAN = {"sadness": "슬픔", "denial": "부정", "anger": "분노", "indifference": "무관심", "none": "해당 없음"}
MEANINGS = {
    "sadness": "The writer grieves: misses, hurts, is lonely, regrets, blames themselves, cannot cope.",
    "denial": "The writer does not accept that it is over: clings, begs, waits, hopes for a return, checks on the ex.",
    "anger": "The writer resents: accuses, feels betrayed, curses, is fed up, wishes that the other suffered.",
    "indifference": "The writer is detached or at peace: ends it calmly, has moved on, is relieved, wishes well.",
    "none": "No breakup feeling: everyday talk, questions of fact, happy love. Ours, not the paper's.",
}
METHODS = {
    "majority": "Most frequent label",
    "dictionary": "Emotion dictionary, counted",
    "svm": "TF-IDF + linear SVM",
    "paper": "The paper's LSTM",
    "lstm": "E-byul's LSTM alone",
    "grams": "E-byul's n-grams alone",
    "default": "E-byul",
}
NETWORKS = {"default": "E-byul’s LSTM", "paper": "The paper’s LSTM"}
GROUPS = {
    "all": "all",
    "chatbot": "Chatbot_data (public)",
    "komuchat": "KOMUChat (public)",
    "message": "our messages",
    "line": "our lyric lines",
    "pair": "our word pairs",
}
WRITTEN = {
    "chatbot": "Korean questions and answers for a chatbot",
    "komuchat": "Korean community posts, each with its first comment",
    "kote": "Korean online comments (its validation and test files)",
    "nsmc": "Naver film reviews, the text alone",
    "ours": "Songs, messages and word pairs written and labelled for this project",
}
# What of network.py tells a reader how the default network reads.
_ARCHITECTURE = ("Hybrid", "lstm_network")
_NAMED = (ast.ClassDef, ast.FunctionDef)
# The paper asks these; the thesis behind it names what a general embedding answered to two of them.
GENERAL = {"부정": "긍정", "무관심": "사생활"}


def gather(shop: Workshop) -> dict[str, Any]:
    """All that both documents show, by name."""
    figures = read_json(shop.made_by("evaluate", "figures.json"))
    dataset = read_json(shop.made_by("dataset", "dataset_figures.json"))
    lists = read_json(shop.made_by("dictionary", "dictionary.json"))
    trained = {name: read_json(shop.made_by("lstm", "lstm", f"{name}.json")) for name in ("default", "paper")}
    vocabulary, vectors = _vectors(shop)
    read_sources = sources(shop, dataset["rows"])
    return {
        "config": shop.config,
        "settings": settings(shop.config),
        "architecture": architecture(),
        "names": {"emotions": KOREAN, "methods": METHODS, "networks": NETWORKS, "groups": GROUPS, "meanings": MEANINGS},
        "emotions": [emotion.value for emotion in EMOTIONS],
        "feelings": [emotion.value for emotion in FEELINGS],
        "sources": read_sources,
        "missing": [source["name"] for source in read_sources if source["missing"]],
        "writers": _writers(shop),
        "vocabulary": len(vocabulary) - FIRST,
        "nearest": nearest(read_json(shop.made_by("vectors", "vectors", "nearest.json"))),
        "lists": {emotion: _shown(lists[emotion]) for emotion in FEELINGS},
        "sizes": {emotion: len(lists[emotion]) for emotion in FEELINGS},
        "dictionary": lists,
        "vectors": _of(lists, vocabulary, vectors),
        "dataset": dataset,
        "training": trained,
        "figures": figures,
        "methods": [name for name in METHODS if name in figures],
        "groups": [name for name in GROUPS if name in figures["default"]],
        "margins": {name: margin(found["accuracy"], found["rows"]) for name, found in figures["default"].items()},
        "best": best(figures),
        "beaten": {name: _beaten(figures, name) for name in METHODS if name in figures and name != "default"},
        "confused": confused(figures["default"]["all"]["confusion"]),
        "weakest": weakest(figures["default"]),
    }


def sources(shop: Workshop, labelled: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[dict[str, Any]]:
    """Every source: where it is from, its licence, how much was read and labelled; a missing one says so.

    Why it is missing is not said: that sentence names folders of the machine.
    """
    read = read_json(shop.made_by("corpus", "corpus", "figures.json"))
    by_source = Counter[str]()
    for side in labelled.values():
        for source, counts in side.items():
            name = source if source in WRITTEN else "ours"
            by_source[name] += sum(counts.values())
    ours: dict[str, Any] = {
        "name": "ours",
        "home": "training/data",
        "licence": "MIT, as this project",
        "missing": None,
        "sha256": [],
    }
    return [
        {
            **{key: entry[key] for key in ("name", "home", "licence", "sha256")},
            "what": WRITTEN.get(entry["name"], ""),
            "missing": bool(entry["missing"]),
            "labelled": by_source[entry["name"]],
            **_read(read.get(entry["name"], {})),
            "weight": shop.config.corpus.weights.get(entry["name"], 1),
        }
        for entry in (*read_json(shop.made_by("fetch", "fetch", "sources.json")), ours)
    ]


def nearest(found: Mapping[str, Any]) -> dict[str, Any]:
    """The words nearest to 사랑 beside the thesis', and those nearest to the emotions beside a general embedding's."""
    ours, thesis = found["ours"], found["thesis_love"]
    love = list(ours["사랑"].items())
    pairs = [(*_at(love, rank), *_at(list(thesis.items()), rank)) for rank in range(max(len(love), len(thesis)))]
    asked = [
        {
            "word": word,
            "near": list(near.items()),
            "parts": [form(token) for token in morphemes(word)],
            "general": GENERAL.get(word),
            "rank": list(near).index(GENERAL[word]) + 1 if GENERAL.get(word) in near else None,
        }
        for word, near in ours.items()
        if word != "사랑"
    ]
    return {"love": pairs, "shared": [word for word in thesis if word in ours["사랑"]], "asked": asked}


def settings(config: Config) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every number of the configuration: (block, [(name, value)])."""
    blocks = [("run", [("config", config.name), ("seed", str(config.seed))])]
    for field in fields(config):
        block = getattr(config, field.name)
        if is_dataclass(block) and not isinstance(block, type):
            blocks.append((field.name, [(name, _told(value)) for name, value in asdict(block).items()]))
    return blocks


def architecture() -> list[str]:
    """What network.py says of the default network, a paragraph each: read from its text, TensorFlow takes seconds."""
    tree = ast.parse(Path(__file__).with_name("network.py").read_text(encoding="utf-8"))
    said = {node.name: ast.get_docstring(node) or "" for node in tree.body if isinstance(node, _NAMED)}
    return [" ".join(part.split()) for name in _ARCHITECTURE for part in said[name].split("\n\n")]


def margin(accuracy: float, rows: int) -> float:
    """Half of the 95 % interval of an accuracy (normal approximation): what chance alone may change."""
    return 1.96 * sqrt(accuracy * (1 - accuracy) / rows)


def best(figures: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The best accuracy and macro-F1 of each group over all methods."""
    return {
        group: {
            figure: max(figures[method][group][figure] for method in METHODS if method in figures)
            for figure in ("accuracy", "macro_f1")
        }
        for group in figures["default"]
    }


def confused(matrix: Sequence[Sequence[int]], count: int = 4) -> list[dict[str, Any]]:
    """The most frequent mistakes: of the rows of one label, how many are read as another."""
    mistakes: list[dict[str, Any]] = [
        {"truth": truth.value, "read": read.value, "rows": cells[column], "of": sum(cells)}
        for truth, cells in zip(EMOTIONS, matrix, strict=True)
        for column, read in enumerate(EMOTIONS)
        if read != truth and cells[column]
    ]
    return sorted(mistakes, key=lambda mistake: -mistake["rows"])[:count]


def weakest(groups: Mapping[str, Any]) -> dict[str, Any]:
    """The label with the least F1 and the source with the least accuracy."""
    classes = groups["all"]["classes"]
    label = min(classes, key=lambda name: classes[name]["f1"])
    parts = [name for name in groups if name != "all"]
    group = min(parts, key=lambda name: groups[name]["accuracy"])
    return {"label": label, "f1": classes[label]["f1"], "group": group, "accuracy": groups[group]["accuracy"]}


def _beaten(figures: Mapping[str, Any], method: str) -> dict[str, list[str]]:
    """Sources in which the default is more accurate than a method, and those in which it is not."""
    ahead = {
        group: figures["default"][group]["accuracy"] > figures[method][group]["accuracy"]
        for group in GROUPS
        if group in figures["default"] and group != "all"
    }
    return {"ahead": [name for name in ahead if ahead[name]], "behind": [name for name in ahead if not ahead[name]]}


def _read(figures: Mapping[str, int]) -> dict[str, int]:
    kept = figures.get("sentences", 0)
    return {
        "texts": kept + figures.get("duplicates", 0) + figures.get("empty", 0),
        "sentences": kept,
        "tokens": figures.get("tokens", 0),
    }


def _writers(shop: Workshop) -> dict[str, int]:
    """How many files of messages, songs and key words of pairs the labelled rows of ours come from."""
    groups: dict[str, set[str]] = {"message": set(), "line": set(), "pair": set()}
    for row in read_json_lines(shop.made_by("dataset", "dataset.jsonl")):
        groups.get(row["source"], set()).add(row["group"])
    return {source: len(names) for source, names in groups.items()}


def _shown(words: Mapping[str, float], count: int = 5) -> list[tuple[str, float]]:
    """The best words of a list as they are shown, each once, whatever its parts of speech."""
    shown: dict[str, float] = {}
    for token, near in words.items():
        shown.setdefault(form(token), near)
    return list(shown.items())[:count]


def _vectors(shop: Workshop) -> tuple[Vocabulary, NDArray[np.floating]]:
    vocabulary = Vocabulary.read(shop.made_by("vectors", "vectors", "vocabulary.txt"))
    return vocabulary, np.load(shop.made_by("vectors", "vectors", "vectors.npy"), mmap_mode="r")


def _of(
    lists: Mapping[str, Mapping[str, float]], vocabulary: Vocabulary, vectors: NDArray[np.floating]
) -> dict[str, NDArray[np.floating]]:
    """The vectors of the dictionary's words, which all stand in the vocabulary."""
    tokens = [token for emotion in FEELINGS for token in lists[emotion]]
    return dict(zip(tokens, vectors[np.array(vocabulary.ids(tokens), int) - FIRST], strict=True))


def _at(pairs: Sequence[tuple[str, float]], rank: int) -> tuple[str, float | None]:
    return pairs[rank] if rank < len(pairs) else ("", None)


def _told(value: Any) -> str:
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_told(inner)}" for name, inner in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(_told, value))
    return str(value)
