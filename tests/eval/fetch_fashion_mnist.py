#!/usr/bin/env python3
"""Fetch Fashion-MNIST, 70,000 pictures of 28 x 28, for benchmarks.

Zalando's pictures of clothes (Xiao, Rasul, Vollgraf 2017; MIT) lie in Debian's
package dataset-fashion-mnist, which is unpacked and not installed. Fetched for
their size, never committed.

Writes base.npy (the 60,000 pictures of the training set) and queries.npy (the
first 1,000 of the test set), float32, one row a picture. Needs numpy, apt-get
and dpkg-deb. Does nothing when both files are there and right.
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from fetching import ROOT, FetchError, checked, matches

PACKAGE = "dataset-fashion-mnist"
DEB_SHA256 = "39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0"
INSIDE = "usr/share/datasets/fashion-mnist"
DIM = 28 * 28
# Before the pixels: a magic number, the count and the sides, 4 bytes each.
HEADER = 16
SETS = {
    "base.npy": ("train-images-idx3-ubyte.gz", 60_000),
    "queries.npy": ("t10k-images-idx3-ubyte.gz", 1_000),
}
FILES = {
    "base.npy": "b4c9ef4d227514f872c39662c006b45cb682c5bc28ed567f42adb0bc542153a4",
    "queries.npy": "bced9d7cce9456f06895db725555a2252d05e76845314e63b463a580e846b10b",
}


def unpacked(folder: Path) -> Path:
    """Where the package's files lie, below a folder that is thrown away."""
    try:
        subprocess.run(["apt-get", "download", "-qq", PACKAGE], cwd=folder, check=True,
                       stderr=subprocess.DEVNULL)
        deb = checked(next(folder.glob("*.deb")), DEB_SHA256)
        subprocess.run(["dpkg-deb", "-x", str(deb), str(folder)], check=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise FetchError(f"apt-get could not download {PACKAGE}: this needs Debian, with "
                         "lists of packages (apt-get update)") from error
    return folder / INSIDE


def pictures(path: Path, count: int) -> np.ndarray:
    pixels = np.frombuffer(gzip.decompress(path.read_bytes())[HEADER:], dtype=np.uint8)
    return pixels.reshape(-1, DIM)[:count].astype(np.float32)


def fetch(out: Path) -> None:
    if all(matches(out / name, digest) for name, digest in FILES.items()):
        print(f"fashion-mnist: up to date in {out}")
        return
    out.mkdir(parents=True, exist_ok=True)
    print("fashion-mnist: downloading 31 MB")
    with tempfile.TemporaryDirectory() as folder:
        source = unpacked(Path(folder))
        for name, (packed, count) in SETS.items():
            np.save(out / name, pictures(source / packed, count))
            checked(out / name, FILES[name])
            print(f"fashion-mnist: {count:>6,} x {DIM}  {FILES[name]}  {name}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", default=ROOT / "target/data/fashion-mnist",
                        help="folder to write to (default: target/data/fashion-mnist)")
    try:
        fetch(parser.parse_args().out)
    except (FetchError, OSError, ValueError) as error:
        print(f"fetch_fashion_mnist: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
