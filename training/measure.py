"""Figures of predictions against labels: accuracy, macro-F1, per class, confusion, calibration error."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from bot.emotion import EMOTIONS

_BINS = 10


def figures(
    truth: Sequence[str], predicted: Sequence[str], probabilities: NDArray[np.floating] | None
) -> dict[str, Any]:
    """The figures of one method on one set of rows; `probabilities` is (rows, 5) or None where a method has none."""
    labels = [emotion.value for emotion in EMOTIONS]
    precision, recall, f1, support = precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0.0)
    found: dict[str, Any] = {
        "rows": len(truth),
        "accuracy": float(np.mean([a == b for a, b in zip(truth, predicted, strict=True)])),
        "macro_f1": float(f1_score(truth, predicted, labels=labels, average="macro", zero_division=0.0)),
        "classes": {
            label: {"precision": float(p), "recall": float(r), "f1": float(f), "rows": int(n)}
            for label, p, r, f, n in zip(labels, precision, recall, f1, support, strict=True)
        },
        "confusion": confusion_matrix(truth, predicted, labels=labels).tolist(),
    }
    if probabilities is not None:
        found["calibration_error"] = calibration_error(truth, probabilities)
    return found


def reliability(truth: Sequence[str], probabilities: NDArray[np.floating]) -> list[tuple[float, float, int]]:
    """(mean confidence, accuracy, rows) of each tenth of confidence that has rows."""
    first = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    right = np.array([EMOTIONS[guess] == label for guess, label in zip(first, truth, strict=True)])
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return [
        (float(confidence[bins == b].mean()), float(right[bins == b].mean()), int((bins == b).sum()))
        for b in range(_BINS)
        if (bins == b).any()
    ]


def calibration_error(truth: Sequence[str], probabilities: NDArray[np.floating]) -> float:
    """Expected calibration error over ten equal bins of confidence (Guo et al. 2017)."""
    rows = reliability(truth, probabilities)
    return sum(count * abs(confidence - accuracy) for confidence, accuracy, count in rows) / len(truth)
