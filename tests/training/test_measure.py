import numpy as np
import pytest

from training.measure import calibration_error, figures, reliability

# sadness, denial, anger, indifference, none
TRUTH = ["sadness", "sadness", "denial", "none"]
READ = ["sadness", "denial", "denial", "none"]


def test_accuracy_and_macro_f1_count_every_label_even_one_without_rows() -> None:
    found = figures(TRUTH, READ, None)
    assert (found["rows"], found["accuracy"]) == (4, 0.75)
    # sadness: precision 1, recall 1/2; denial: 1/2, 1; none: 1, 1; anger and indifference: 0.
    assert found["classes"]["sadness"] == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "rows": 2}
    assert found["classes"]["denial"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "rows": 1}
    assert found["classes"]["anger"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "rows": 0}
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 0 + 0 + 1) / 5)


def test_confusion_has_a_line_a_label_and_a_column_a_reading() -> None:
    confusion = figures(TRUTH, READ, None)["confusion"]
    assert confusion == [[1, 1, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1]]


def test_without_probabilities_there_is_no_calibration_error() -> None:
    assert "calibration_error" not in figures(TRUTH, READ, None)


PROBABILITIES = np.array(
    [
        [0.92, 0.08, 0.00, 0.00, 0.00],  # right, tenth 9
        [0.04, 0.96, 0.00, 0.00, 0.00],  # wrong, tenth 9
        [0.20, 0.55, 0.25, 0.00, 0.00],  # right, tenth 5
        [0.00, 0.00, 0.00, 0.00, 1.00],  # right, tenth 9: 1 belongs to the last
    ]
)


def test_reliability_gathers_tenths_of_confidence() -> None:
    low, high = reliability(TRUTH, PROBABILITIES)
    assert low == (pytest.approx(0.55), 1.0, 1)
    assert high == (pytest.approx((0.92 + 0.96 + 1) / 3), pytest.approx(2 / 3), 3)


def test_calibration_error_is_the_mean_gap_weighted_by_rows() -> None:
    # (1 · |0.55 - 1| + 3 · |0.96 - 2/3|) / 4
    assert calibration_error(TRUTH, PROBABILITIES) == pytest.approx((0.45 + 3 * (0.96 - 2 / 3)) / 4)
    assert figures(TRUTH, READ, PROBABILITIES)["calibration_error"] == calibration_error(TRUTH, PROBABILITIES)


def test_a_reader_that_is_as_sure_as_it_is_right_has_no_calibration_error() -> None:
    halves = np.array([[0.5, 0.3, 0.2, 0.0, 0.0]] * 2)
    assert calibration_error(["sadness", "denial"], halves) == pytest.approx(0.0)
