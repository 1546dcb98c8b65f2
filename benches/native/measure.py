"""Builds native peers' indexes, and lets them answer on one thread: a job comes
as JSON in one line of standard input.

    task "prepare"   builds what is missing; prints {key, name, index} of each peer
    task "answer"    loads them, prints {port}, and answers HTTP on this machine
                     until standard input ends:
        GET /                             {peer, variant} of all, in an order
        GET /N?from=0&to=100              {ms, rows}: variant N answers these
                                          queries, each alone
        GET /N?from=0&to=100&together=1   the same in one call; ms holds its mean

A peer is one module in peers/ with these names:

    KEY, NAME           as in the report
    build(rows, metric, path)       makes an index, kept at path
    load(path, dim, metric)         the index, ready for one thread
    variants(index)     names and settings, from fast to thorough
    tune(index, setting)            what precedes searches at that setting
    search(index, queries, k)       row numbers, one list a query

Peers whose library is not installed are left out.

A call from Python costs microseconds that the peer is not to blame for. So both
can be asked for: queries alone, and all in one call. Time is taken here, so what
asking costs is in neither. Asked for turns, peers meet the weather that those in
a page do.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from time import perf_counter_ns
from urllib.parse import parse_qs, urlsplit

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


class Contender:
    """One variant of a peer, ready to answer."""

    def __init__(self, peer, index, name, setting, k):
        self.told = {"peer": peer.KEY, "variant": name}
        self.search = lambda queries: peer.search(index, queries, k)
        self.tune = lambda: peer.tune(index, setting)

    def alone(self, queries) -> dict:
        times, rows = [], []
        for query in queries:
            row = query[None]
            began = perf_counter_ns()
            found = self.search(row)
            times.append(ms(began))
            rows.append(np.asarray(found[0]).tolist())
        return {"ms": times, "rows": rows}

    def together(self, queries) -> dict:
        began = perf_counter_ns()
        found = self.search(queries)
        mean = ms(began) / len(queries)
        return {"ms": [mean], "rows": np.asarray(found).tolist()}


def answer(peers: list, job: dict) -> None:
    queries = read(job["queries"], job["metric"])
    contenders = []
    for peer in peers:
        index = peer.load(index_of(peer, job), queries.shape[1], job["metric"])
        contenders += [Contender(peer, index, *variant, job["k"]) for variant in peer.variants(index)]
    for contender in contenders:
        contender.tune()
        contender.alone(queries[:WARM])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            url = urlsplit(self.path)
            asked = {name: int(value) for name, [value] in parse_qs(url.query).items()}
            if url.path == "/":
                result = [contender.told for contender in contenders]
            else:
                contender = contenders[int(url.path[1:])]
                contender.tune()
                ask = contender.together if asked.get("together") else contender.alone
                result = ask(queries[asked["from"] : asked["to"]])
            body = json.dumps(result).encode()
            self.send_response(200)
            # A page of any address may read it.
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    # Requests are answered one at a time.
    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_port}), flush=True)
    sys.stdin.read()


def main() -> None:
    job = json.loads(sys.stdin.readline())
    peers = installed(job.get("peers"))
    if job["task"] == "answer":
        answer(peers, job)
    else:
        print(json.dumps([{"key": p.KEY, "name": p.NAME, "index": index_of(p, job)} for p in peers]))


if __name__ == "__main__":
    main()
