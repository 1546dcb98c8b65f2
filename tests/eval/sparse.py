#!/usr/bin/env python3
"""Measure the weights between items that an archive may carry, and check them.

tests/protocol.md says what is measured and why ("The second scorer"). The exit
status is 0 when every check passes, 1 when one does not, 2 when the run could
not be made.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import models  # first: it sets the number of threads before numpy is read
import numpy as np
import sparse_log
from archive import ArchiveError, dump, run, write_log
from fetching import ROOT
from protocol import K, NDCG_K, SEEDS, Data, Measured, Split, User, interval
from scipy.sparse import csr_matrix

MOVIELENS = (10.0, 40.0)  # alpha and lambda, as movielens.py chooses them
GRID = [(alpha, lam) for alpha in (10.0, 20.0, 40.0, 80.0) for lam in (10.0, 20.0, 40.0)]
EASE_GRID = (10.0, 30.0, 100.0, 300.0)
TEST = 1000
VALIDATION = 500
SIZES = (2, 4, 8, 16, 32, 64)

MAY_LOSE = 0.005
FEWEST_LEAD = 0.10
FEWEST_RECOVERED = 0.75

FOLD_IN, EASE, BLEND, ALONE = "fold-in", "EASE", "blend", "weights alone"
WRITTEN = "blend, in NumPy"


@dataclass
class Log:
    """One seed of one log: who is learned from, who is measured."""

    items: list[str]
    train: list[list[int]]
    test: list[User]
    validation: list[User] = field(default_factory=list)


@dataclass
class Result:
    """One log's figures over all seeds, method by method and user by user."""

    users: list[int] = field(default_factory=list)
    recall: dict[str, list[np.ndarray]] = field(default_factory=dict)
    builds: list[dict] = field(default_factory=list)

    def mean(self, method: str) -> float:
        return float(self.all(method).mean())

    def all(self, method: str) -> np.ndarray:
        return np.concatenate(self.recall[method])


@dataclass
class Check:
    name: str
    passed: bool
    found: float
    bound: str


def movielens(data: Data, seed: int) -> Log:
    fold = Split.draw(data, seed).for_testing()
    return Log([str(i) for i in fold.items], fold.train, fold.measured)


def synthetic(seed: int) -> Log:
    """The generator's users: the first drawn are tested, the next validate."""
    users = sparse_log.make(seed)
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(users))
    test, validation = drawn[:TEST], drawn[TEST:TEST + VALIDATION]
    rest = [users[n] for n in sorted(drawn[TEST + VALIDATION:])]
    items = sorted(set().union(*rest))
    row = {item: n for n, item in enumerate(items)}

    def cut(n: int) -> User:
        known = [row[i] for i in users[n] if i in row]
        order = rng.permutation(len(known))
        n_history = len(known) - max(1, len(known) // 5)
        return User(int(n), [known[i] for i in order[:n_history]],
                    [known[i] for i in order[n_history:]])

    return Log([str(i) for i in items], [sorted(row[i] for i in r) for r in rest],
               [cut(n) for n in test], [cut(n) for n in validation])


def histories(users: list[User], n_items: int) -> csr_matrix:
    return models.matrix([sorted(u.history) for u in users], n_items).astype(np.float64)


def ease(log: Log, lam: float) -> np.ndarray:
    return models.ease(log.train, len(log.items), lam)


def select(log: Log) -> tuple[tuple[float, float], float]:
    """Alpha and lambda of the factors, and EASE's lambda: the best on validation
    users, so that neither side of the comparison is handicapped."""
    def fold_in(pair: tuple[float, float]) -> float:
        factors = models.train(log.train, len(log.items), *pair, 0)
        vectors = models.fold_in(factors, log.validation, *pair)
        return Measured.by_scores(vectors @ factors.T, log.validation).recall.mean()

    def by_ease(lam: float) -> float:
        scores = histories(log.validation, len(log.items)) @ ease(log, lam)
        return Measured.by_scores(scores, log.validation).recall.mean()

    return max(GRID, key=fold_in), max(EASE_GRID, key=by_ease)


def build(nearfield: Path, folder: Path, log: Log, factors: np.ndarray,
          pair: tuple[float, float], *options: str) -> dict:
    """An archive with weights between items; what the command said of it."""
    folder.mkdir(parents=True, exist_ok=True)
    dump(folder / "items.jsonl", [{"id": item} for item in log.items])
    np.save(folder / "factors.npy", factors)
    write_log(folder / "log.csv", log.items, dict(enumerate(log.train)))
    dump(folder / "users.jsonl", [{
        "user": str(user.id),
        "history": [{"item": log.items[row], "weight": 1.0} for row in user.history],
        "held_out": [log.items[row] for row in user.held_out],
    } for user in log.test])
    said = run(nearfield, folder, "build", "items.jsonl", "--vectors", "factors.npy",
               "--bits", "8", "--metric", "inner-product", "--foldin", "implicit",
               "--alpha", str(pair[0]), "--lambda", str(pair[1]),
               "--interactions", "log.csv", *options, "-o", "log.nf", "--json")
    report = json.loads(said)
    table = next(s["bytes"] for s in report["sections"] if s["name"] == "neighbours")
    return {**report["neighbours"], "section_bytes": table,
            "stored_bytes_per_item": table / len(log.items)}


def decoded(nearfield: Path, folder: Path, log: Log,
            has_weights: bool) -> tuple[np.ndarray, csr_matrix]:
    """Item vectors and weights between items as the archive's readers see them."""
    extra = ["--neighbours", "weights.csv"] if has_weights else []
    run(nearfield, folder, "decode", "log.nf", "-o", "decoded.npy", "--ids", "ids.txt", *extra)
    row = {item: n for n, item in enumerate(log.items)}
    order = [row[i] for i in (folder / "ids.txt").read_text("utf-8").split("\n")[:-1]]
    factors = np.empty((len(order), models.DIM))
    factors[order] = np.load(folder / "decoded.npy", allow_pickle=False)
    n = len(order)
    if not has_weights:
        return factors, csr_matrix((n, n))
    w = np.loadtxt(folder / "weights.csv", delimiter=",", skiprows=1, ndmin=2)
    places = np.asarray(order)[w[:, :2].astype(int)]
    return factors, csr_matrix((w[:, 2], (places[:, 0], places[:, 1])), shape=(n, n))


def asked(nearfield: Path, folder: Path, log: Log) -> Measured:
    """What the command recommends from the archive, as an app would get it."""
    run(nearfield, folder, "eval", "log.nf", "--users", "users.jsonl", "-k", str(K),
        "--ndcg-k", str(NDCG_K), "--json", "out.json")
    row = {item: n for n, item in enumerate(log.items)}
    answers = json.loads((folder / "out.json").read_text("utf-8"))["users"]
    return Measured.of([[row[i] for i in a["recommended"]] for a in answers], log.test)


def measure(nearfield: Path, folder: Path, log: Log, seed: int, pair: tuple[float, float],
            lam: float, result: Result) -> None:
    n = len(log.items)
    factors = models.train(log.train, n, *pair, seed)
    said = build(nearfield, folder, log, factors, pair)
    result.builds.append(said)
    vectors, weights = decoded(nearfield, folder, log, said["beta"] > 0)
    known = histories(log.test, n)
    fold_in = models.fold_in(vectors, log.test, *pair) @ vectors.T
    side = (known @ weights).toarray()
    for method, scores in ((FOLD_IN, fold_in), (EASE, known @ ease(log, lam)),
                           (WRITTEN, fold_in + said["beta"] * side), (ALONE, side)):
        measured = Measured.by_scores(scores, log.test).recall
        result.recall.setdefault(method, []).append(measured)
    result.recall.setdefault(BLEND, []).append(asked(nearfield, folder, log).recall)
    result.users += [user.id for user in log.test]


def curve(nearfield: Path, folder: Path, log: Log, pair: tuple[float, float],
          lam: float) -> list[dict]:
    """What each number of weights costs, and recovers of EASE's lead."""
    n = len(log.items)
    factors = models.train(log.train, n, *pair, 0)
    known = histories(log.test, n)
    lead = Measured.by_scores(known @ ease(log, lam), log.test).recall.mean()
    points = []
    for m in SIZES:
        said = build(nearfield, folder, log, factors, pair, "--neighbours-m", str(m))
        vectors, _ = decoded(nearfield, folder, log, has_weights=False)
        fold_in = models.fold_in(vectors, log.test, *pair) @ vectors.T
        alone = Measured.by_scores(fold_in, log.test).recall.mean()
        recall = asked(nearfield, folder, log).recall.mean()
        points.append({"m": m, "bytes_per_item": said["stored_bytes_per_item"],
                       "beta": said["beta"], "recall_at_20": float(recall),
                       "recovered": float((recall - alone) / (lead - alone))})
    return points


def report(name: str, result: Result) -> dict:
    users = np.array(result.users)
    print(f"\n{name}: mean of {len(users)} test users in {len(result.builds)} seeds")
    print(f"{'':<16}{'recall@20':>10}   blend minus this (95 %)")
    rows = {}
    for method in (BLEND, WRITTEN, FOLD_IN, EASE, ALONE):
        recall = result.all(method)
        rows[method] = {"recall_at_20": float(recall.mean())}
        line = f"{method:<16}{recall.mean():>10.4f}"
        if method != BLEND:
            mean, low, high = interval(result.all(BLEND) - recall, users)
            rows[method]["blend_minus_this"] = {"mean": mean, "low": low, "high": high}
            line += f"   {mean:+.4f} [{low:+.4f}, {high:+.4f}]"
        print(line)
    for said in result.builds:
        print(f"  {said['kind']}, regularisation {said['regularisation']:g}, {said['m']} an item, "
              f"beta {said['beta']:g}, {said['stored_bytes_per_item']:.1f} bytes an item")
    return rows


def checks(dense: Result, sparse: Result) -> list[Check]:
    best = max(dense.mean(FOLD_IN), dense.mean(EASE))
    kept = dense.mean(BLEND) / best - 1
    lead = sparse.mean(EASE) - sparse.mean(FOLD_IN)
    recovered = (sparse.mean(BLEND) - sparse.mean(FOLD_IN)) / lead
    apart = {name: abs(log.mean(BLEND) - log.mean(WRITTEN))
             for name, log in (("MovieLens", dense), ("sparse log", sparse))}
    return [
        Check("(d) MovieLens: the blend against the better of fold-in and EASE",
              kept >= -MAY_LOSE, kept, ">= -0.005"),
        *(Check(f"the command's blend finds what the same blend in NumPy finds, {name}",
                off <= 1e-3, off, "<= 0.001") for name, off in apart.items()),
        Check("(e) sparse log: EASE leads the fold-in, or it would show nothing",
              lead / sparse.mean(FOLD_IN) >= FEWEST_LEAD, lead / sparse.mean(FOLD_IN), ">= 0.10"),
        Check("(f) sparse log: the share of that lead which the blend recovers",
              recovered >= FEWEST_RECOVERED, recovered, ">= 0.75"),
    ]


def evaluate(nearfield: Path, data_folder: Path, out: Path) -> list[Check]:
    data = Data.read(data_folder)
    dense, sparse = Result(), Result()
    for seed in SEEDS:
        start = time.monotonic()
        measure(nearfield, out / f"sparse-ml-{seed}", movielens(data, seed), seed, MOVIELENS,
                models.EASE_LAMBDA, dense)
        print(f"sparse: MovieLens, seed {seed} in {time.monotonic() - start:.1f} s")
    first = synthetic(0)
    pair, lam = select(first)
    for seed in SEEDS:
        start = time.monotonic()
        measure(nearfield, out / f"sparse-{seed}", synthetic(seed), seed, pair, lam, sparse)
        print(f"sparse: generated log, seed {seed} in {time.monotonic() - start:.1f} s")
    rows = {"movielens": report("MovieLens 100K", dense),
            "generated": report(f"generated log, alpha {pair[0]:g}, lambda {pair[1]:g}, "
                                f"EASE {lam:g}", sparse)}
    points = curve(nearfield, out / "sparse-curve", first, pair, lam)
    print("\nan item  bytes  beta    recall@20  recovered")
    for p in points:
        print(f"{p['m']:7} {p['bytes_per_item']:6.1f}  {p['beta']:<6g} {p['recall_at_20']:10.4f}"
              f"  {p['recovered']:8.2f}")
    print()
    results = checks(dense, sparse)
    for check in results:
        print(f"{'pass' if check.passed else 'FAIL'}  {check.name}: "
              f"{check.found:.3g} ({check.bound})")
    (out / "sparse.json").write_text(json.dumps({
        "chosen": {"alpha": pair[0], "lambda": pair[1], "ease_lambda": lam},
        "checks": [asdict(check) for check in results], "methods": rows, "curve": points,
        "builds": {"movielens": dense.builds, "generated": sparse.builds},
    }, indent=1) + "\n", "utf-8")
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nearfield", type=Path, default=ROOT / "target/release/nearfield",
                        help="the command to measure (default: target/release/nearfield)")
    parser.add_argument("--data", type=Path, default=ROOT / "target/data/ml-100k",
                        help="where fetch_movielens.py put the data")
    parser.add_argument("--out", type=Path, default=ROOT / "target/eval",
                        help="folder for inputs, archives and sparse.json")
    args = parser.parse_args()
    if not (args.data / "ml-100k.inter").is_file():
        print(f"sparse: no data in {args.data}; run tests/eval/fetch_movielens.py",
              file=sys.stderr)
        return 2
    try:
        if not args.nearfield.is_file():
            raise ArchiveError(f"{args.nearfield} is missing; build it first with "
                               "cargo build --release --features cli")
        args.out.mkdir(parents=True, exist_ok=True)
        results = evaluate(args.nearfield.resolve(), args.data, args.out)
    except (ArchiveError, OSError, ValueError, KeyError) as error:
        print(f"sparse: {error}", file=sys.stderr)
        return 2
    n_failed = sum(not check.passed for check in results)
    print(f"sparse: {len(results) - n_failed} passed, {n_failed} failed")
    return int(n_failed > 0)


if __name__ == "__main__":
    sys.exit(main())
