"""What inputs are made of. Meaning is drawn rather than noise: small integers, a few
norms, labels that repeat, so that the example left after shrinking fits on paper.

A function that draws inputs takes `draw`, a `Draw`, which chooses among options, the
simplest first. From a seed, choices cost next to nothing; from Hypothesis, they can be
made simpler afterwards. Inputs that no draw may miss stand in its attribute `always`.
"""

from functools import partial

import numpy as np

SMALL = (0, 1, -1, 2, -2, 3, -3)
THOUSANDTHS = tuple(sorted((k / 1000 for k in range(-3000, 3001)), key=abs))
NONZERO = (1, -1, 2, -2, 3, -3)
COTANGENTS = (1.0, 2.0, -0.5)
N, D, C = 7, 4, 5  # the sizes of further inputs: no ratio of two is that of others


class Draw:
    """Chooses; a subclass says how, with choice(options) and choices(options, size)."""

    def size(self, most, least=1):
        return self.choice(range(least, most + 1))

    def array(self, options, *shape):
        """Draw a float64 array of a shape."""
        entries = self.choices(options, int(np.prod(shape)))
        return np.array(entries, dtype=np.float64).reshape(shape)

    def numbers(self, *shape):
        """Draw an array of small integers, or of anything from -3 to 3."""
        return self.array(self.choice([SMALL, THOUSANDTHS]), *shape)

    def labels(self, N, C):
        return np.array(self.choices(range(C), N))


class FromSeed(Draw):
    """Chooses by a random generator."""

    def __init__(self, rng):
        self.rng = rng

    def choice(self, options):
        return options[self.rng.integers(len(options))]

    def choices(self, options, size):
        return [options[i] for i in self.rng.integers(len(options), size=size)]


def one_of(*draws):
    """Return a way to draw that is one of several; a single one is itself."""
    return draws[0] if len(draws) == 1 else lambda draw: draw.choice(draws)(draw)


def with_cotangent(of, forward):
    """Return `of` with the gradient by a forward's value; `forward` is its record."""

    def drawn(draw):
        inputs = of(draw)
        shape = forward.shape_of_value(inputs)
        value = draw.array(SMALL, *shape) if shape else draw.choice(COTANGENTS)
        return inputs | {f"d{forward.gives[0]}": value}

    return drawn


# ----------------------------------------------------------------------------- angles

GRID = 15  # degrees


@partial(np.vectorize, otypes=[float])
def cosine(degrees):
    """Return cos of angles in degrees, exact where it is 0, 1/2 or 1."""
    exact = {0: 1.0, 60: 0.5, 90: 0.0, 120: -0.5, 180: -1.0}
    degrees = abs(degrees) % 360
    degrees = min(degrees, 360 - degrees)
    return exact.get(degrees, float(np.cos(np.deg2rad(degrees))))


def sine(degrees):
    return cosine(degrees - 90)


# --------------------------------------------------------------------- further inputs


def repeated_labels(rng):
    """Each label but one twice at least in seven rows, and y[0] not in every row."""
    y = np.array([0, 1, 2, 2, 1, 4, 0])
    return rng.permutation(C)[rng.permutation(y)]


def with_random_cotangent(of, forward):
    """Return further inputs with a random gradient by a forward's value."""

    def inputs(rng, i):
        given = of(rng, i)
        random = rng.normal(size=forward.shape_of_value(given)) + 0.1
        value = random if np.ndim(random) else float(random)
        return given | {f"d{forward.gives[0]}": value}

    return inputs
