"""A sparse log with a long tail, made by a seeded generator.

What single pairs of items say and factors cannot hold: 5,000 items fall into
625 series of 8, and a user follows a few series, mostly their popular items.
Sixty-four factors are a tenth of what it takes to tell the series apart. Series
belong to 25 genres and users keep to a few of these, so factors are not
useless; popularity falls as in Zipf's law, and some interactions are chance.
"""

from __future__ import annotations

import numpy as np

N_USERS = 6000
N_ITEMS = 5000
SERIES = 8  # items of a series
GENRES = 25
PER_SERIES = 3.0  # items that a user takes of a series, on average
PER_USER = (8, 18)  # items of a user, least and one more than most
CHANCE = 0.3  # share of interactions that follow popularity alone


def make(seed: int) -> list[list[int]]:
    """For each user their items, ascending."""
    rng = np.random.default_rng([2019, seed])
    n_series = N_ITEMS // SERIES
    popularity = 1 / np.arange(1, n_series + 1) ** 0.8
    genre = rng.integers(GENRES, size=n_series)
    rank = 1 / np.arange(1, SERIES + 1) ** 0.5
    rank /= rank.sum()
    everywhere = np.outer(popularity, rank).ravel()
    everywhere /= everywhere.sum()
    users = []
    for _ in range(N_USERS):
        wanted = int(rng.integers(*PER_USER))
        likes = rng.choice(GENRES, size=3, replace=False)
        among = np.flatnonzero(np.isin(genre, likes))
        weights = popularity[among] / popularity[among].sum()
        items: set[int] = set()
        while len(items) < wanted:
            if rng.random() < CHANCE:
                items.add(int(rng.choice(N_ITEMS, p=everywhere)))
                continue
            series = int(rng.choice(among, p=weights))
            n = min(SERIES, 1 + int(rng.poisson(PER_SERIES - 1)))
            for place in rng.choice(SERIES, size=n, replace=False, p=rank):
                items.add(series * SERIES + int(place))
        users.append(sorted(sorted(items)[i] for i in rng.permutation(len(items))[:wanted]))
    return users
