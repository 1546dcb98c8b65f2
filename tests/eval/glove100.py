#!/usr/bin/env python3
"""Hold out 1,000 of the fetched word vectors as queries; the rest is the base.

The same words are held out by every data set made of these vectors, so that no
query has a part in any of them. Needs numpy.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from fetching import ROOT, FetchError, checked

QUERIES = 1_000
SEED = 64
FILES = {
    "glove100-base.npy": "6ffcaf24508b18ed81c8785ce9de07c60a04c935fc54278ecc1df26adaf111cd",
    "glove100-queries.npy": "c84d439a323f3396e2d8484cee62ffc60c21961f6d6f9a9c039f64b1e968de02",
}


def split(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Base in the order of the words, and queries in the order drawn."""
    drawn = np.random.default_rng(SEED).permutation(len(vectors))[:QUERIES]
    keep = np.ones(len(vectors), dtype=bool)
    keep[drawn] = False
    return vectors[keep], vectors[drawn]


def save(folder: Path, files: dict[str, str], *arrays: np.ndarray) -> None:
    """Write arrays under names whose digests are pinned, and say what they are."""
    for (name, digest), array in zip(files.items(), arrays, strict=True):
        np.save(folder / name, array)
        checked(folder / name, digest)
        print(f"glove: {len(array):>9,} x {array.shape[1]:<3}  {digest}  {name}")


def command(doc: str, make, needs: str) -> int:
    """The command line that every script on these vectors has."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "target/data/glove",
                        help="where fetch_glove.py wrote (default: target/data/glove)")
    name = Path(sys.argv[0]).stem
    folder = parser.parse_args().folder
    try:
        make(folder)
    except FileNotFoundError:
        print(f"{name}: its input is not in {folder}; run tests/eval/{needs} first",
              file=sys.stderr)
        return 1
    except (FetchError, OSError, ValueError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return 0


def make(folder: Path) -> None:
    vectors = np.load(folder / "vectors.f32.npy", allow_pickle=False)
    save(folder, FILES, *split(vectors))


if __name__ == "__main__":
    sys.exit(command(__doc__, make, "fetch_glove.py"))
