from pathlib import Path

import numpy as np
import pytest

from bot.nearest import DamagedGraph, Exact, Graph, GraphFile

COUNT, DIMENSIONS = 5_000, 48


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Unit vectors around forty centres, as passages lie around their feelings and subjects."""
    random = np.random.default_rng(7)
    centres = random.normal(size=(40, DIMENSIONS))
    rows = centres[random.integers(40, size=COUNT)] + 0.7 * random.normal(size=(COUNT, DIMENSIONS))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def ids() -> np.ndarray:
    return np.random.default_rng(8).permutation(10 * COUNT)[:COUNT].astype(np.int64)


def write(path: Path, ids: np.ndarray, vectors: np.ndarray) -> Path:
    file = GraphFile(vectors.shape[1])
    for start in range(0, len(ids), 2_000):
        file.add(ids[start : start + 2_000], vectors[start : start + 2_000])
    file.write(path)
    return path


@pytest.mark.parametrize("count", [1, 2, 400, COUNT - 1, COUNT, COUNT + 1])
def test_exact_finds_the_best_in_order(ids: np.ndarray, vectors: np.ndarray, count: int) -> None:
    query = vectors[17]
    scores = vectors @ query
    best = np.sort(scores)[::-1][:count]
    found, told = Exact(ids, vectors).search(query, count)
    assert len(found) == min(count, COUNT)
    assert found[0] == ids[17]
    assert told == pytest.approx(best, abs=1e-6)
    assert scores[np.argsort(ids)[np.searchsorted(np.sort(ids), found)]] == pytest.approx(told, abs=1e-6)


def test_exact_finds_nothing_in_nothing() -> None:
    found, scores = Exact(np.zeros(0, np.int64), np.zeros((0, 5), np.float32)).search(np.ones(5, np.float32), 3)
    assert len(found) == len(scores) == 0


def test_the_graph_finds_nearly_all_of_the_best(ids: np.ndarray, vectors: np.ndarray, tmp_path: Path) -> None:
    graph, exact = Graph(write(tmp_path / "vectors", ids, vectors)), Exact(ids, vectors)
    recalls = []
    for query in vectors[::250] + 0.02:
        wanted, _ = exact.search(query, 400)
        found, scores = graph.search(query, 400)
        assert len(found) == len(set(found.tolist())) == 400
        assert (np.diff(scores) <= 1e-6).all()
        recalls.append(len(set(wanted.tolist()) & set(found.tolist())) / 400)
    assert np.mean(recalls) >= 0.9


def test_the_graph_tells_inner_products(ids: np.ndarray, vectors: np.ndarray, tmp_path: Path) -> None:
    # Not unit vectors: a query without feeling is shorter, and its scores are compared with a bound.
    query = vectors[3] * 0.5
    found, scores = Graph(write(tmp_path / "vectors", ids, vectors)).search(query, 5)
    assert found[0] == ids[3]
    assert scores[0] == pytest.approx(0.5, abs=2e-3)


def test_a_new_file_takes_the_place_of_the_old_at_once(ids: np.ndarray, vectors: np.ndarray, tmp_path: Path) -> None:
    path = write(tmp_path / "vectors", ids, vectors)
    old = Graph(path)
    write(path, ids[:10], vectors[:10])
    assert [one.name for one in tmp_path.iterdir()] == ["vectors"]
    assert old.search(vectors[4_000], 1)[0].tolist() == [ids[4_000]]  # still reads the file it opened
    assert Graph(path).search(vectors[4_000], 1)[0].item() in ids[:10]


@pytest.mark.parametrize("kept", [0, 7, 1_000, -1])
def test_a_damaged_file_is_told(ids: np.ndarray, vectors: np.ndarray, tmp_path: Path, kept: int) -> None:
    path = write(tmp_path / "vectors", ids, vectors)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DamagedGraph):
        Graph(path)


def test_a_file_that_cannot_be_written_is_told_and_leaves_nothing(vectors: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "missing" / "vectors", np.arange(3), vectors[:3])
    (tmp_path / "vectors").mkdir()
    with pytest.raises(OSError, match="vectors"):
        write(tmp_path / "vectors", np.arange(3), vectors[:3])
    assert [one.name for one in tmp_path.iterdir()] == ["vectors"]
