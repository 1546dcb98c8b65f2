#!/usr/bin/env python3
"""Hold out 1,000 of an archive's vectors as queries.

  films.py DECODED.npy BASE.npy QUERIES.npy

Needs numpy.
"""

import sys

import numpy as np

QUERIES = 1_000
SEED = 64


def main(decoded: str, base: str, queries: str) -> None:
    vectors = np.load(decoded, allow_pickle=False).astype(np.float32)
    drawn = np.random.default_rng(SEED).permutation(len(vectors))[:QUERIES]
    keep = np.ones(len(vectors), dtype=bool)
    keep[drawn] = False
    np.save(queries, vectors[drawn])
    with open(base, "wb") as file:  # the name may end in anything
        np.save(file, vectors[keep])


if __name__ == "__main__":
    main(*sys.argv[1:])
