#!/usr/bin/env python3
"""Make tests/fixtures/ward.json: merge heights as scipy's Ward linkage has them.

Random points and clustered ones, with the labels of a cut into at most four.
Needs the packages of requirements.txt:

    python ward_fixture.py ../fixtures/ward.json
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    rng = np.random.default_rng(5)
    cases = []
    for n, dim, shape in [(2, 3, "random"), (3, 2, "random"), (17, 4, "random"),
                          (40, 3, "random"), (30, 4, "clusters"), (45, 2, "clusters")]:
        points = rng.normal(size=(n, dim))
        if shape == "clusters":
            centres = rng.normal(size=(4, dim)) * 8
            points = centres[rng.integers(4, size=n)] + points * 0.5
        points = np.round(points, 3)
        merges = linkage(points, method="ward")
        case = {"points": points.tolist(), "heights": merges[:, 2].tolist()}
        n_clusters = min(4, n)
        case["n_clusters"] = n_clusters
        case["labels"] = fcluster(merges, n_clusters, criterion="maxclust").tolist()
        cases.append(case)
    made = {"producer": f"scipy {version('scipy')}", "cases": cases}
    Path(sys.argv[1]).write_text(json.dumps(made, separators=(",", ":")) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
