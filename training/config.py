"""Every number of the training, and the preset of the paper it follows."""

from dataclasses import dataclass, field
from typing import Literal

from bot.grams import GramSizes


@dataclass(frozen=True, slots=True)
class CorpusConfig:
    """What the vectors learn from."""

    # How often a sentence of each source is shown to the CBOW in an epoch: the domain speaks louder than film reviews.
    weights: dict[str, int] = field(
        default_factory=lambda: {"ours": 4, "chatbot": 3, "komuchat": 3, "kote": 1, "nsmc": 1}
    )
    processes: int = 4  # tokenising; does not change the result


@dataclass(frozen=True, slots=True)
class VectorsConfig:
    """CBOW."""

    dimensions: int = 128
    window: int = 5
    negative: int = 10
    sample: float = 1e-4  # words more frequent than this share are thinned out
    epochs: int = 5
    word_count: int = 20  # a rarer word is read through its characters
    piece_count: int = 5  # a rarer character is unknown


@dataclass(frozen=True, slots=True)
class DictionaryConfig:
    """The emotion dictionary."""

    similarity: float = 0.5  # the paper's bound
    # Words the bot must never show back to a person as the reason for a song.
    never: tuple[str, ...] = ("자살", "죽음", "죽다", "자해")
    # Bare words (any part of speech) from which each list grows.
    seeds: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "sadness": ("슬픔", "슬프다", "아프다", "눈물", "울다", "그립다", "외롭다", "미안"),
            "denial": ("붙잡다", "매달리다", "기다리다", "돌아오다", "재회", "미련"),
            "anger": ("분노", "화나다", "짜증", "배신", "원망", "증오", "뻔뻔", "괘씸", "열받다"),
            "indifference": ("무관심", "담담", "무덤덤", "홀가분", "괜찮다", "정리"),
        }
    )


@dataclass(frozen=True, slots=True)
class SplitConfig:
    """Training, validation and test."""

    validation: float = 0.08
    test: float = 0.1
    near_duplicate: float = 0.7  # Jaccard similarity of character 3-grams from which two texts count as one
    salt: str = "ebyul-1"  # never change: it decides every text's side


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The LSTM of the default reader, and its training."""

    lengths: tuple[int, ...] = (9, 15, 22, 30)  # of a batch, in morphemes; 99.4 % of our labelled texts have 30 at most
    units: int = 96
    dropout: float = 0.4
    embedding_dropout: float = 0.2
    word_dropout: float = 0.05  # words shown as unknown: the reader must not hang on one of them
    secondary: float = 0.3  # share of a row's second label in its target
    smoothing: float = 0.05
    batch: int = 128
    epochs: int = 9
    patience: int = 3  # epochs without a better validation before it stops
    rate: float = 1.5e-3
    class_weight: float = 0.25  # power by which a label that is rare in its source counts more
    unsure: float = 0.15  # share of the validation readings, those with the least lead, that are called unsure
    vector_scale: float = 0.3  # spread of the CBOW vectors as input of the LSTM


@dataclass(frozen=True, slots=True)
class GramConfig:
    """The n-grams of the default reader."""

    sizes: GramSizes = field(
        default_factory=lambda: GramSizes(characters=5, character_buckets=2**18, morphemes=3, morpheme_buckets=2**17)
    )
    cost: float = 0.4  # C of the SVM
    scale: float = 2.5  # makes its margins as confident as they are right
    share: float = 0.6  # of the n-grams in the mean with the LSTM, chosen on validation


@dataclass(frozen=True, slots=True)
class PaperConfig:
    """The paper's configuration."""

    length: int = 30
    batch: int = 64
    epochs: int = 12
    patience: int = 2
    rate: float = 1e-3


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """How the bot weighs feeling and meaning."""

    rare: float = 1e-3  # a in the word weight a / (a + frequency), Arora, Liang, Ma 2017
    feeling_weight: float = 0.75  # α
    meaning_weight: float = 0.66  # β, so that α² + β² = 1


@dataclass(frozen=True, slots=True)
class Config:
    """Everything a run of the training is decided by."""

    name: Literal["default", "small"] = "default"
    seed: int = 20
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    vectors: VectorsConfig = field(default_factory=VectorsConfig)
    dictionary: DictionaryConfig = field(default_factory=DictionaryConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    grams: GramConfig = field(default_factory=GramConfig)
    paper: PaperConfig = field(default_factory=PaperConfig)
    search: SearchConfig = field(default_factory=SearchConfig)


PRESETS: dict[str, Config] = {
    "default": Config(),
    # Our own texts alone, in seconds: for the tests, and for a look at the pipeline without any corpus.
    "small": Config(
        name="small",
        corpus=CorpusConfig(processes=1),
        vectors=VectorsConfig(dimensions=32, sample=1e-3, epochs=10, word_count=5),
        network=NetworkConfig(units=24, epochs=3),
        paper=PaperConfig(epochs=2),
    ),
}
