"""The true neighbours, by brute force in float64; what recall is measured against.

Reads a job as JSON from standard input and writes a list of row numbers per
query, best first, as JSON to the job's `out`. Rows as good as the k-th stand
behind it: whichever of them an index returns, it has made no mistake.
"""

from __future__ import annotations

import json
import sys

from vectors import np  # first: it settles the number of threads

# Scores closer than this, as a share of the k-th, are one: vectors that are equal get products
# that are equal but for the order in which a matrix product happens to add.
TIE = 1e-12
# Queries at a time; their scores against a million rows are 256 MB.
CHUNK = 32


def scored(base: np.ndarray, metric: str):
    """Columns to multiply queries with and what to take off: higher is better."""
    base = base.astype(np.float64)
    if metric == "cosine":
        base /= np.linalg.norm(base, axis=1, keepdims=True)
    # Of |q - x|^2 the query's own part does not change the order.
    off = (base * base).sum(axis=1) / 2 if metric == "euclidean" else 0.0
    return base.T, off


def best(scores: np.ndarray, k: int) -> list[int]:
    kth = np.partition(scores, -k)[-k]
    rows = np.flatnonzero(scores >= kth - TIE * abs(kth))
    return rows[np.lexsort((rows, -scores[rows]))].tolist()


def main() -> None:
    job = json.load(sys.stdin)
    base = np.load(job["base"], allow_pickle=False)
    queries = np.load(job["queries"], allow_pickle=False).astype(np.float64)
    keep = np.ones(len(base), dtype=bool)
    if job.get("sieve"):
        keep = np.fromfile(job["sieve"]["path"], dtype=np.uint8) < job["sieve"]["below"]
    numbers = np.flatnonzero(keep)
    columns, off = scored(base[keep], job["metric"])
    lists = []
    for start in range(0, len(queries), CHUNK):
        for scores in queries[start:start + CHUNK] @ columns - off:
            lists.append(numbers[best(scores, job["k"])].tolist())
    with open(job["out"], "w", encoding="utf-8") as file:
        json.dump(lists, file)


if __name__ == "__main__":
    main()
