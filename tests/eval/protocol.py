"""The protocol of tests/protocol.md: data, splits, measures, intervals.

Everything random is drawn here, in the order that the protocol writes down, so
that this file and that page can be held side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

POSITIVE = 4.0  # a rating of this or more is a positive
FEWEST = 5  # users with fewer positives are left out
PANEL = 200  # validation users, the same for every seed
TEST = 200  # test users of one seed
SEEDS = range(5)
PANEL_SEED = 1000  # draws the panel; [PANEL_SEED, seed] cuts its users' items
K = 20
NDCG_K = 100


@dataclass(frozen=True)
class Film:
    title: str
    genres: list[str]
    year: int | None


@dataclass(frozen=True)
class User:
    """One user whose items have been cut in two. Items are rows of the catalog."""

    id: int
    history: list[int]
    held_out: list[int]


@dataclass(frozen=True)
class Data:
    films: dict[int, Film]
    positives: dict[int, set[int]]  # user -> items, users with FEWEST or more
    panel: list[int]

    @classmethod
    def read(cls, folder: Path) -> "Data":
        positives: dict[int, set[int]] = {}
        for user, item, rating, _time in table(folder / "ml-100k.inter"):
            if float(rating) >= POSITIVE:
                positives.setdefault(int(user), set()).add(int(item))
        positives = {u: p for u, p in sorted(positives.items()) if len(p) >= FEWEST}
        films = {int(i): film(t, y, g) for i, t, y, g in table(folder / "ml-100k.item")}
        order = np.random.default_rng(PANEL_SEED).permutation(len(positives))
        users = list(positives)
        return cls(films, positives, [users[n] for n in order[:PANEL]])


@dataclass(frozen=True)
class Split:
    """One seed: who is tested, and the users left to learn from."""

    data: Data
    seed: int
    test: list[int]
    rest: list[int]  # everyone but the test users and the panel
    rng: np.random.Generator  # positioned after the draw of the test users

    @classmethod
    def draw(cls, data: Data, seed: int) -> "Split":
        rng = np.random.default_rng(seed)
        panel = set(data.panel)
        others = [u for u in data.positives if u not in panel]
        order = rng.permutation(len(others))
        drawn = [others[n] for n in order]
        return cls(data, seed, drawn[:TEST], sorted(drawn[TEST:]), rng)

    def for_selection(self) -> "Fold":
        rng = np.random.default_rng([PANEL_SEED, self.seed])
        return Fold.make(self.data, self.rest, self.data.panel, rng)

    def for_testing(self) -> "Fold":
        """To be called once: it uses up the seed's generator."""
        train = sorted(self.rest + self.data.panel)
        return Fold.make(self.data, train, self.test, self.rng)


@dataclass(frozen=True)
class Fold:
    """Users to learn from, users to measure on, and the catalog they share."""

    items: list[int]  # catalog row -> item id
    train: list[list[int]]  # one list of catalog rows a user
    measured: list[User]

    @classmethod
    def make(cls, data: Data, train: list[int], measured: list[int],
             rng: np.random.Generator) -> "Fold":
        items = sorted(set().union(*(data.positives[u] for u in train)))
        row = {item: n for n, item in enumerate(items)}
        learn = [sorted(row[i] for i in data.positives[u]) for u in train]
        return cls(items, learn, [cut(u, data.positives[u], row, rng) for u in measured])


def table(path: Path) -> list[list[str]]:
    """The rows of one of RecBole's tab-separated files, without its heading."""
    return [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]


def film(title: str, year: str, genres: str) -> Film:
    """Two films have no year in this copy: one says "unkonwn", one says "V"."""
    return Film(title, genres.split(), int(year) if year.isdigit() else None)


def cut(user: int, positives: set[int], row: dict[int, int],
        rng: np.random.Generator) -> User:
    """Four fifths of a user's known items to fold in, the rest to be found."""
    known = [row[item] for item in sorted(positives) if item in row]
    if len(known) < 2:
        raise ValueError(f"user {user}: {len(known)} known items cannot be cut in two")
    order = rng.permutation(len(known))
    n_history = len(known) - max(1, len(known) // 5)
    return User(user, [known[n] for n in order[:n_history]],
                [known[n] for n in order[n_history:]])


def ranking(scores: np.ndarray, history: list[int]) -> list[int]:
    """The first NDCG_K rows: highest score first, ties by row, no history."""
    scores = scores.copy()
    scores[history] = -np.inf
    order = np.argsort(-scores, kind="stable")
    return order[: min(NDCG_K, len(scores) - len(history))].tolist()


def recall_at_k(ranked: list[int], held_out: list[int], k: int = K) -> float:
    return len(set(ranked[:k]) & set(held_out)) / min(k, len(held_out))


def ndcg_at_k(ranked: list[int], held_out: list[int], k: int = NDCG_K) -> float:
    wanted = set(held_out)
    discounts = 1 / np.log2(np.arange(2, k + 2))
    gain = sum(d for d, item in zip(discounts, ranked) if item in wanted)
    return float(gain / discounts[: len(wanted)].sum())


@dataclass(frozen=True)
class Measured:
    """One method's two measures, user by user, in the order of the test users."""

    recall: np.ndarray
    ndcg: np.ndarray

    @classmethod
    def of(cls, rankings: list[list[int]], users: list[User]) -> "Measured":
        pairs = list(zip(rankings, (u.held_out for u in users), strict=True))
        return cls(np.array([recall_at_k(r, h) for r, h in pairs]),
                   np.array([ndcg_at_k(r, h) for r, h in pairs]))

    @classmethod
    def by_scores(cls, scores: np.ndarray, users: list[User]) -> "Measured":
        return cls.of([ranking(s, u.history) for s, u in zip(scores, users, strict=True)],
                      users)


def interval(differences: np.ndarray, users: np.ndarray) -> tuple[float, float, float]:
    """Mean and 95 % interval of paired differences, clustered by user.

    A user may be drawn as a test user of several seeds, and then brings
    differences that are alike. The variance therefore adds up whole users.
    """
    mean = differences.mean()
    _, cluster = np.unique(users, return_inverse=True)
    sums = np.bincount(cluster, weights=differences - mean)
    n = len(sums)
    error = np.sqrt(n / (n - 1) * (sums**2).sum()) / len(differences)
    return float(mean), float(mean - 1.96 * error), float(mean + 1.96 * error)
