#!/usr/bin/env python3
"""Upsample the reduced word vectors to 1,000,000 by interpolating near neighbours.

No registry has a million real vectors, so the rest is put between real ones:
each further vector lies between a word drawn at random and a near neighbour of
it, at a point drawn uniformly. The neighbour is the word's nearest in a random
eighth of the base: one of its nearest eight, on average, which costs an eighth
of searching them all. Nearness is cosine, as the data set is searched by. The
queries stay those held out: real words, in no way part of what was made.

The result is the same bits anywhere, so its digest is pinned. Directions are
scaled to length 4,090 and rounded to integers, which leaves them shorter than
4,096: by Cauchy and Schwarz no partial sum of a dot product then exceeds 2^24,
and float32 adds integers up to that exactly, in any order, with any kernel. Of
equal products the first word's wins. Shares are multiples of 2^-8, so float64
interpolates exactly too, before the result is rounded to multiples of 2^-16 as
its ends are (glove64.py). Needs numpy; takes a minute or two on one core.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from glove100 import command, save
from glove64 import exact

ROWS = 1_000_000
SEED = 1_000_000
# Parts of the base, in one of which a neighbour is looked for.
PARTS = 8
# Rounding 64 components adds at most 0.5 * sqrt(64) = 4 to it.
LENGTH = 4_090
SHARES = 2**8
# Words compared with a part at a time; 512 rows of products are 87 MB.
CHUNK = 512
FILES = {"glove1m-base.npy": "c0e96154b29c40b1c0b2160752752db00db580f47a52b73b58734af37cdb4e38"}


def integers(base: np.ndarray) -> np.ndarray:
    """The directions, as integers that float32 multiplies and adds exactly."""
    squares = (base * base).sum(axis=1, keepdims=True)  # exact, like all on that grid
    return np.rint(base * (LENGTH / np.sqrt(squares))).astype(np.float32)


def neighbours(base: np.ndarray, words: np.ndarray, parts: list[np.ndarray],
               part_of: np.ndarray) -> np.ndarray:
    """For each word drawn, the nearest other word of the part drawn with it."""
    directions = integers(base)
    nearest = np.empty_like(words)
    for number, part in enumerate(parts):
        candidates = np.ascontiguousarray(directions[part].T)
        drawn = np.flatnonzero(part_of == number)
        for start in range(0, len(drawn), CHUNK):
            some = drawn[start:start + CHUNK]
            products = directions[words[some]] @ candidates
            # A word is no neighbour of itself.
            at = np.searchsorted(part, words[some]).clip(max=len(part) - 1)
            itself = np.flatnonzero(part[at] == words[some])
            products[itself, at[itself]] = -np.inf
            nearest[some] = part[products.argmax(axis=1)]
    return nearest


def make(folder: Path) -> None:
    real = np.load(folder / "glove64-base.npy", allow_pickle=False)
    base = real.astype(np.float64)
    random = np.random.default_rng(SEED)
    parts = [np.sort(part) for part in np.array_split(random.permutation(len(base)), PARTS)]
    count = ROWS - len(base)
    words = random.integers(len(base), size=count)
    part_of = random.integers(PARTS, size=count)
    shares = random.integers(1, SHARES, size=(count, 1)) / SHARES
    ends = base[neighbours(base, words, parts, part_of)]
    between = exact(base[words] + shares * (ends - base[words])).astype(np.float32)
    save(folder, FILES, np.concatenate([real, between]))


if __name__ == "__main__":
    sys.exit(command(__doc__, make, "glove64.py"))
