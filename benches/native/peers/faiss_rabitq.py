"""faiss: inverted lists of RaBitQ codes, scanned by shuffles (fast scan), the
best of them refined with 16-bit floats."""

from __future__ import annotations

from peers import faiss_ivf
from peers.faiss_ivf import load, search, tune, variants  # noqa: F401

KEY = "faiss-rabitq"
NAME = "faiss RaBitQ fast scan"


def recipe(n: int, dim: int) -> str:
    lists, *_ = faiss_ivf.recipe(n, dim).split(",")
    return f"{lists},RaBitQfs,Refine(SQfp16)"


def build(rows, metric, path):
    faiss_ivf.build(rows, metric, path, recipe)
