"""Builds and times native peers on one thread; a job comes as JSON on standard
input and what was found leaves as JSON on standard output.

A peer is one module in peers/ with these names:

    KEY, NAME           as in the report
    build(rows, metric, path)       makes an index, kept at path
    load(path, dim, metric)         the index, ready for one thread
    variants(index)     names and settings, from fast to thorough
    tune(index, setting)            what precedes searches at that setting
    search(index, queries, k)       row numbers, one list a query

Peers whose library is not installed are left out.

A call from Python costs microseconds that the peer is not to blame for. So both
are measured: every query alone, and all of them in one call on one thread; the
smaller of the former's median and the latter's mean is the peer's figure.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from time import perf_counter_ns

from vectors import np, read

HERE = Path(__file__).resolve().parent
# Calls before the clock starts: they bring the index into caches and memory maps.
WARM = 200


def installed(only: list[str] | None) -> list:
    found = []
    for path in sorted((HERE / "peers").glob("*.py")):
        try:
            peer = importlib.import_module(f"peers.{path.stem}")
        except ImportError:
            continue
        if only is None or peer.KEY in only:
            found.append(peer)
    return found


def index_of(peer, job: dict) -> str:
    """The path of the peer's index, which is built once and kept."""
    path = f"{job['cache']}/{peer.KEY}-{job['digest']}-{job['metric']}.bin"
    if not os.path.exists(path):
        print(f"bench: {job['name']}: {peer.NAME} builds its index (once)", file=sys.stderr)
        peer.build(read(job["base"], job["metric"]), job["metric"], f"{path}.part")
        os.replace(f"{path}.part", path)
    return path


def ms(began: int) -> float:
    return (perf_counter_ns() - began) / 1e6


def measure(peer, job: dict) -> list[dict]:
    queries = read(job["queries"], job["metric"])
    index = peer.load(index_of(peer, job), queries.shape[1], job["metric"])
    variants = peer.variants(index)
    alone = [[] for _ in variants]
    together = [[] for _ in variants]
    answers = [None for _ in variants]
    for turn in range(job["passes"]):
        for at in range(len(variants)):
            # Another one begins each time, so that nobody always follows the same one.
            n = (at + turn) % len(variants)
            peer.tune(index, variants[n][1])
            for query in queries[:WARM]:
                peer.search(index, query[None], job["k"])
            for query in queries:
                row = query[None]
                began = perf_counter_ns()
                peer.search(index, row, job["k"])
                alone[n].append(ms(began))
            began = perf_counter_ns()
            answers[n] = peer.search(index, queries, job["k"])
            together[n].append(ms(began) / len(queries))
    return [{
        "peer": peer.KEY,
        "variant": name,
        "calls": len(alone[n]),
        "p50": float(np.median(alone[n])),
        "p99": float(np.quantile(alone[n], 0.99)),
        "inARow": float(np.median(together[n])),
        "ms": float(min(np.median(alone[n]), np.median(together[n]))),
        "answers": np.asarray(answers[n]).tolist(),
    } for n, (name, _) in enumerate(variants)]


def main() -> None:
    job = json.load(sys.stdin)
    peers = installed(job.get("peers"))
    if job["task"] == "prepare":
        result = [{"key": p.KEY, "name": p.NAME, "index": index_of(p, job)} for p in peers]
    else:
        result = [found for p in peers for found in measure(p, job)]
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
