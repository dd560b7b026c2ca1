"""The network as ONNX with real LSTM nodes, checked against Keras, in a folder that the bot's reader can open."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import tensorflow as tf
import tf2onnx

from bot import bundle as bundles
from bot import text
from bot.emotion import EMOTIONS, FEELINGS, Reader, Window
from training import dataset, lstm  # first: it sets how TensorFlow starts
from training.config import Config
from training.network import Hybrid
from training.stage import StageError, Workshop, read_json, write_json

OPSET = 17
_LARGE = 100_000  # numbers of a table that is worth storing as float16
# Golden examples are few enough to read and many enough to hold every label, source and length.
_GOLDEN = 60
# The article's own pair, and what a reader must survive.
_ALWAYS = (
    "우리 헤어져 보자",
    "난 못 헤어져 나를 떠나면 안돼",
    "",
    "ㅠㅠㅠㅠㅠㅠ",
    "💔",
    "보고싶다 " * 40,
    "I can't stop thinking about you",
)


def run(shop: Workshop) -> None:
    """Reads the trained reader, writes `bundle/`, all but the songs and the card."""
    folder = shop.path("bundle", "model.onnx").parent
    model = to_onnx(lstm.load(shop, masked=False))
    onnx.save(model, str(folder / "model.onnx"))
    nodes = Counter(node.op_type for node in model.graph.node)
    print(f"opset {OPSET}: " + ", ".join(f"{count} {name}" for name, count in sorted(nodes.items())))
    if nodes["Loop"] or not nodes["LSTM"]:
        raise StageError("The exported network has no LSTM node, or a Loop: tf2onnx no longer recognises the layer.")
    largest = difference(lstm.load(shop, masked=True), folder / "model.onnx", shop.config)
    print(f"largest difference from Keras: {largest:.1e}")
    _write_beside(shop, folder)
    print(f"{len(_golden(shop, folder))} golden examples")


def to_onnx(reader: Hybrid) -> onnx.ModelProto:
    """tf2onnx, with dynamic batch and lengths; takes a reader without masks. Looked-up tables are stored as float16."""
    signature = [tf.TensorSpec((None, None), tf.int32, name=name) for name in Window._fields]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def read(words: tf.Tensor, character_grams: tf.Tensor, morpheme_grams: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": reader(words, character_grams, morpheme_grams)}

    exported, _ = tf2onnx.convert.from_function(read, input_signature=signature, opset=OPSET)
    _halve_tables(exported.graph)
    onnx.checker.check_model(exported)
    return exported  # type: ignore[no-any-return]


def _halve_tables(graph: onnx.GraphProto) -> None:
    """Stores every large table that is only looked up as float16, with a Cast behind the look-up.

    Exact: their values were rounded to float16 before the network was checked.
    """
    for initializer in list(graph.initializer):
        table = onnx.numpy_helper.to_array(initializer)
        users = [node for node in graph.node if initializer.name in node.input]
        if table.dtype != np.float32 or table.size < _LARGE or any(node.op_type != "Gather" for node in users):
            continue
        initializer.CopyFrom(onnx.numpy_helper.from_array(table.astype(np.float16), initializer.name))
        for node in users:
            wide = node.output[0]
            node.output[0] = f"{wide}_half"
            cast = onnx.helper.make_node("Cast", [node.output[0]], [wide], to=onnx.TensorProto.FLOAT)
            graph.node.insert(list(graph.node).index(node) + 1, cast)


def difference(reader: Hybrid, path: Path, config: Config) -> float:
    """Largest difference of a probability between Keras, fed with padding and masks, and ONNX, fed without.

    Raises StageError from 1e-5 on.
    """
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(config.seed)
    words = reader.lstm.get_layer("embedding").get_weights()[0].shape[0]
    sizes = config.grams.sizes
    largest = 0.0
    for length in (1, 2, 7, 15, 30):
        feed = {
            "words": random.integers(1, words, (8, length), dtype=np.int32),
            "character_grams": random.integers(1, sizes.character_buckets + 1, (8, 9 * length), dtype=np.int32),
            "morpheme_grams": random.integers(1, sizes.morpheme_buckets + 1, (8, 3 * length), dtype=np.int32),
        }
        (ours,) = session.run(None, feed)
        theirs = reader(**{name: np.pad(ids, ((0, 0), (0, 5))) for name, ids in feed.items()})
        largest = max(largest, float(np.abs(ours - np.asarray(theirs)).max()))
    if largest >= 1e-5:
        raise StageError(f"ONNX and Keras differ by {largest:.1e}, more than 1e-5: the export changed the network.")
    return largest


def _write_beside(shop: Workshop, folder: Path) -> None:
    shutil.copyfile(shop.made_by("vectors", "vectors", "vocabulary.txt"), folder / "vocabulary.txt")
    np.save(folder / "vectors.npy", np.load(shop.made_by("vectors", "vectors", "vectors.npy")).astype(np.float16))
    lists = read_json(shop.made_by("dictionary", "dictionary.json"))
    write_json(folder / "dictionary.json", {token: emotion for emotion in FEELINGS for token in lists[emotion]})
    write_manifest(shop, folder, figures={})


def write_manifest(shop: Workshop, folder: Path, figures: Mapping[str, Any]) -> None:
    """`manifest.json` over every other file of the folder."""
    calibration = read_json(shop.made_by("lstm", "lstm", "default.json"))
    search = shop.config.search
    write_json(
        folder / "manifest.json",
        {
            "format": bundles.FORMAT,
            "language": "ko",
            "text_version": text.VERSION,
            "labels": list(EMOTIONS),
            "opset": OPSET,
            "window": shop.config.network.lengths[-1],
            "grams": shop.config.grams.sizes._asdict(),
            "unsure_below": calibration["unsure_below"],
            "rare": search.rare,
            "feeling_weight": search.feeling_weight,
            "meaning_weight": search.meaning_weight,
            "figures": figures,
            "files": {
                path.name: hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(folder.iterdir())
                if path.name != "manifest.json"
            },
        },
    )


def _golden(shop: Workshop, folder: Path) -> list[dict[str, Any]]:
    """Our own texts of the test side, spread over sources and labels, with all that a reader makes of them."""
    rows = [row for row in dataset.read(shop) if row.side == "test" and row.source in ("message", "line", "pair")]
    chosen = [row.text for row in rows[:: max(1, len(rows) // _GOLDEN)]][:_GOLDEN]
    opened = bundles.open_bundle(folder)
    texts = [*_ALWAYS, *chosen]
    examples = [
        {
            "text": one,
            "tokens": list(reading.tokens),
            "ids": opened.words.ids(reading.tokens),
            "probabilities": [round(float(p), 6) for p in reading.probabilities],
        }
        for one, reading in zip(texts, Reader(opened).read(texts), strict=True)
    ]
    write_json(folder / "golden.json", examples)
    write_manifest(shop, folder, figures={})
    return examples
