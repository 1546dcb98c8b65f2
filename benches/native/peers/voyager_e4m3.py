"""Voyager: HNSW over 8-bit floats."""

from __future__ import annotations

import voyager

KEY = "voyager-e4m3"
NAME = "Voyager, E4M3"
EF = [16, 32, 64, 128, 256, 512]
SPACES = {
    "cosine": voyager.Space.Cosine,
    "euclidean": voyager.Space.Euclidean,
    "inner_product": voyager.Space.InnerProduct,
}


def build(rows, metric, path):
    index = voyager.Index(SPACES[metric], rows.shape[1], M=16, ef_construction=200,
                          storage_data_type=voyager.StorageDataType.E4M3,
                          max_elements=len(rows))
    index.add_items(rows, num_threads=1)
    index.save(path)


def load(path, dim, metric):
    return Tuned(voyager.Index.load(path))


class Tuned:
    """An index with its breadth, which Voyager takes with each search."""

    def __init__(self, index):
        self.index = index
        self.ef = EF[0]


def variants(index):
    return [(f"ef={ef}", ef) for ef in EF]


def tune(index, ef):
    index.ef = ef


def search(index, queries, k):
    return index.index.query(queries, k, num_threads=1, query_ef=index.ef)[0]
