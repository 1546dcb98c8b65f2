#!/usr/bin/env python3
"""Measure fold-in through an archive on MovieLens 100K, and check it.

tests/protocol.md says what is measured and why; this file runs it. The exit
status is 0 when every check passes, 1 when one does not, 2 when the run could
not be made.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import models  # first: it sets the number of threads before numpy is read
import numpy as np
from archive import Answers, ArchiveError, through_archive, write_inputs
from fetching import ROOT
from protocol import SEEDS, Data, Measured, Split, interval

GRID = [(alpha, lam) for alpha in (2.5, 5.0, 10.0, 20.0)
        for lam in (10.0, 20.0, 30.0, 40.0, 60.0, 80.0)]

ALGEBRA_TOLERANCE = 1e-9
CODES_TOLERANCE = 0.002
FEW_BITS = (5, 6)
FEW_BITS_MAY_COST = 0.01
BLEND_MAY_LOSE = 0.005
FEWEST_GAIN = 0.12

ARCHIVE = "fold-in, archive"
FLOAT = "fold-in, float64"
BITS = {bits: f"fold-in, {bits} bits" for bits in FEW_BITS}
BLEND = "with weights between items"
MEAN = "mean vector"
MEAN_TUNED = "mean vector, tuned for it"
EASE = "EASE"
POPULARITY = "popularity"


@dataclass
class Run:
    """Everything the seeds gave, method by method and user by user."""

    users: list[int] = field(default_factory=list)
    measured: dict[str, list[Measured]] = field(default_factory=dict)
    algebra: list[float] = field(default_factory=list)
    reference: list[float] = field(default_factory=list)
    seeds: list[dict] = field(default_factory=list)

    def add(self, method: str, measured: Measured) -> None:
        self.measured.setdefault(method, []).append(measured)

    def recall(self, method: str) -> np.ndarray:
        return np.concatenate([m.recall for m in self.measured[method]])

    def ndcg(self, method: str) -> np.ndarray:
        return np.concatenate([m.ndcg for m in self.measured[method]])


@dataclass
class Check:
    name: str
    passed: bool
    found: float
    bound: str


def select(splits: list[Split]) -> tuple[dict[str, tuple[float, float]], list[dict]]:
    """The grid point with the best mean recall on the panel: for fold-in, and,
    to be fair to the baseline, once more for the mean vector."""
    folds = [(split.seed, split.for_selection()) for split in splits]
    table = []
    for alpha, lam in GRID:
        sums = {FLOAT: 0.0, MEAN: 0.0}
        for seed, fold in folds:
            factors = models.train(fold.train, len(fold.items), alpha, lam, seed)
            vectors = {FLOAT: models.fold_in(factors, fold.measured, alpha, lam),
                       MEAN: models.mean_vectors(factors, fold.measured)}
            for method, v in vectors.items():
                measured = Measured.by_scores(v @ factors.T, fold.measured)
                sums[method] += measured.recall.mean() / len(folds)
        table.append({"alpha": alpha, "lambda": lam,
                      "fold_in": sums[FLOAT], "mean_vector": sums[MEAN]})
    # max takes the first of equals, and the grid is in ascending order.
    best = {method: max(table, key=lambda row, key=key: row[key])
            for method, key in ((FLOAT, "fold_in"), (MEAN, "mean_vector"))}
    return {m: (row["alpha"], row["lambda"]) for m, row in best.items()}, table


def measure(run: Run, split: Split, chosen: dict[str, tuple[float, float]], data: Data,
            nearfield: Path, folder: Path) -> None:
    """One seed: train, measure the baselines, ask the archive."""
    fold = split.for_testing()
    users, n_items = fold.measured, len(fold.items)
    alpha, lam = chosen[FLOAT]
    factors = models.train(fold.train, n_items, alpha, lam, split.seed)

    vectors = models.fold_in(factors, users, alpha, lam)
    run.reference.append(models.relative_difference(
        vectors, models.fold_in_implicit(factors, users, alpha, lam)))
    run.add(FLOAT, Measured.by_scores(vectors @ factors.T, users))
    own = models.train(fold.train, n_items, *chosen[MEAN], split.seed)
    for method, y in ((MEAN, factors), (MEAN_TUNED, own)):
        run.add(method, Measured.by_scores(models.mean_vectors(y, users) @ y.T, users))

    histories = models.matrix([sorted(u.history) for u in users], n_items)
    run.add(EASE, Measured.by_scores(histories @ models.ease(fold.train, n_items), users))
    counts = models.popularity(fold.train, n_items)
    run.add(POPULARITY, Measured.by_scores(np.tile(counts, (len(users), 1)), users))

    write_inputs(folder, fold.items, data.films, factors, users, fold.train)

    def ask(*options: str) -> Answers:
        return through_archive(nearfield, folder, fold.items, users, alpha, lam, *options)

    for bits, method in BITS.items():
        run.add(method, Measured.of(ask("--bits", str(bits)).rankings, users))
    blend = ask("--bits", "8", "--interactions", "train.csv")
    run.add(BLEND, Measured.of(blend.rankings, users))
    answers = ask("--bits", "8")
    run.algebra.append(models.relative_difference(
        answers.vectors, models.fold_in_implicit(answers.factors, users, alpha, lam)))
    measured = Measured.of(answers.rankings, users)
    if not (np.allclose(measured.recall, answers.recall, rtol=0, atol=1e-9)
            and np.allclose(measured.ndcg, answers.ndcg, rtol=0, atol=1e-9)):
        raise ArchiveError(f"seed {split.seed}: nearfield eval measures its own "
                           "recommendations differently from tests/protocol.md")
    run.add(ARCHIVE, measured)
    run.users += [user.id for user in users]
    run.seeds.append({
        "seed": split.seed, "train_users": len(fold.train), "items": n_items,
        "archive_bytes": answers.archive_bytes, "archive_bytes_with_weights": blend.archive_bytes,
        "archive_mean_vector_recall_at_20": float(answers.mean_recall.mean()),
        **{f"{m} recall_at_20": float(run.measured[m][-1].recall.mean())
           for m in run.measured},
    })


def checks(run: Run) -> list[Check]:
    ours, theirs = run.recall(ARCHIVE).mean(), run.recall(MEAN).mean()
    float64 = run.recall(FLOAT).mean()
    codes = abs(ours - float64)
    ranks = abs(run.ndcg(ARCHIVE).mean() - run.ndcg(FLOAT).mean())
    gain = ours / theirs - 1
    few = {bits: 1 - run.recall(method).mean() / float64 for bits, method in BITS.items()}
    better = max(ours, run.recall(EASE).mean())
    blend = run.recall(BLEND).mean() / better - 1
    return [
        Check("reference: our float64 fold-in equals implicit's",
              max(run.reference) <= ALGEBRA_TOLERANCE, max(run.reference), "<= 1e-9"),
        Check("(a) algebra: the archive's fold-in equals implicit's",
              max(run.algebra) <= ALGEBRA_TOLERANCE, max(run.algebra), "<= 1e-9"),
        Check("(b) codes: recall_at_20 as from float64 factors",
              bool(codes <= CODES_TOLERANCE), float(codes), "<= 0.002"),
        Check("(b) codes: ndcg_at_100 as from float64 factors",
              bool(ranks <= CODES_TOLERANCE), float(ranks), "<= 0.002"),
        *(Check(f"(b) codes: the share of recall_at_20 that {bits} bits cost",
                bool(cost <= FEW_BITS_MAY_COST), float(cost), "<= 0.01")
          for bits, cost in few.items()),
        Check("(c) gain: recall_at_20 above the mean vector's",
              bool(gain >= FEWEST_GAIN), float(gain), ">= 0.12"),
        Check("(d) with weights between items, against the better of fold-in and EASE",
              bool(blend >= -BLEND_MAY_LOSE), float(blend), ">= -0.005"),
    ]


def report(run: Run, chosen: dict[str, tuple[float, float]]) -> dict[str, dict]:
    """Print the table; return what it shows."""
    users = np.array(run.users)
    alpha, lam = chosen[FLOAT]
    print(f"\nalpha {alpha:g}, lambda {lam:g}, {models.DIM} factors; "
          f"mean of {len(users)} test users in {len(run.seeds)} seeds")
    print(f"{'':<28}{'recall@20':>10}{'ndcg@100':>10}   "
          "archive minus this, recall@20 (95 %)")
    rows = {}
    for method in (ARCHIVE, BLEND, FLOAT, *BITS.values(), MEAN, MEAN_TUNED, EASE, POPULARITY):
        recall, ndcg = run.recall(method), run.ndcg(method)
        rows[method] = {"recall_at_20": float(recall.mean()),
                        "ndcg_at_100": float(ndcg.mean())}
        line = f"{method:<28}{recall.mean():>10.4f}{ndcg.mean():>10.4f}"
        if method != ARCHIVE:
            mean, low, high = interval(run.recall(ARCHIVE) - recall, users)
            rows[method]["archive_minus_this"] = {"mean": mean, "low": low, "high": high}
            line += f"   {mean:+.4f} [{low:+.4f}, {high:+.4f}]"
        print(line)
    print()
    return rows


def evaluate(nearfield: Path, data_folder: Path, out: Path) -> list[Check]:
    data = Data.read(data_folder)
    splits = [Split.draw(data, seed) for seed in SEEDS]
    start = time.monotonic()
    chosen, table = select(splits)
    print(f"eval: chose alpha and lambda from {len(GRID)} pairs "
          f"in {time.monotonic() - start:.0f} s")
    run = Run()
    for split in splits:
        start = time.monotonic()
        measure(run, split, chosen, data, nearfield, out / f"seed-{split.seed}")
        print(f"eval: seed {split.seed} in {time.monotonic() - start:.1f} s")
    rows = report(run, chosen)
    results = checks(run)
    for check in results:
        print(f"{'pass' if check.passed else 'FAIL'}  {check.name}: "
              f"{check.found:.3g} ({check.bound})")
    (out / "movielens.json").write_text(json.dumps({
        "chosen": {"alpha": chosen[FLOAT][0], "lambda": chosen[FLOAT][1]},
        "chosen_for_mean_vector": {"alpha": chosen[MEAN][0], "lambda": chosen[MEAN][1]},
        "checks": [asdict(check) for check in results],
        "methods": rows, "seeds": run.seeds, "selection": table,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("implicit", "numpy", "scipy")},
    }, indent=1) + "\n", "utf-8")
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nearfield", type=Path, default=ROOT / "target/release/nearfield",
                        help="the command to measure (default: target/release/nearfield)")
    parser.add_argument("--data", type=Path, default=ROOT / "target/data/ml-100k",
                        help="where fetch_movielens.py put the data")
    parser.add_argument("--out", type=Path, default=ROOT / "target/eval",
                        help="folder for inputs, archives and movielens.json")
    args = parser.parse_args()
    if not (args.data / "ml-100k.inter").is_file():
        print(f"eval: no data in {args.data}; run tests/eval/fetch_movielens.py",
              file=sys.stderr)
        return 2
    try:
        if not args.nearfield.is_file():
            raise ArchiveError(f"{args.nearfield} is missing; build it first with "
                               "cargo build --release --features cli")
        results = evaluate(args.nearfield.resolve(), args.data, args.out)
    except (ArchiveError, OSError, ValueError, KeyError) as error:
        print(f"eval: {error}", file=sys.stderr)
        return 2
    n_failed = sum(not check.passed for check in results)
    print(f"eval: {len(results) - n_failed} passed, {n_failed} failed")
    return int(n_failed > 0)


if __name__ == "__main__":
    sys.exit(main())
