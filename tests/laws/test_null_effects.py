"""Null effects: what nothing uses has no effect. A label of users that no part of a world knows shows uniform p-values.

200 labels per scenario, each a keyed coin per user, each tested against an outcome of the users by a permutation-free
exact-in-the-limit test (Welch's t on ranks). Declared before the first run: Kolmogorov-Smirnov against the uniform
distribution at the 0.001 level, so that a false alarm comes about once in 170 runs of all six.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata, ttest_ind

import simulator

LABELS = 200
LEVEL = 0.001
_UNUSED = 987  # a purpose that nothing in the engine draws under


def outcome(result: simulator.RunResult, users: int) -> np.ndarray:
    """Events that each user left in the truth log, with a keyed jitter that breaks ties between users who left few."""
    counts = np.bincount(result.truth["user"].to_numpy(dtype=np.int64), minlength=users)
    return counts + np.random.default_rng(0).random(users) * 0.5


def p_values(values: np.ndarray, seed: int) -> np.ndarray:
    """p of each of `LABELS` random labels."""
    ranks = rankdata(values)
    random = np.random.default_rng([seed, _UNUSED])
    found = []
    for _ in range(LABELS):
        label = random.random(len(values)) < 0.5
        found.append(ttest_ind(ranks[label], ranks[~label], equal_var=False).pvalue)
    return np.array(found)
