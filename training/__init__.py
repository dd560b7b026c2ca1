"""Makes `exported/`: corpora → tokens → CBOW vectors → emotion dictionary → labels → LSTM → ONNX → bundle."""

# TensorFlow carries an SQLite of its own, without full-text search, which takes the place of Python's when loaded first.
import sqlite3 as _sqlite3  # noqa: F401
