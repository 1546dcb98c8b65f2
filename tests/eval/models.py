"""The methods that are compared: ALS with fold-in, and what it has to beat."""

from __future__ import annotations

import os

# One thread, so that sums are added in one order and runs repeat. Before numpy,
# which reads these once.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402
from implicit.als import AlternatingLeastSquares  # noqa: E402
from scipy.sparse import csr_matrix  # noqa: E402

from protocol import User  # noqa: E402

DIM = 64
ITERATIONS = 15
EASE_LAMBDA = 200.0


def matrix(rows: list[list[int]], n_items: int) -> csr_matrix:
    """Users by items, 1.0 for each positive. float32 is what implicit computes
    confidences in; 1.0 and every alpha of the grid are exact in it."""
    starts = np.cumsum([0, *map(len, rows)])
    columns = np.concatenate([np.asarray(r, dtype=np.int32) for r in rows])
    ones = np.ones(len(columns), dtype=np.float32)
    return csr_matrix((ones, columns, starts), shape=(len(rows), n_items))


def als(alpha: float, lam: float, dim: int,
        seed: int | None = None) -> AlternatingLeastSquares:
    return AlternatingLeastSquares(
        factors=dim, alpha=alpha, regularization=lam, iterations=ITERATIONS,
        dtype=np.float64, num_threads=1, random_state=seed,
    )


def train(train_rows: list[list[int]], n_items: int, alpha: float, lam: float,
          seed: int) -> np.ndarray:
    """Item factors, float64, one row an item of the catalog."""
    model = als(alpha, lam, DIM, seed)
    model.fit(matrix(train_rows, n_items), show_progress=False)
    return np.ascontiguousarray(model.item_factors)


def fold_in(factors: np.ndarray, users: list[User], alpha: float, lam: float) -> np.ndarray:
    """User vectors in closed form, written out from the protocol's formula."""
    gram = factors.T @ factors + lam * np.eye(factors.shape[1])
    vectors = np.empty((len(users), factors.shape[1]))
    for vector, user in zip(vectors, users):
        liked = factors[user.history]
        vector[:] = np.linalg.solve(
            gram + (alpha - 1) * liked.T @ liked, alpha * liked.sum(axis=0))
    return vectors


def fold_in_implicit(factors: np.ndarray, users: list[User], alpha: float,
                     lam: float) -> np.ndarray:
    """The same from implicit, given nothing but the item factors."""
    model = als(alpha, lam, factors.shape[1])
    model.item_factors = np.ascontiguousarray(factors, dtype=np.float64)
    history = matrix([sorted(u.history) for u in users], len(factors))
    return model.recalculate_user(np.arange(len(users)), history)


def mean_vectors(factors: np.ndarray, users: list[User]) -> np.ndarray:
    """The average that vector databases offer as recommendation."""
    return np.array([factors[u.history].mean(axis=0) for u in users])


def popularity(train_rows: list[list[int]], n_items: int) -> np.ndarray:
    return np.bincount(np.concatenate(train_rows), minlength=n_items).astype(float)


def ease(train_rows: list[list[int]], n_items: int,
         lam: float = EASE_LAMBDA) -> np.ndarray:
    """EASE (Steck 2019): item by item weights from one matrix inverse."""
    known = matrix(train_rows, n_items).astype(np.float64)
    inverse = np.linalg.inv((known.T @ known).toarray() + lam * np.eye(n_items))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights


def relative_difference(found: np.ndarray, expected: np.ndarray) -> float:
    """The worst user's error, as a share of the length of the vector expected."""
    error = np.linalg.norm(found - expected, axis=1)
    return float((error / np.linalg.norm(expected, axis=1)).max())
