#!/usr/bin/env python3
"""Reduce the word vectors to their 64 principal components, the same bits anywhere.

Principal components of the base alone: neither mean nor spread of the queries
enters. An eigenvector's sign means nothing, so it is fixed: the component of
largest magnitude is positive (the first of equals).

LAPACK and BLAS pick their kernels by processor, and with them the last bits of
what they compute. So that a digest can be pinned all the same, they only get
to decide what is then rounded: axes to multiples of 2^-16, a step a billion
times their error, and vectors likewise. What follows is exact: less the mean,
a vector's component has 24 bits (|x| < 2^8) and an axis's 17, so sums of 100
products need 48, and float64 adds them without rounding in any order. Rounded
axes are orthonormal to four digits, which is as good a projection.
Needs numpy.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from glove100 import command, save

DIM = 64
# Steps to one of every number that is exact here.
STEPS = 2**16
FILES = {
    "glove64-base.npy": "38654337ef083c6806929a6e520ae33142672b5d139a033a51016b53934d78ec",
    "glove64-queries.npy": "100ce5d3a4b69ec0058d37821d17ad032b95fc0ae422c7be6d0d0a29b77c625a",
}


def exact(values: np.ndarray) -> np.ndarray:
    """Rounded to the grid on which sums of products do not round."""
    rounded = np.rint(np.asarray(values, dtype=np.float64) * STEPS) / STEPS
    if np.abs(rounded).max() >= 2**7:
        raise ValueError("a component of 128 or more: products would round")
    return rounded


def components(base: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean, the DIM leading components as columns, and their share of variance."""
    mean = exact(base.mean(axis=0))
    centred = base - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(base))
    variances, axes = variances[::-1], axes[:, ::-1][:, :DIM]
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(DIM)]
    return mean, exact(axes * np.sign(largest)), float(variances[:DIM].sum() / variances.sum())


def make(folder: Path) -> None:
    base, queries = (exact(np.load(folder / f"glove100-{name}.npy", allow_pickle=False))
                     for name in ("base", "queries"))
    mean, axes, share = components(base)
    print(f"glove: {DIM} of {base.shape[1]} components keep {share:.4f} of the variance")
    # At most 24 bits each, which float32 holds.
    save(folder, FILES, *(exact((rows - mean) @ axes).astype(np.float32)
                          for rows in (base, queries)))


if __name__ == "__main__":
    sys.exit(command(__doc__, make, "glove100.py"))
