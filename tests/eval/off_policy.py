#!/usr/bin/env python3
"""Compare off-policy estimates with those of the package obp, on the logs it ships.

obp (Open Bandit Pipeline 0.4.1, Apache-2.0) is the field's reference. Its wheel
holds 10,000 slots each of three campaigns of a fashion shop, logged under a
random policy and under Bernoulli Thompson sampling: the small Open Bandit
Dataset (Saito et al. 2020, arXiv 2008.07146), published for research. It is
fetched, never committed. Only obp's estimators are loaded, so that none of its
heavy dependencies is needed.

For each log and another policy (uniform for what Thompson sampling logged;
Thompson sampling's mean propensities for what was logged at random), `nearfield
off-policy` must give obp's IPS, SNIPS and DR to 1e-9, NumPy's standard errors
and effective sample size, and refuse where that size is below 100.

Also checks that tests/fixtures/off-policy.json, which cargo test compares with,
is what obp gives today; --fixture writes it.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import subprocess
import sys
import tempfile
import types
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fetching import ROOT, FetchError, matches, pip_download

PACKAGE = "obp==0.4.1"
WHEEL = "obp-0.4.1-py3-none-any.whl"
WHEEL_SHA256 = "87dec9caf4283c25ab13036532e0a24566f1c7bdcad1653a8ded43b2f5ef8208"
FIXTURE = ROOT / "tests/fixtures/off-policy.json"
TOLERANCE = 1e-9
FEWEST_EFFECTIVE = 100.0


@dataclass
class Log:
    """Slots as obp takes them: one draw each, of one action at one position."""

    reward: np.ndarray
    action: np.ndarray
    position: np.ndarray
    propensity: np.ndarray
    target: np.ndarray  # (n_slots, n_actions, n_positions)
    predicted: np.ndarray  # the same

    def shown(self, of: np.ndarray) -> np.ndarray:
        return of[np.arange(len(self.action)), self.action, self.position]

    def predicted_target(self) -> np.ndarray:
        slots = np.arange(len(self.action))
        target, predicted = (a[slots, :, self.position] for a in (self.target, self.predicted))
        return (target * predicted).sum(axis=1) / target.sum(axis=1)

    def obp(self, estimators: types.ModuleType) -> dict[str, float]:
        common = {"reward": self.reward, "action": self.action, "pscore": self.propensity,
                  "action_dist": self.target, "position": self.position}
        return {
            "ips": float(estimators.InverseProbabilityWeighting()
                         .estimate_policy_value(**common)),
            "snips": float(estimators.SelfNormalizedInverseProbabilityWeighting()
                           .estimate_policy_value(**common)),
            "dr": float(estimators.DoublyRobust().estimate_policy_value(
                estimated_rewards_by_reg_model=self.predicted, **common)),
        }

    def errors(self) -> dict[str, float]:
        """Standard errors of independent slots, and the effective sample size."""
        weight, n = self.shown(self.target) / self.propensity, len(self.reward)
        snips = (weight * self.reward).sum() / weight.sum()
        terms = {
            "ips": weight * self.reward,
            "snips": weight * (self.reward - snips) / weight.mean(),
            "dr": self.predicted_target() + weight * (self.reward - self.shown(self.predicted)),
        }
        errors = {name: float(x.std(ddof=1) / np.sqrt(n)) for name, x in terms.items()}
        return errors | {"effective": float(weight.sum() ** 2 / (weight ** 2).sum())}

    def rows(self) -> list[dict]:
        columns = zip(self.position.tolist(), self.reward.tolist(), self.propensity.tolist(),
                      self.shown(self.target).tolist(), self.shown(self.predicted).tolist(),
                      self.predicted_target().tolist())
        return [{"slate": str(i), "position": position, "reward": reward,
                 "propensity": propensity, "target": target, "predicted": predicted,
                 "predicted_target": predicted_target}
                for i, (position, reward, propensity, target, predicted, predicted_target)
                in enumerate(columns)]


def load_estimators(folder: Path) -> types.ModuleType:
    """obp/ope/estimators.py alone. It names torch in its signatures, and its helpers import
    pandas and scikit-learn for what is not used here: empty stand-ins do."""
    for name, members in (("torch", {"Tensor": type("Tensor", (), {})}), ("pandas", {}),
                          ("sklearn", {}), ("sklearn.utils", {"check_random_state": None})):
        module = types.ModuleType(name)
        module.__dict__.update(members)
        sys.modules.setdefault(name, module)
    for name in ("obp", "obp.ope"):
        module = types.ModuleType(name)
        module.__path__ = [str(folder / name.replace(".", "/"))]
        sys.modules[name] = module
    return importlib.import_module("obp.ope.estimators")


def unpack(data: Path) -> Path:
    """The wheel, pinned by digest, beside what was unpacked from it."""
    data.mkdir(parents=True, exist_ok=True)
    wheel = data / WHEEL
    if not matches(wheel, WHEEL_SHA256):
        print("off-policy: downloading obp, 1 MB")
        pip_download(PACKAGE, WHEEL_SHA256, data)
    folder = data / "obp-0.4.1"
    with zipfile.ZipFile(wheel) as archive:
        wanted = [name for name in archive.namelist()
                  if name in ("obp/ope/estimators.py", "obp/utils.py")
                  or (name.startswith("obp/dataset/obd/") and name.endswith(".csv"))]
        archive.extractall(folder, wanted)
    return folder


def read(folder: Path, policy: str, campaign: str) -> dict[str, np.ndarray]:
    path = folder / f"obp/dataset/obd/{policy}/{campaign}/{campaign}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    positions = np.array([int(row["position"]) for row in rows])
    return {
        "action": np.array([int(row["item_id"]) for row in rows]),
        "position": np.unique(positions, return_inverse=True)[1].reshape(-1),
        "reward": np.array([float(row["click"]) for row in rows]),
        "propensity": np.array([float(row["propensity_score"]) for row in rows]),
    }


def logged(folder: Path, policy: str, campaign: str) -> Log:
    """A campaign's log, to be evaluated for the policy that did not write it."""
    own = read(folder, policy, campaign)
    other = read(folder, "random" if policy == "bts" else "bts", campaign)
    n_actions = int(max(own["action"].max(), other["action"].max())) + 1
    n_positions = int(own["position"].max()) + 1
    target = np.zeros((n_actions, n_positions))
    np.add.at(target, (other["action"], other["position"]), other["propensity"])
    times = np.zeros_like(target)
    np.add.at(times, (other["action"], other["position"]), 1)
    target = np.full_like(target, 1.0) if policy == "bts" else target / np.maximum(times, 1)
    target /= target.sum(axis=0)
    # A plain model: an item's rate of clicks in the other log, drawn towards 1 in 200.
    clicks = np.bincount(other["action"], other["reward"], n_actions) + 1
    rate = clicks / (np.bincount(other["action"], minlength=n_actions) + 200)
    shape = (len(own["action"]), n_actions, n_positions)
    return Log(**own, target=np.broadcast_to(target, shape),
               predicted=np.broadcast_to(rate[:, None], shape))


def made_up() -> tuple[Log, list[bool]]:
    """40 slots of 5 actions with rewards that are not 0 and 1, and which of them explored."""
    draw = np.random.default_rng(20).random
    n, n_actions = 40, 5
    logging, target = (p / p.sum(axis=1, keepdims=True)
                       for p in (0.05 + draw((n, n_actions)), 0.05 + draw((n, n_actions))))
    action = (draw((n, 1)) > logging.cumsum(axis=1)).sum(axis=1)
    log = Log(reward=np.round(3 * draw(n) - 1, 3), action=action, position=np.zeros(n, dtype=int),
              propensity=logging[np.arange(n), action], target=target[:, :, None],
              predicted=np.round(draw((n, n_actions, 1)), 3))
    return log, (draw(n) > 0.15).tolist()


def fixture(estimators: types.ModuleType) -> str:
    log, explored = made_up()
    keep = np.array(explored)
    kept = Log(**{name: values[keep] for name, values in vars(log).items()})
    rows = [row if is_kept else row | {"propensity": None}
            for row, is_kept in zip(log.rows(), explored)]
    return json.dumps({"made_by": "tests/eval/off_policy.py", "obp": kept.obp(estimators),
                       "slots": rows}, indent=1) + "\n"


def ask(nearfield: Path, rows: list[dict]) -> subprocess.CompletedProcess[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
        file.flush()
        return subprocess.run([nearfield, "off-policy", file.name, "--json"],
                              capture_output=True, text=True)


def compare(name: str, log: Log, estimators: types.ModuleType, nearfield: Path) -> bool:
    expected, errors = log.obp(estimators), log.errors()
    rows, refused = log.rows(), ""
    if errors["effective"] < FEWEST_EFFECTIVE:
        run = ask(nearfield, rows)
        if run.returncode != 1 or "effective sample size: expected" not in run.stderr:
            print(f"FAIL  {name}: not refused")
            return False
        # The values of a log do not change when all of it is there several times; the effective
        # sample size does, and so even this log's bare values can be compared.
        times = int(FEWEST_EFFECTIVE / errors["effective"]) + 1
        rows = [row | {"slate": f"{row['slate']} {i}"} for i in range(times) for row in rows]
        errors, refused = {"effective": times * errors["effective"]}, ", refused as it is"
    run = ask(nearfield, rows)
    if run.returncode:
        print(f"FAIL  {name}: {run.stderr.strip()}")
        return False
    found = json.loads(run.stdout)
    effective = errors.pop("effective")
    worst = max([abs(found[key]["value"] - expected[key]) for key in expected]
                + [abs(found[key]["standard_error"] - errors[key]) for key in errors]
                + [abs(found["effective_sample_size"] / effective - 1)])
    passed = worst <= TOLERANCE
    print(f"{'pass' if passed else 'FAIL'}  {name}: IPS {expected['ips']:.6f}, SNIPS "
          f"{expected['snips']:.6f}, DR {expected['dr']:.6f}, effective "
          f"{effective * len(log.reward) / len(rows):.1f}{refused}; differs by {worst:.1e}")
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nearfield", type=Path, default=ROOT / "target/release/nearfield",
                        help="the command to compare (default: target/release/nearfield)")
    parser.add_argument("--data", type=Path, default=ROOT / "target/data/obp",
                        help="folder for the wheel (default: target/data/obp)")
    parser.add_argument("--fixture", action="store_true",
                        help="write tests/fixtures/off-policy.json and stop")
    args = parser.parse_args()
    try:
        folder = unpack(args.data)
        estimators = load_estimators(folder)
        text = fixture(estimators)
        if args.fixture:
            FIXTURE.write_text(text, "utf-8")
            return 0
        same = FIXTURE.read_text("utf-8") == text
        print(f"{'pass' if same else 'FAIL'}  the fixture is what obp gives")
        results = [same]
        for policy, other in (("bts", "uniform"), ("random", "Thompson")):
            for campaign in ("all", "men", "women"):
                log = logged(folder, policy, campaign)
                name = f"{campaign}, logged by {policy}, evaluated: {other}"
                results.append(compare(name, log, estimators, args.nearfield))
    except (FetchError, OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        print(f"off-policy: {error}", file=sys.stderr)
        return 2
    n_failed = results.count(False)
    print(f"{len(results) - n_failed} passed, {n_failed} failed")
    return int(n_failed > 0)


if __name__ == "__main__":
    sys.exit(main())
