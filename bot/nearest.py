"""The passages whose vectors have the largest inner product with a query's: exact while there are few, `usearch` beyond."""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bot.match import Vector

# Up to here comparing with every row is as fast as the graph and always right: 50,000 rows of 133 numbers in 1.5 ms.
EXACT = 50_000


class DamagedGraph(Exception):  # noqa: N818  # what it is, not that it is an error
    """A graph file that cannot be read; it can be made again."""


class Nearest(Protocol):
    """What finds passages by their vectors; the ids are numbers up to 2**63 that its user chose."""

    def search(self, query: Vector, count: int) -> tuple[NDArray[np.int64], Vector]:
        """Ids and inner products of about `count` passages, best first."""
        ...


class Exact:
    """Every passage's vector in memory."""

    def __init__(self, ids: NDArray[np.int64], vectors: Vector) -> None:
        self._ids = ids
        self._vectors = vectors

    def search(self, query: Vector, count: int) -> tuple[NDArray[np.int64], Vector]:
        if not len(self._ids):
            return self._ids, np.zeros(0, np.float32)
        # Not `@`: OpenBLAS shares even this little out to every core and waits for the slowest, 8 ms on a busy machine
        # where this takes 0.2 ms.
        scores = np.einsum("ij,j->i", self._vectors, query)
        best = np.argpartition(-scores, count - 1)[:count] if count < len(scores) else np.arange(len(scores))
        best = best[np.argsort(-scores[best], kind="stable")]
        return self._ids[best], scores[best]


class Graph:
    """A memory-mapped `usearch` file (HNSW, float16); finds nearly all of the best."""

    def __init__(self, path: Path) -> None:
        # Not among the imports above: most installations never need it, and start-up counts.
        from usearch.index import Index

        try:
            index = Index.restore(str(path), view=True)
        except (ValueError, RuntimeError) as error:
            raise DamagedGraph(path) from error
        if index is None:
            raise DamagedGraph(path)
        self._index = index

    def search(self, query: Vector, count: int) -> tuple[NDArray[np.int64], Vector]:
        found = self._index.search(query, count, threads=1)
        # "ip" answers 1 - inner product.
        return found.keys.astype(np.int64), (1 - found.distances).astype(np.float32)


class GraphFile:
    """Writes the file `Graph` reads, batch by batch."""

    def __init__(self, dimensions: int) -> None:
        from usearch.index import Index

        self._index = Index(ndim=dimensions, metric="ip", dtype="f16")

    def add(self, ids: NDArray[np.int64], vectors: Vector) -> None:
        self._index.add(ids.astype(np.uint64), vectors)

    def write(self, path: Path) -> None:
        """Replaces `path` at once, so that nobody reads half a file; OSError where it cannot be written."""
        new = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            new.touch()  # where this may not be, the system says why; usearch does not
            try:
                self._index.save(str(new))
            except RuntimeError as error:
                raise OSError(errno.ENOSPC, str(error)) from error
            new.replace(path)
        except OSError:
            with suppress(OSError):
                new.unlink(missing_ok=True)
            raise
