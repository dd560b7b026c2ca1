"""The emotion dictionary: the words near to the seed words of each emotion, each in the list it is nearest to."""

import numpy as np
from gensim.models import KeyedVectors

from bot.emotion import FEELINGS
from bot.text import content, form
from training import vectors
from training.config import DictionaryConfig
from training.stage import StageError, Workshop, write_json


def run(shop: Workshop) -> None:
    """Reads the vectors, writes `dictionary.json`."""
    words = vectors.load(shop)
    found = grow(words, shop.config.dictionary)
    write_json(shop.path("dictionary.json"), found)
    for emotion in FEELINGS:
        best = list(found[emotion].items())[:5]
        print(
            f"{emotion}: {len(found[emotion])} words; " + ", ".join(f"{form(token)} {near:.3f}" for token, near in best)
        )


def grow(words: KeyedVectors, config: DictionaryConfig) -> dict[str, dict[str, float]]:
    """Emotion → {token: cosine to the mean of the emotion's unit seed vectors}, the nearest first.

    A token stands in one list only, that of the emotion it is nearest to, and only from `config.similarity` on: a seed
    word that the corpus uses otherwise is left out too.
    """
    centres = np.stack([_centre(words, emotion, config.seeds[emotion]) for emotion in FEELINGS])
    tokens = [token for token in words.index_to_key if content(token) and form(token) not in config.never]
    cosines = words.get_normed_vectors()[[words.key_to_index[token] for token in tokens]] @ centres.T
    lists: dict[str, dict[str, float]] = {emotion: {} for emotion in FEELINGS}
    for token, row in zip(tokens, cosines, strict=True):
        if row.max() >= config.similarity:
            lists[FEELINGS[int(row.argmax())]][token] = round(float(row.max()), 3)
    return {emotion: dict(sorted(rows.items(), key=lambda pair: -pair[1])) for emotion, rows in lists.items()}


def _centre(words: KeyedVectors, emotion: str, seeds: tuple[str, ...]) -> np.ndarray:
    found = [token for word in seeds for token in vectors.tokens_of(words, word)[:1]]
    if not found:
        raise StageError(
            f"None of the seed words of {emotion} is in the vocabulary: choose others in training/config.py."
        )
    mean = np.mean([words.get_vector(token, norm=True) for token in found], axis=0)
    return np.asarray(mean / np.linalg.norm(mean))
