#!/usr/bin/env python3
"""Make tests/fixtures/foldin-spark.json: user factors as Spark MLlib solves them.

Two tiny models are trained in local mode, one with implicit preferences and
one with explicit ratings, negative ratings among both. The last half-step of
Spark's ALS solves every user with the item factors held fixed, so what a
fold-in of the same ratings into the published item factors must give is the
published user factors. Needs pyspark 3.5 and a Java runtime:

    python spark_fixture.py ../fixtures/foldin-spark.json
"""

import json
import random
import sys
from pathlib import Path

from pyspark.ml.recommendation import ALS
from pyspark.sql import SparkSession

N_USERS, N_ITEMS, RANK = 12, 20, 4


def ratings(explicit: bool) -> list[tuple[int, int, float]]:
    """Between 3 and 12 items a user; every item at least once."""
    rng = random.Random(7 + explicit)
    rows = []
    for user in range(N_USERS):
        items = rng.sample(range(N_ITEMS), rng.randint(3, 12))
        if user == 0:
            items = list(range(N_ITEMS))
        for item in sorted(items):
            if explicit:
                rating = float(rng.randint(1, 5))
                rating = -1.0 if rng.random() < 0.05 else rating
            else:
                rating = rng.choice([0.5, 1.0, 1.0, 2.0, 5.0])
                rating = -rating if rng.random() < 0.2 else rating
            rows.append((user, item, rating))
    return rows


def by_id(frame) -> list[list[float]]:
    return [list(row.features) for row in sorted(frame.collect(), key=lambda row: row.id)]


def model(spark: SparkSession, fold: str, alpha: float, lam: float) -> dict:
    explicit = fold == "spark-explicit"
    rows = ratings(explicit)
    als = ALS(rank=RANK, maxIter=5, regParam=lam, alpha=alpha, implicitPrefs=not explicit,
              userCol="user", itemCol="item", ratingCol="rating", seed=1)
    fitted = als.fit(spark.createDataFrame(rows, ["user", "item", "rating"]))
    users, items = by_id(fitted.userFactors), by_id(fitted.itemFactors)
    assert len(users) == N_USERS and len(items) == N_ITEMS
    history = [[[item, rating] for user, item, rating in rows if user == u]
               for u in range(N_USERS)]
    return {"fold": fold, "alpha": alpha, "lambda": lam, "items": items,
            "history": history, "users": users}


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    spark = (SparkSession.builder.master("local[1]").appName("foldin")
             .config("spark.ui.enabled", "false").getOrCreate())
    models = [model(spark, "spark-implicit", 3.0, 0.05),
              model(spark, "spark-explicit", 1.0, 0.1)]
    made = {"producer": f"pyspark {spark.version}", "models": models}
    Path(sys.argv[1]).write_text(json.dumps(made, separators=(",", ":")) + "\n", "utf-8")
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
