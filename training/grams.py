"""A linear SVM over TF-IDF n-grams, as tables that a network can look up: the second branch of the default reader."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from bot.emotion import EMOTIONS, Window
from training.config import GramConfig
from training.network import GramTable


def fit(
    windows: Sequence[Window], labels: Sequence[str], weights: NDArray[np.float32], config: GramConfig, seed: int
) -> tuple[GramTable, GramTable, NDArray[np.float32]]:
    """Tables of the characters' and the morphemes' n-grams, and the bias.

    TF-IDF with idf = ln((1 + texts) / (1 + texts with it)) + 1, each kind of n-gram at unit length, terms counted
    once, those of one text only left out.
    """
    sizes = config.sizes
    counted = [
        _counted([window.character_grams for window in windows], sizes.character_buckets),
        _counted([window.morpheme_grams for window in windows], sizes.morpheme_buckets),
    ]
    inverse = [_inverse_frequency(matrix) for matrix in counted]
    features = sparse.hstack(
        [normalize(matrix @ sparse.diags(idf)) for matrix, idf in zip(counted, inverse, strict=True)]
    ).tocsr()
    svm = LinearSVC(C=config.cost, random_state=seed)
    svm.fit(features, [EMOTIONS.index(label) for label in labels], sample_weight=weights)
    coefficients = np.split(svm.coef_, [len(inverse[0])], axis=1)
    characters, morphemes = (_table(part, idf) for part, idf in zip(coefficients, inverse, strict=True))
    return characters, morphemes, svm.intercept_.astype(np.float32)


def _counted(grams: Sequence[Sequence[int]], buckets: int) -> sparse.csr_matrix:
    """(texts, buckets + 1), 1 where a text has an n-gram of the bucket."""
    starts = np.cumsum([0, *map(len, grams)])
    columns = np.concatenate([np.array(one, np.int32) for one in grams])
    return sparse.csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(grams), buckets + 1))


def _inverse_frequency(counted: sparse.csr_matrix) -> NDArray[np.float64]:
    texts = np.bincount(counted.indices, minlength=counted.shape[1])
    return np.where(texts > 1, np.log((1 + counted.shape[0]) / (1 + texts)) + 1, 0.0)


def _table(coefficients: NDArray[np.float64], inverse: NDArray[np.float64]) -> GramTable:
    # Rounded to float16, as the table is stored, so that the checked network is the shipped one.
    rows = np.column_stack([coefficients.T * inverse[:, None], inverse])
    return GramTable(rows.astype(np.float16).astype(np.float32))
