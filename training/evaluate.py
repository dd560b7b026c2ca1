"""All methods on the test split, side by side: whole, by source, by class, with confusion and calibration."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.bundle import open_bundle
from bot.emotion import EMOTIONS, Reader
from training import baselines, batches, dataset, lstm
from training.dataset import Row
from training.measure import figures, reliability
from training.stage import StageError, Workshop, read_json, write_json


class _Predictions(NamedTuple):
    labels: list[str]
    probabilities: NDArray[np.floating] | None = None
    unsure: NDArray[np.bool_] | None = None


def run(shop: Workshop) -> None:
    """Writes `figures.json`: method → source → figures, then the default's reliability and what it calls unsure."""
    rows = dataset.read(shop)
    training = [row for row in rows if row.side == "train"]
    test = [row for row in rows if row.side == "test"]
    if not test:
        raise StageError("The dataset has no test rows: run `python -m training dataset` again.")
    predictions = _predict(shop, training, test)
    found: dict[str, Any] = {"test_rows": len(test), "training_rows": len(training)}
    for method, predicted in predictions.items():
        found[method] = {name: _figures(test, predicted, chosen) for name, chosen in sources(test).items()}
        print(f"{method:10}", *(f"{name} {each['accuracy']:.3f}" for name, each in found[method].items()))
    found["reliability"] = reliability([row.label for row in test], _sure(predictions["default"]))
    found["unsure"] = _unsure(test, predictions["default"])
    write_json(shop.path("figures.json"), found)


def sources(rows: Sequence[Row]) -> dict[str, list[int]]:
    """Name → places of the rows it holds: all of them, then every source."""
    names = dict.fromkeys(row.source for row in rows)
    return {
        "all": list(range(len(rows))),
        **{name: [place for place, row in enumerate(rows) if row.source == name] for name in sorted(names)},
    }


def _predict(shop: Workshop, training: Sequence[Row], test: Sequence[Row]) -> dict[str, _Predictions]:
    lists = read_json(shop.made_by("dictionary", "dictionary.json"))
    texts = [row.text for row in test]
    paper = lstm.paper_probabilities(shop, texts)
    return {
        "majority": _Predictions(baselines.majority(training, test)),
        "dictionary": _Predictions(baselines.count_dictionary(lists, test)),
        "svm": _Predictions(baselines.support_vectors(training, test, shop.config.seed)),
        "paper": _Predictions(_labels(paper), paper),
        **_branches(shop, test),
        "default": _read(shop, texts),
    }


def _read(shop: Workshop, texts: Sequence[str]) -> _Predictions:
    """As the bot will read: the exported network, the windows, the calibration, and what it calls unsure."""
    bundle = open_bundle(shop.made_by("export", "bundle", "manifest.json").parent)
    readings = Reader(bundle).read(texts)
    return _Predictions(
        [reading.emotion.value for reading in readings],
        np.array([reading.probabilities for reading in readings]),
        np.array([reading.unsure for reading in readings]),
    )


def _branches(shop: Workshop, test: Sequence[Row]) -> dict[str, _Predictions]:
    """The two halves of the default, each alone."""
    readable = batches.readable(lstm.encoder(shop), test)
    places = {id(row): place for place, row in enumerate(test)}
    found = {}
    for name, read in zip(("lstm", "grams"), lstm.branches(lstm.load(shop, masked=True), readable), strict=True):
        probabilities = np.tile(np.eye(len(EMOTIONS))[-1], (len(test), 1))  # `none` where nothing can be read
        probabilities[[places[id(row)] for row in readable.rows]] = read
        found[name] = _Predictions(_labels(probabilities), probabilities)
    return found


def _labels(probabilities: NDArray[np.floating]) -> list[str]:
    return [EMOTIONS[number].value for number in probabilities.argmax(axis=1)]


def _figures(rows: Sequence[Row], predicted: _Predictions, places: Sequence[int]) -> dict[str, Any]:
    return figures(
        [rows[place].label for place in places],
        [predicted.labels[place] for place in places],
        None if predicted.probabilities is None else predicted.probabilities[list(places)],
    )


def _sure(predicted: _Predictions) -> NDArray[np.floating]:
    assert predicted.probabilities is not None
    return predicted.probabilities


def _unsure(rows: Sequence[Row], predicted: _Predictions) -> dict[str, float]:
    """How many readings are called unsure, and how often they and the others are right."""
    assert predicted.unsure is not None
    unsure = predicted.unsure
    right = np.array([row.label == label for row, label in zip(rows, predicted.labels, strict=True)])
    return {
        "rows": int(unsure.sum()),
        "share": float(unsure.mean()),
        "accuracy_when_unsure": float(right[unsure].mean()) if unsure.any() else 0.0,
        "accuracy_when_sure": float(right[~unsure].mean()) if (~unsure).any() else 0.0,
    }
