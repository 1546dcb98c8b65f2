"""faiss: inverted lists of 4-bit product quantizer codes, scanned by shuffles
(fast scan), the best of them refined with 16-bit floats."""

from __future__ import annotations

import math

import faiss

KEY = "faiss-ivfpqfs"
NAME = "faiss IVF-PQ fast scan"
# Candidates refined for each neighbour asked for.
REFINED = 20
NPROBE = [4, 8, 16, 32, 64, 128, 256]


def kind(metric: str) -> int:
    return faiss.METRIC_L2 if metric == "euclidean" else faiss.METRIC_INNER_PRODUCT


def recipe(n: int, dim: int) -> str:
    """Four times the root of the number of rows, a power of two: faiss's own rule."""
    lists = 2 ** round(math.log2(4 * math.sqrt(n)))
    return f"IVF{lists},PQ{dim // 2}x4fs,Refine(SQfp16)"


def build(rows, metric, path, recipe=recipe):
    index = faiss.index_factory(rows.shape[1], recipe(*rows.shape), kind(metric))
    faiss.omp_set_num_threads(1)
    index.train(rows)
    index.add(rows)
    faiss.write_index(index, path)


def load(path, dim, metric):
    faiss.omp_set_num_threads(1)
    return faiss.read_index(path)


def variants(index):
    lists = faiss.extract_index_ivf(index).nlist
    return [(f"nprobe={n}", n) for n in NPROBE if n <= lists]


def tune(index, nprobe):
    index.k_factor = REFINED
    faiss.extract_index_ivf(index).nprobe = nprobe


def search(index, queries, k):
    return index.search(queries, k)[1]
