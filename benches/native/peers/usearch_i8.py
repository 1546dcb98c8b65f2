"""USearch: HNSW over 8-bit integers."""

from __future__ import annotations

from usearch.index import Index

KEY = "usearch-i8"
NAME = "USearch, i8"
EXPANSION = [16, 32, 64, 128, 256, 512]
METRICS = {"cosine": "cos", "euclidean": "l2sq", "inner_product": "ip"}


def index_for(dim: int, metric: str) -> Index:
    return Index(ndim=dim, metric=METRICS[metric], dtype="i8", connectivity=16, expansion_add=200)


def build(rows, metric, path):
    import numpy as np

    index = index_for(rows.shape[1], metric)
    index.add(np.arange(len(rows)), rows, threads=1)
    index.save(path)


def load(path, dim, metric):
    index = index_for(dim, metric)
    index.load(path)
    return index


def variants(index):
    return [(f"ef={n}", n) for n in EXPANSION]


def tune(index, expansion):
    index.expansion_search = expansion


def search(index, queries, k):
    keys = index.search(queries, k, threads=1).keys
    return keys.reshape(len(queries), -1)
