"""Reading a data set's vectors, with one thread for whatever computes on them.

Imported before numpy by everything here: numpy's library reads these once.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402


def read(path: str, metric: str) -> np.ndarray:
    """float32 rows. For cosine they have length 1: then inner products are cosines,
    and no peer pays for lengths inside the time measured."""
    rows = np.load(path, allow_pickle=False)
    if metric == "cosine":
        rows = rows / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return np.ascontiguousarray(rows, dtype=np.float32)
