"""CBOW word vectors of the corpus (gensim), and the words nearest to the four emotions."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors, Word2Vec
from tqdm import tqdm

from bot.text import form, morphemes, pieces
from bot.vocabulary import Vocabulary
from training.config import CorpusConfig, VectorsConfig
from training.stage import StageError, Workshop, write_json

# The words the paper asks its vectors about, and the ten nearest to 사랑 as the thesis behind it prints them.
ASKED = ("사랑", "슬픔", "부정", "분노", "무관심")
THESIS = {
    "행복": 0.700, "미안": 0.635, "이별": 0.631, "이해": 0.611, "부족": 0.609,
    "후회": 0.580, "소중": 0.559, "믿다": 0.554, "영원": 0.536, "기다리다": 0.528,
}  # fmt: skip


class Sentences:
    """The corpus as gensim reads it: again in every epoch, each source as often as its weight says."""

    def __init__(self, folder: Path, config: CorpusConfig, keep: frozenset[str] | None = None) -> None:
        self._files = [(folder / f"{source}.txt", weight) for source, weight in sorted(config.weights.items())]
        self._keep = keep
        if not any(path.exists() for path, _ in self._files):
            raise StageError(f"{folder} holds no corpus: run `python -m training corpus` first.")

    def __iter__(self) -> Iterator[list[str]]:
        for path, weight in self._files:
            for _ in range(weight if path.exists() else 0):
                with path.open(encoding="utf-8") as file:
                    for line in file:
                        yield self._in_parts(line.split())

    def _in_parts(self, tokens: list[str]) -> list[str]:
        """Words too rare to have a vector of their own become their characters, as the bot will read them."""
        if self._keep is None or self._keep.issuperset(tokens):
            return tokens
        return [part for token in tokens for part in ((token,) if token in self._keep else pieces(token))]


def run(shop: Workshop) -> None:
    """Reads the corpus, writes `vectors/`."""
    config = shop.config.vectors
    folder = shop.made_by("corpus", "corpus", "figures.json").parent
    counts = Counter(token for tokens in Sentences(folder, shop.config.corpus) for token in tokens)
    keep = frozenset(token for token, count in counts.items() if count >= config.word_count)
    print(f"{sum(counts.values()):,} morphemes, {len(counts):,} different, {len(keep):,} kept whole")
    model = train(Sentences(folder, shop.config.corpus, keep), config, shop.config.seed)
    vectors = model.wv
    Vocabulary(
        vectors.index_to_key, [int(vectors.get_vecattr(token, "count")) for token in vectors.index_to_key]
    ).write(shop.path("vectors", "vocabulary.txt"))
    np.save(shop.path("vectors", "vectors.npy"), vectors.vectors)
    nearest = {word: _nearest(vectors, word) for word in ASKED}
    write_json(shop.path("vectors", "nearest.json"), {"ours": nearest, "thesis_love": THESIS})
    for word, found in nearest.items():
        print(f"{word}: " + ", ".join(f"{other} {similarity:.3f}" for other, similarity in found.items()))


def train(sentences: Iterable[list[str]], config: VectorsConfig, seed: int) -> Word2Vec:
    """CBOW with negative sampling. One worker: with more, the order of updates and so the vectors differ from run to run."""
    model = Word2Vec(
        vector_size=config.dimensions,
        window=config.window,
        min_count=config.piece_count,
        sg=0,
        negative=config.negative,
        sample=config.sample,
        workers=1,
        seed=seed,
    )
    model.build_vocab(tqdm(sentences, desc="vocabulary", unit=" sentences", mininterval=1))
    with tqdm(total=model.corpus_count * config.epochs, desc="CBOW", unit=" sentences", mininterval=1) as bar:
        model.train(
            _Counted(sentences, bar), total_examples=model.corpus_count, epochs=config.epochs, compute_loss=False
        )
    return model


class _Counted:
    """Sentences that move a progress bar as they are read."""

    def __init__(self, sentences: Iterable[list[str]], bar: "tqdm[None]") -> None:
        self._sentences = sentences
        self._bar = bar

    def __iter__(self) -> Iterator[list[str]]:
        for sentence in self._sentences:
            self._bar.update()
            yield sentence


def load(shop: Workshop) -> KeyedVectors:
    """The vectors this stage wrote, keyed by token."""
    vocabulary = Vocabulary.read(shop.made_by("vectors", "vectors", "vocabulary.txt"))
    rows = np.load(shop.made_by("vectors", "vectors", "vectors.npy"))
    vectors = KeyedVectors(rows.shape[1])
    vectors.add_vectors(list(vocabulary.tokens), rows)
    return vectors


def tokens_of(vectors: KeyedVectors, word: str) -> list[str]:
    """The tokens whose bare word is `word`, whatever their part of speech; 화나다 is also found as 화/NNG + 나다."""
    return [token for token in vectors.index_to_key if token.startswith(f"{word}/") and not token.endswith("/+")]


def _nearest(vectors: KeyedVectors, word: str) -> dict[str, float]:
    """The ten words nearest to a word, or to the mean of its morphemes where it is several (무관심 is 무 + 관심)."""
    tokens = tokens_of(vectors, word)[:1] or [token for token in morphemes(word) if token in vectors]
    found: dict[str, float] = {}
    for token, similarity in vectors.most_similar(tokens, topn=30) if tokens else ():
        if not token.endswith("/+"):
            found.setdefault(form(token), round(float(similarity), 3))
    return dict(list(found.items())[:10])
