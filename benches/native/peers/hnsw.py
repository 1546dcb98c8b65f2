"""hnswlib 0.8.0, the C++ library of the HNSW paper's authors: float32, compiled
for the processor it runs on."""

from __future__ import annotations

import hnswlib

KEY = "hnswlib"
NAME = "native hnswlib"
M = 16
EF_CONSTRUCTION = 200
SEED = 100
# Breadths of the search: recall is bought with time.
EF = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]


def space(metric: str) -> str:
    return "l2" if metric == "euclidean" else "ip"


def build(rows, metric, path):
    index = hnswlib.Index(space(metric), rows.shape[1])
    index.init_index(len(rows), ef_construction=EF_CONSTRUCTION, M=M, random_seed=SEED)
    # One thread: with more, the graph depends on who comes first.
    index.add_items(rows, num_threads=1)
    index.save_index(path)


def load(path, dim, metric):
    index = hnswlib.Index(space(metric), dim)
    index.load_index(path)
    return index


def variants(index):
    return [(f"ef={ef}", ef) for ef in EF]


def tune(index, ef):
    index.set_ef(ef)


def search(index, queries, k):
    return index.knn_query(queries, k, num_threads=1)[0]
