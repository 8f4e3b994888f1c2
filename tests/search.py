"""Searches for the worst input: random ones first, then climbing from the worst.

By default a search is short and always the same; under HYPOTHESIS_PROFILE=thorough it
is long, and another one each time.
"""

import secrets

import numpy as np
from hypothesis import settings

THOROUGH = settings.get_current_profile_name() == "thorough"
DRAWS, STEPS = (5000, 20000) if THOROUGH else (40, 80)


def worst(error, draw, move):
    """Return the largest error found, and the input that has it.

    draw(rng): an input; move(rng, input): another one, near it.
    """
    seed = secrets.randbelow(2**32) if THOROUGH else 0
    rng = np.random.default_rng(seed)
    found = max((draw(rng) for _ in range(DRAWS)), key=error)
    largest = error(found)
    for _ in range(STEPS):
        other = move(rng, found)
        if (there := error(other)) >= largest:
            found, largest = other, there
    return largest, found


def worst_row(error, C):
    """Return the largest error found over rows of C numbers, and the row.

    A move changes one number, or many, by anything from 1e-12 to 2.
    """

    def draw(rng):
        return rng.normal(size=C)

    def move(rng, z):
        moved = rng.random(C) < rng.choice([1 / C, 0.5])
        return z + moved * rng.normal(size=C) * 10 ** rng.uniform(-12, 0.3)

    return worst(error, draw, move)
