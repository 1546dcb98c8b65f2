#!/usr/bin/env python3
"""Reduce the fetched word vectors to 64 dimensions and hold out 1,000 queries.

Principal components of the base vectors alone: queries are drawn first, and
neither their mean nor their spread enters. All of it in float64, rounded to
float32 at the end. An eigenvector's sign means nothing, so it is fixed: the
component of largest magnitude is positive (the first of equals).

The digests printed are equal from run to run on one machine. Between machines
the last bits may differ, since LAPACK picks its kernels by processor; a
benchmark should record the digests that it saw. Needs numpy.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

# One thread, so that sums are added in one order. Before numpy reads it.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
from fetching import ROOT, sha256  # noqa: E402

DIM = 64
QUERIES = 1_000
SEED = 64


def components(base: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean, the DIM leading components as columns, and their share of variance."""
    mean = base.mean(axis=0, dtype=np.float64)
    centred = base - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(base))
    variances, axes = variances[::-1], axes[:, ::-1][:, :DIM]
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(DIM)]
    return mean, axes * np.sign(largest), float(variances[:DIM].sum() / variances.sum())


def reduce(folder: Path) -> None:
    vectors = np.load(folder / "vectors.f32.npy", allow_pickle=False)
    drawn = np.random.default_rng(SEED).permutation(len(vectors))[:QUERIES]
    keep = np.ones(len(vectors), dtype=bool)
    keep[drawn] = False
    mean, axes, share = components(vectors[keep])
    print(f"glove64: {DIM} of {vectors.shape[1]} components keep {share:.4f} "
          "of the variance")
    for name, rows in (("base", vectors[keep]), ("queries", vectors[drawn])):
        path = folder / f"glove64-{name}.npy"
        np.save(path, ((rows - mean) @ axes).astype(np.float32))
        print(f"glove64: {len(rows):>7,} x {DIM}  {sha256(path)}  {path.name}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "target/data/glove",
                        help="where fetch_glove.py wrote (default: target/data/glove)")
    folder = parser.parse_args().folder
    try:
        reduce(folder)
    except FileNotFoundError:
        print(f"glove64: no vectors in {folder}; run tests/eval/fetch_glove.py first",
              file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"glove64: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
