"""Tokens ↔ ids: the words a bundle knows, and how a word it lacks is read through its parts."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from bot.text import pieces

UNKNOWN = 1
# Id 0 is padding (training only) and 1 stands for what not even the parts know.
FIRST = 2


class Vocabulary:
    """A fixed list of tokens. The id of ``tokens[i]`` is ``i + FIRST``."""

    def __init__(self, tokens: Sequence[str], counts: Sequence[int]) -> None:
        self.tokens = tuple(tokens)
        self.counts = tuple(counts)
        self._ids = {token: number for number, token in enumerate(self.tokens, FIRST)}

    def __len__(self) -> int:
        """How many ids there are, padding and unknown among them: the rows of an embedding."""
        return len(self.tokens) + FIRST

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    def ids(self, tokens: Iterable[str]) -> list[int]:
        """Ids of tokens in order; a token not in the list becomes the ids of its parts, so it never vanishes."""
        found: list[int] = []
        for token in tokens:
            number = self._ids.get(token)
            if number is None:
                found.extend(self._ids.get(piece, UNKNOWN) for piece in pieces(token))
            else:
                found.append(number)
        return found

    @classmethod
    def read(cls, path: Path) -> "Vocabulary":
        """From a text file, ``token<TAB>count`` a line."""
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
        return cls([row[0] for row in rows], [int(row[1]) for row in rows])

    def write(self, path: Path) -> None:
        rows = (f"{token}\t{count}\n" for token, count in zip(self.tokens, self.counts, strict=True))
        path.write_text("".join(rows), encoding="utf-8")
