#!/usr/bin/env python3
"""Fetch MovieLens 100K for the evaluation.

GroupLens lets these ratings be used for research and forbids passing them on
without permission, so they are never committed and never shipped; they land in
a folder that git ignores. The copy comes from the package recbole, which
carries the data set in its own text form. What each file holds stands in
tests/protocol.md.

Standard library only. Does nothing when the files are there and right.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import zipfile
from pathlib import Path

from fetching import ROOT, FetchError, matches, pip_download

PACKAGE = "recbole==1.2.1"
PACKAGE_SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
INSIDE = "recbole/dataset_example/ml-100k"
FILES = {
    "ml-100k.inter": "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
    "ml-100k.item": "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
    "ml-100k.user": "4f670007d9cfbeb9807e757209af1555b9bcc186bde25e767f67cb67c6dd5972",
}


def fetch(out: Path) -> None:
    if all(matches(out / name, digest) for name, digest in FILES.items()):
        print(f"movielens: up to date in {out}")
        return
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        wheel = pip_download(PACKAGE, PACKAGE_SHA256, Path(folder))
        with zipfile.ZipFile(wheel) as package:
            for name in FILES:
                (out / name).write_bytes(package.read(f"{INSIDE}/{name}"))
    wrong = [name for name, digest in FILES.items() if not matches(out / name, digest)]
    if wrong:
        raise FetchError(f"{', '.join(wrong)}: not the pinned content after unpacking")
    print(f"movielens: 100,000 ratings in {out} (research use only, do not pass on)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?",
                        default=ROOT / "target/data/ml-100k",
                        help="folder to write to (default: target/data/ml-100k)")
    try:
        fetch(parser.parse_args().out)
    except (FetchError, OSError, zipfile.BadZipFile) as error:
        print(f"fetch_movielens: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
