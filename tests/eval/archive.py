"""One seed's trip through the nearfield command: build, decode, eval."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from protocol import K, NDCG_K, Film, User


class ArchiveError(Exception):
    """The command failed or answered something impossible, told in one line."""


@dataclass(frozen=True)
class Answers:
    """What came back, with items as rows of the catalog that went in."""

    factors: np.ndarray  # decoded, float64, one row an item of the catalog
    vectors: np.ndarray  # folded-in users, in the space of `factors`
    rankings: list[list[int]]
    recall: np.ndarray  # as the command measured it
    ndcg: np.ndarray
    mean_recall: np.ndarray  # the command's own mean-vector baseline
    archive_bytes: int


def dump(path: Path, lines: list[dict]) -> None:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines),
                    "utf-8")


def write_inputs(folder: Path, items: list[int], films: dict[int, Film],
                 factors: np.ndarray, users: list[User], train: list[list[int]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for item in items:
        film = films[item]
        line = {"id": str(item), "title": film.title, "genres": film.genres}
        lines.append(line if film.year is None else {**line, "year": film.year})
    dump(folder / "items.jsonl", lines)
    dump(folder / "users.jsonl", [{
        "user": str(user.id),
        "history": [{"item": str(items[row]), "weight": 1.0} for row in user.history],
        "held_out": [str(items[row]) for row in user.held_out],
    } for user in users])
    np.save(folder / "factors.npy", factors)
    ids = [str(item) for item in items]
    write_log(folder / "train.csv", ids, dict(enumerate(train)))
    # Named so that nobody is taken for one of the training log.
    write_log(folder / "test.csv", ids,
              {f"test-{user.id}": user.history + user.held_out for user in users})


def write_log(path: Path, items: list[str], users: Mapping[object, list[int]]) -> None:
    """A log as `--interactions` takes it."""
    lines = [f"{user},{items[item]}\n" for user, row in users.items() for item in row]
    path.write_text("user,item\n" + "".join(lines), "utf-8")


def run(nearfield: Path, folder: Path, *arguments: str) -> str:
    """What the command printed."""
    command = [str(nearfield), *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except OSError as error:
        raise ArchiveError(f"{nearfield}: {error.strerror}; build it first with "
                           "cargo build --release --features cli") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise ArchiveError(f"nearfield {arguments[0]} ended with {done.returncode}: "
                           f"{said[-1] if said else 'it said nothing'}")
    return done.stdout


def through_archive(nearfield: Path, folder: Path, items: list[int], users: list[User],
                    alpha: float, lam: float, *options: str) -> Answers:
    """Build an archive from what `write_inputs` wrote, and ask it. `options` are of the build."""
    run(nearfield, folder, "build", "items.jsonl", "--vectors", "factors.npy",
        "--metric", "inner-product", "--foldin", "implicit", "--alpha", str(alpha),
        "--lambda", str(lam), *options, "-o", "ml.nf", "--json")
    run(nearfield, folder, "decode", "ml.nf", "-o", "decoded.npy", "--ids", "ids.txt")
    run(nearfield, folder, "eval", "ml.nf", "--users", "users.jsonl", "-k", str(K),
        "--ndcg-k", str(NDCG_K), "--json", "out.json")

    row = {str(item): n for n, item in enumerate(items)}
    ids = (folder / "ids.txt").read_text("utf-8").split("\n")[:-1]
    decoded = np.load(folder / "decoded.npy", allow_pickle=False)
    if (sorted(ids) != sorted(row) or len(decoded) != len(ids)
            or decoded.dtype != np.float64):
        raise ArchiveError(f"decode: expected {len(row)} float64 rows and the ids that "
                           f"went in, found {len(decoded)} {decoded.dtype} rows and "
                           f"{len(ids)} ids")
    factors = np.empty_like(decoded)
    factors[[row[i] for i in ids]] = decoded

    answers = json.loads((folder / "out.json").read_text("utf-8"))["users"]
    if [a["user"] for a in answers] != [str(u.id) for u in users]:
        raise ArchiveError("eval: expected one answer a user, in the order asked")
    rankings = [[row[i] for i in a["recommended"]] for a in answers]
    for ranked, user in zip(rankings, users):
        expected = min(NDCG_K, len(items) - len(user.history))
        if len(set(ranked)) != expected or len(ranked) != expected:
            raise ArchiveError(f"eval: user {user.id}: expected {expected} different "
                               f"items, found {len(set(ranked))} in {len(ranked)}")
        if set(ranked) & set(user.history):
            raise ArchiveError(f"eval: user {user.id} was recommended their own history")
    return Answers(
        factors,
        np.array([a["vector"] for a in answers], dtype=np.float64),
        rankings,
        np.array([a["recall_at_k"] for a in answers]),
        np.array([a["ndcg_at_k"] for a in answers]),
        np.array([a["mean_vector"]["recall_at_k"] for a in answers]),
        (folder / "ml.nf").stat().st_size,
    )
