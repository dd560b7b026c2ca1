"""Keras networks: the default reader and the paper's, trained on the labelled rows, calibrated on validation."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from tqdm.keras import TqdmCallback

from bot.emotion import FEELINGS, Encoder, inputs
from bot.text import morphemes
from bot.vocabulary import UNKNOWN, Vocabulary
from training import (
    batches,  # first: it sets how TensorFlow starts
    dataset,
    grams,
)
from training.baselines import dictionary_label
from training.batches import Batches, Readable
from training.dataset import Row
from training.network import GramTable, Hybrid, lstm_network, paper_network
from training.stage import Workshop, read_json, write_json

_AT_ONCE = 256  # texts


def run(shop: Workshop) -> None:
    """Reads the dataset and the vectors, writes `lstm/`."""
    # Slower, but the same seed then gives the same weights.
    tf.config.experimental.enable_op_determinism()
    rows = dataset.read(shop)
    train_default(shop, rows)
    train_paper(shop, rows)


def train_default(shop: Workshop, rows: Sequence[Row]) -> None:
    """Trains both branches on the training rows, then finds their common temperature on validation."""
    config, seed = shop.config.network, shop.config.seed
    keras.utils.set_random_seed(seed)
    training, validation = (
        batches.readable(encoder(shop), [row for row in rows if row.side == side]) for side in ("train", "validation")
    )
    weights = batches.row_weights(training.rows, config.class_weight)
    lstm = _untrained(shop, masked=True)
    history = _fit_lstm(shop, lstm, training, validation, weights)
    labels = [row.label for row in training.rows]
    characters, morphemes_, bias = grams.fit(training.windows, labels, weights, shop.config.grams, seed)
    rough = Hybrid(lstm, characters, morphemes_, bias, shop.config.grams.scale, shop.config.grams.share, 1.0)
    temperature = best_temperature(probabilities(rough, validation), validation.truth)
    lstm.save_weights(shop.path("lstm", "default.weights.h5"))
    np.savez(shop.path("lstm", "grams.npz"), characters=characters.rows, morphemes=morphemes_.rows, bias=bias)
    figures = {"history": history, "temperature": temperature, "parameters": lstm.count_params()}
    write_json(shop.path("lstm", "default.json"), figures)
    calibrated = probabilities(load(shop, masked=True), validation)
    figures["unsure_below"] = unsure_below(calibrated, config.unsure)
    write_json(shop.path("lstm", "default.json"), figures)
    right = (calibrated.argmax(axis=1) == validation.truth.argmax(axis=1)).mean()
    print(f"validation accuracy {right:.3f}, temperature {temperature:.2f}")


def train_paper(shop: Workshop, rows: Sequence[Row]) -> None:
    """The paper's configuration: its labels are what the emotion dictionary says of a sentence."""
    keras.utils.set_random_seed(shop.config.seed)
    config = shop.config.paper
    words = encoder(shop).words
    lists = read_json(shop.made_by("dictionary", "dictionary.json"))
    ids, classes = {}, {}
    for side in ("train", "validation"):
        labelled = [
            (words.ids(tokens)[: config.length], label)
            for row in rows
            if row.side == side and (label := dictionary_label(lists, tokens := morphemes(row.text)))
        ]
        ids[side] = batches.padded([one for one, _ in labelled], config.length)
        classes[side] = np.array([FEELINGS.index(label) for _, label in labelled], np.int32)
    model = paper_network(len(words))
    model.compile(keras.optimizers.Adam(config.rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        ids["train"],
        classes["train"],
        validation_data=(ids["validation"], classes["validation"]),
        batch_size=config.batch,
        epochs=config.epochs,
        verbose=0,
        callbacks=_callbacks("paper", config.patience),
    )
    model.save_weights(shop.path("lstm", "paper.weights.h5"))
    write_json(shop.path("lstm", "paper.json"), {"history": _floats(history)})


def load(shop: Workshop, *, masked: bool) -> Hybrid:
    """The trained default reader, its LSTM with or without a mask."""
    config = shop.config.grams
    lstm = _untrained(shop, masked=True)
    lstm.load_weights(shop.made_by("lstm", "lstm", "default.weights.h5"))
    if not masked:
        free = _untrained(shop, masked=False)
        for layer in lstm.layers:
            if layer.weights:  # by name: without a mask Keras sorts the layers otherwise
                free.get_layer(layer.name).set_weights(layer.get_weights())
        lstm = free
    tables = np.load(shop.made_by("lstm", "lstm", "grams.npz"))
    temperature = read_json(shop.made_by("lstm", "lstm", "default.json"))["temperature"]
    characters, morphemes_ = GramTable(tables["characters"]), GramTable(tables["morphemes"])
    return Hybrid(lstm, characters, morphemes_, tables["bias"], config.scale, config.share, temperature)


def encoder(shop: Workshop) -> Encoder:
    """How texts are cut and numbered, as the bundle will do it."""
    words = Vocabulary.read(shop.made_by("vectors", "vectors", "vocabulary.txt"))
    return Encoder(words, shop.config.network.lengths[-1], shop.config.grams.sizes)


def probabilities(reader: Hybrid, readable: Readable) -> NDArray[np.float32]:
    """What the default reader says of each window, (texts, 5)."""
    return np.concatenate([np.asarray(reader(**feed)) for feed in _feeds(readable)])


def branches(reader: Hybrid, readable: Readable) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What its LSTM and its n-grams say alone, (texts, 5) each."""
    lstm, counted = zip(*(reader.branches(**feed) for feed in _feeds(readable)), strict=True)
    return np.concatenate(lstm), np.concatenate(counted)


def paper_probabilities(shop: Workshop, texts: Sequence[str]) -> NDArray[np.float32]:
    """What the paper's network says of texts, (texts, 5); it knows no `none`."""
    words = encoder(shop).words
    model = paper_network(len(words))
    model.load_weights(shop.made_by("lstm", "lstm", "paper.weights.h5"))
    length = shop.config.paper.length
    ids = batches.padded([words.ids(morphemes(one))[:length] or [UNKNOWN] for one in texts], length)
    return np.pad(model.predict(ids, batch_size=_AT_ONCE, verbose=0), ((0, 0), (0, 1)))


def best_temperature(predicted: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """The temperature with the least cross-entropy, (rows, classes) each (Guo et al. 2017)."""
    logits = np.log(np.clip(predicted.astype(np.float64), 1e-9, 1))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled -= np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        return float(-(truth * scaled).sum(axis=1).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))


def unsure_below(predicted: NDArray[np.floating], share: float) -> float:
    """The lead of the first label over the second under which `share` of the readings lie."""
    second, first = np.sort(predicted, axis=1)[:, -2:].T
    return round(float(np.quantile(first - second, share)), 3)


def _fit_lstm(
    shop: Workshop, lstm: keras.Model, training: Readable, validation: Readable, weights: NDArray[np.float32]
) -> dict[str, list[float]]:
    config = shop.config.network
    soft = dataset.targets(training.rows, config.secondary, config.smoothing)
    fed = Batches(training.words, soft, weights, config, shop.config.seed)
    rate = keras.optimizers.schedules.CosineDecay(config.rate, config.epochs * len(fed))
    optimizer = keras.optimizers.Adam(rate, clipnorm=1.0)
    lstm.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
    history = lstm.fit(
        fed.dataset(),
        steps_per_epoch=len(fed),
        validation_data=(batches.padded(validation.words, config.lengths[-1]), validation.truth),
        validation_batch_size=_AT_ONCE,
        epochs=config.epochs,
        verbose=0,
        callbacks=_callbacks("default", config.patience),
    )
    # Stored as float16 (see `export`): rounded here, so that the checked network is the shipped one.
    embedding = lstm.get_layer("embedding")
    embedding.set_weights([embedding.get_weights()[0].astype(np.float16).astype(np.float32)])
    return _floats(history)


def _callbacks(name: str, patience: int) -> list[keras.callbacks.Callback]:
    return [
        keras.callbacks.EarlyStopping("val_accuracy", patience=patience, restore_best_weights=True),
        TqdmCallback(verbose=0, desc=name),
    ]


def _floats(history: keras.callbacks.History) -> dict[str, list[float]]:
    return {figure: [float(value) for value in values] for figure, values in history.history.items()}


def _feeds(readable: Readable) -> list[dict[str, NDArray[np.int32]]]:
    windows = readable.windows
    return [inputs(windows[start : start + _AT_ONCE]) for start in range(0, len(windows), _AT_ONCE)]


def _untrained(shop: Workshop, *, masked: bool) -> keras.Model:
    """The LSTM with the CBOW vectors as its embedding, at the spread its input wants; padding and unknown are zeros."""
    vectors = np.load(shop.made_by("vectors", "vectors", "vectors.npy"))
    spread = float(np.sqrt(np.mean(vectors**2)))
    rows = np.vstack([np.zeros((2, vectors.shape[1])), vectors * (shop.config.network.vector_scale / spread)])
    model = lstm_network(shop.config.network, rows.shape, masked=masked)
    model.get_layer("embedding").set_weights([rows.astype(np.float32)])
    return model
