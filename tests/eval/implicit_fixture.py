#!/usr/bin/env python3
"""Make tests/fixtures/foldin-implicit.json: user factors as implicit solves them.

Item factors are random float64; what counts is the solution, so none are
trained. Histories hold weights of both signs, fractions and a user who only
dislikes. `recalculate_user` takes confidences, alpha times weight. Needs the packages of
requirements.txt:

    python implicit_fixture.py ../fixtures/foldin-implicit.json
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

N_USERS, N_ITEMS, FACTORS = 12, 30, 6
ALPHA, LAMBDA = 4.0, 0.7


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    rng = np.random.default_rng(11)
    items = rng.normal(size=(N_ITEMS, FACTORS)) * 0.6
    weights = np.zeros((N_USERS, N_ITEMS))
    for user in range(N_USERS):
        chosen = rng.choice(N_ITEMS, size=rng.integers(1, 15), replace=False)
        drawn = rng.choice([0.25, 0.5, 1.0, 1.5, 3.0], size=len(chosen))
        signs = np.where(rng.random(len(chosen)) < 0.25, -1.0, 1.0)
        weights[user, chosen] = drawn * (signs if user else -1.0)

    model = AlternatingLeastSquares(factors=FACTORS, regularization=LAMBDA, dtype=np.float64)
    model.item_factors = items
    model.user_factors = np.zeros((N_USERS, FACTORS))
    confidence = csr_matrix(ALPHA * weights)
    users = np.vstack([model.recalculate_user(u, confidence[u]) for u in range(N_USERS)])
    history = [[[int(i), float(weights[u, i])] for i in np.flatnonzero(weights[u])]
               for u in range(N_USERS)]
    one = {"fold": "implicit", "alpha": ALPHA, "lambda": LAMBDA, "items": items.tolist(),
           "history": history, "users": users.tolist()}
    made = {"producer": f"implicit {version('implicit')}", "models": [one]}
    Path(sys.argv[1]).write_text(json.dumps(made, separators=(",", ":")) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
