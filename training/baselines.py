"""What the network must beat: the most frequent label, counting dictionary words, and a linear SVM over character n-grams."""

from collections import Counter
from collections.abc import Mapping, Sequence

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from bot.emotion import Emotion
from bot.text import clean, morphemes
from training.dataset import Row


def majority(training: Sequence[Row], rows: Sequence[Row]) -> list[str]:
    """The most frequent label of the training rows, for every row."""
    label, _ = Counter(row.label for row in training).most_common(1)[0]
    return [label] * len(rows)


def count_dictionary(dictionary: Mapping[str, Mapping[str, float]], rows: Sequence[Row]) -> list[str]:
    """The emotion with the most dictionary words; the nearer words decide a tie, and no word means `none`."""
    return [dictionary_label(dictionary, morphemes(row.text)) or Emotion.NONE.value for row in rows]


def dictionary_label(dictionary: Mapping[str, Mapping[str, float]], tokens: Sequence[str]) -> str | None:
    """The label the paper gives a sentence; None where it holds no word of the dictionary."""
    counts = {
        emotion: (sum(token in words for token in tokens), sum(words.get(token, 0.0) for token in tokens))
        for emotion, words in dictionary.items()
    }
    best = max(counts, key=lambda emotion: counts[emotion])
    return best if counts[best][0] else None


def support_vectors(training: Sequence[Row], rows: Sequence[Row], seed: int) -> list[str]:
    """TF-IDF of character 1- to 4-grams within words, then a linear SVM, classes weighted."""
    model = Pipeline(
        [
            ("grams", TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, min_df=2)),
            ("svm", LinearSVC(C=0.5, class_weight="balanced", random_state=seed)),
        ]
    )
    model.fit([clean(row.text) for row in training], [row.label for row in training])
    return [str(label) for label in model.predict([clean(row.text) for row in rows])]
