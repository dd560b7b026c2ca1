"""Text → numbers of its n-grams: short runs of characters and of morphemes, hashed into a fixed number of buckets.

A hash needs no list of n-grams, which would be the largest file of a bundle; what two n-grams in one bucket cost was
measured to be less than what noise costs (docs/design.md).
"""

from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32


class GramSizes(NamedTuple):
    """How long n-grams are at most, and into how many buckets each kind goes."""

    characters: int
    character_buckets: int
    morphemes: int
    morpheme_buckets: int


def character_grams(cleaned: str, sizes: GramSizes) -> list[int]:
    """Buckets, from 1 on, of the runs of 1 to `sizes.characters` characters, blanks among them; each bucket once."""
    return _buckets([character.encode() for character in cleaned], b"", sizes.characters, sizes.character_buckets)


def morpheme_grams(tokens: Sequence[str], sizes: GramSizes) -> list[int]:
    """Buckets, from 1 on, of the runs of 1 to `sizes.morphemes` tokens; each bucket once."""
    return _buckets([token.encode() for token in tokens], b" ", sizes.morphemes, sizes.morpheme_buckets)


def _buckets(parts: Sequence[bytes], between: bytes, longest: int, buckets: int) -> list[int]:
    """The buckets of the runs of 1 to `longest` parts, in order; a run's CRC goes on from that of the run one shorter."""
    joined = [between + part for part in parts]
    codes = list(map(crc32, parts))
    found = set(codes)
    for size in range(1, longest):
        codes = list(map(crc32, joined[size:], codes))
        found.update(codes)
    # Sorted: what is summed in another order differs in the last digit.
    return sorted({code % buckets + 1 for code in found})
