import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from bot.emotion import Encoder
from bot.grams import GramSizes
from bot.text import clean
from bot.vocabulary import Vocabulary
from training.config import GramConfig
from training.grams import fit
from training.network import GramTable

TEXTS = [
    ("보고 싶어서 울었어", "sadness"),
    ("보고 싶다 너무 보고 싶다", "sadness"),
    ("돌아와 제발 돌아와", "denial"),
    ("기다릴게 돌아와", "denial"),
    ("진짜 짜증나 꺼져", "anger"),
    ("짜증나서 잠이 안 와", "anger"),
    ("이제 괜찮아 잘 지내", "indifference"),
    ("괜찮아 다 지난 일이야", "indifference"),
    ("점심 뭐 먹지", "none"),
    ("오늘 점심 뭐야", "none"),
]
# So many buckets that in these few texts no two n-grams share one.
SIZES = GramSizes(characters=3, character_buckets=2**19, morphemes=2, morpheme_buckets=2**19)

NOTHING = GramTable(np.zeros((SIZES.morpheme_buckets + 1, 6), np.float32))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(Vocabulary([], []), 30, SIZES)


def margins(tables: tuple[GramTable, GramTable, np.ndarray], encoder: Encoder, text: str) -> np.ndarray:
    characters, morphemes, bias = tables
    window = encoder.encode(text)[1][0]
    sums = characters.margins(np.array([window.character_grams])) + morphemes.margins(np.array([window.morpheme_grams]))
    return np.asarray(sums)[0] + bias


def test_looked_up_tables_give_what_the_svm_gives(encoder: Encoder) -> None:
    """The tables against scikit-learn's own TF-IDF and SVM, on characters alone."""
    config = GramConfig(sizes=SIZES, cost=1.0)
    labels = [label for _, label in TEXTS]
    windows = [encoder.encode(text)[1][0]._replace(morpheme_grams=[]) for text, _ in TEXTS]
    tables = fit(windows, labels, np.ones(len(TEXTS), np.float32), config, seed=1)

    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), binary=True, min_df=2, lowercase=False)
    features = vectorizer.fit_transform([clean(text) for text, _ in TEXTS])
    order = ["sadness", "denial", "anger", "indifference", "none"]
    svm = LinearSVC(C=1.0, random_state=1).fit(features, [order.index(label) for label in labels])

    for text in ("보고 싶어 돌아와", "점심에 짜증나"):
        expected = svm.decision_function(vectorizer.transform([clean(text)]))[0]
        assert margins((tables[0], NOTHING, tables[2]), encoder, text) == pytest.approx(
            expected, abs=0.02
        )  # float16 tables


def test_it_learns_turns_of_phrase(encoder: Encoder) -> None:
    windows = [encoder.encode(text)[1][0] for text, _ in TEXTS]
    config = GramConfig(sizes=SIZES, cost=1.0)
    tables = fit(windows, [label for _, label in TEXTS], np.ones(len(TEXTS), np.float32), config, seed=1)
    assert margins(tables, encoder, "제발 돌아와줘").argmax() == 1
    assert margins(tables, encoder, "짜증나게").argmax() == 2


def test_padding_weighs_nothing() -> None:
    rows = np.zeros((4, 6), np.float32)
    rows[1:] = np.arange(1, 19).reshape(3, 6)
    table = GramTable(rows)
    short, padded = np.array([[1, 2]]), np.array([[1, 2, 0, 0]])
    assert np.asarray(table.margins(short)) == pytest.approx(np.asarray(table.margins(padded)))
    assert np.asarray(table.margins(np.array([[0, 0]]))) == pytest.approx(0.0)
