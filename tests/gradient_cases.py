"""Gradients on which checks go astray, as data: each function at a hard point, once
with its right gradient and once with a wrong one.

    CASES              all of them, the right ones first
    UNSEEN             a wrong one that is documented as not seen
    Case.pair()        forward and backward, new ones: some have a state
    python tests/gradient_cases.py     the table: what each method says of them
"""

import collections
import itertools
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import npsoftmax
from npsoftmax.gradcheck import METHODS, check_gradients


class Case(NamedTuple):
    """A forward and a backward at their inputs; right says which verdict is barred."""

    kind: str
    name: str
    pair: Callable  # () -> forward, backward
    inputs: object
    right: bool

    @property
    def allowed(self):
        """Return the verdicts that are no error."""
        return ("right" if self.right else "wrong", "inconclusive")

    @property
    def is_function(self):
        """Return whether forward and backward are functions of their inputs."""
        return self.kind not in ("stateful", "random")

    def report(self, method=None, rng=0):
        """Return the report of `check_gradients` by a method."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return check_gradients(*self.pair(), self.inputs, method=method, rng=rng)

    def __str__(self):
        return f"{'right' if self.right else 'wrong'}: {self.kind}: {self.name}"


# Makers of a forward and backward


def function(f, df):
    """Return a maker of the pair of y = f(x) and dx = df(dy, x), the cache being x."""
    return lambda: (lambda x: (f(x), x), lambda dy, x: df(dy, x))


def sloped(f, slope):
    """Return a maker of the pair of y = f(x) and dx = dy * slope(x), entry by entry."""
    return function(f, lambda dy, x: dy * slope(x))


def named(layer):
    """Return forward and backward of a layer of npsoftmax."""
    ways = f"{layer}_forward", f"{layer}_backward"
    return tuple(getattr(npsoftmax, way) for way in ways)


def layer(forward, backward, *held):
    """Return a maker of the layer as a function of its first argument (or two)."""
    return lambda: (lambda *x: forward(*x, *held), backward)


def wrong(make, spoil, which=-1):
    """Return a maker of the same pair, one gradient (the last) changed by spoil."""

    def spoiled():
        forward, backward = make()

        def spoiled_backward(d_output, cache):
            given = backward(d_output, cache)
            found = list(given) if isinstance(given, tuple) else [given]
            n = which % len(found)
            found[n] = spoil(np.array(found[n], dtype=float))
            return tuple(found)

        return forward, spoiled_backward

    return spoiled


def spoiler(operation):
    """Return a maker of spoilers: of one entry of a gradient, or of all of them."""

    def by(amount, index=...):
        def spoil(g):
            g[index] = operation(g[index], amount)
            return g

        return spoil

    return by


times, plus = spoiler(np.multiply), spoiler(np.add)


def noisy(relative):
    """Return a spoiler by a factor, behind rounding noise of about the same size."""
    return lambda g: (g * (1 + relative) + 1e10) - 1e10


# Functions


def array(*numbers):
    return np.array(numbers, dtype=float)


def relu(x):
    return np.where(x.real > 0, x, 0)


def row_softmax(z):
    e = np.exp(z - z.real.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def d_row_softmax(dp, z):
    """In a confident row dp - sum p dp cancels, which is rounding and no mistake."""
    p = row_softmax(z)
    return p * (dp - (p * dp).sum(axis=-1, keepdims=True))


def huber(x):
    return np.where(x.real > 1, x - 0.5, np.where(x.real < -1, -x - 0.5, x * x / 2))


def huber_of_distance(x):
    """Return Huber's loss of x - 3, written with the absolute value."""
    a = np.abs(x - 3)
    return np.where(a > 1, a - 0.5, a * a / 2)


def hash_noise(x):
    """Return noise in [0, 1) that is a function of x, and of nothing else."""
    return np.mod(np.sin(1e17 * np.real(x)) * 43758.5453, 1.0)


EXP, LOG = sloped(np.exp, np.exp), sloped(np.log, lambda x: 1 / x)
SQRT = sloped(np.sqrt, lambda x: 1 / (2 * np.sqrt(x)))
SQUARE = sloped(lambda x: x * x, lambda x: 2 * x)
CUBE = sloped(lambda x: x**3, lambda x: 3 * x**2)


# Pairs with a state


def scaled_by(scales):
    """Return a maker of x^2 times the next of scales(), which stands in the cache."""

    def make():
        scale = scales()

        def forward(x):
            times = next(scale)
            return times * x**2, (x, times)

        return forward, lambda d, cache: d * 2 * cache[0] * cache[1]

    return make


def annealed():
    """Yield 1 + 1/(1 + lam) for a lambda that decays from 1000."""
    return (1 + 1 / (1 + 1000 * 0.99**n) for n in itertools.count(1))


def dropped(size, rate):
    """Return a maker of an endless row of masks of dropout."""

    def masks():
        rng = np.random.default_rng(7)
        while True:
            yield (rng.random(size) >= rate) / (1 - rate)

    return masks


def counting():
    """The number of calls goes into the cache, beside what backward needs."""
    calls = itertools.count(1)
    return lambda x: (x**3, (x, next(calls))), lambda d, cache: d * 3 * cache[0] ** 2


def adding_up():
    total = []

    def backward(d, x):
        total.append(d * 2 * x)
        return sum(total)

    return lambda x: (x**2, x), backward


def adding_in_place():
    total = np.zeros(2)
    return lambda x: (x**2, x), lambda d, x: np.add(total, d * 2 * x, out=total)


def running_mean():
    mean = [0.0]

    def forward(x):
        mean[0] = 0.9 * mean[0] + 0.1 * x.real.mean()
        return (x - mean[0]) ** 2, x - mean[0]

    return forward, lambda d, centred: d * 2 * centred


def remembering():
    """Backward looks at what the last forward kept, and at no cache."""
    kept = {}

    def forward(x):
        kept["x"] = x
        return np.sin(x), None

    return forward, lambda d, cache: d * np.cos(kept["x"])


def jitter():
    rng = np.random.default_rng(8)
    return lambda x: (x**2 + 1e-6 * rng.random(x.shape), x), lambda d, x: 2 * d * x


def random_backward():
    rng = np.random.default_rng(9)
    return lambda x: (x**2, x), lambda d, x: 2 * d * x + 1e-3 * rng.random(x.shape)


# Some layers

LABELS = np.array([0, 1, 2, 3, 4, 0])
DRAWN = np.random.default_rng(5)
X, W = DRAWN.normal(size=(6, 4)), DRAWN.normal(size=(4, 5))
BLACK = np.array([[0, 0, 0.5, 1.0], [1.0, 0, 0, 0]])
W1, B1, W2 = DRAWN.normal(size=(4, 3)), DRAWN.normal(size=3), DRAWN.normal(size=3)


def margin_logits_float32(x, W):
    """Return margin logits, m = 4, in float32; imaginary parts are dropped."""
    x, W = (np.real(a).astype(np.float32) for a in (x, W))
    rows, z = np.arange(6), x @ W
    n = np.linalg.norm(x, axis=1) * np.linalg.norm(W[:, LABELS], axis=0)
    c = z[rows, LABELS] / n
    k = np.floor(4 * np.arccos(np.clip(c, -1, 1)) / np.pi)
    z[rows, LABELS] = n * ((-1.0) ** k * (8 * c**4 - 8 * c**2 + 1) - 2 * k)
    return z.astype(np.float32), (x, W)


def margin_gradient_float32(dz, cache):
    forward, backward = named("lsoftmax")
    x, W = (a.astype(float) for a in cache)
    return backward(dz, forward(x, W, LABELS, 4)[1])


def mlp(x):
    """Return the outputs of a network whose images have black pixels."""
    return relu(x @ W1 + B1) @ W2 + np.abs(x + 3).sum(axis=1)


def d_mlp(dy, x):
    active = x @ W1 + B1 > 0
    return np.outer(dy, W2) * active @ W1.T + dy[:, None] * np.sign(x + 3)


def normed_columns(x, W):
    w_hat = W / np.linalg.norm(W, axis=0)
    return x @ w_hat, (x, w_hat, np.linalg.norm(W, axis=0))


def d_normed_columns(dz, cache):
    x, w_hat, length = cache
    dw = x.T @ dz
    return dz @ w_hat.T, (dw - w_hat * (w_hat * dw).sum(axis=0)) / length


def forgets_the_norm(dz, cache):
    return dz @ cache[1].T, cache[0].T @ dz


SOFTMAX = layer(*named("softmax"))
MARGIN = layer(*named("lsoftmax"), LABELS[:2], 4, 1.0)


# The table

# kind, name, pair, input, and what makes the gradient wrong
ROWS = [
    ("stiff", "exp of 1e6 (x - 1)",
     sloped(lambda x: np.exp(1e6 * (x - 1)), lambda x: 1e6 * np.exp(1e6 * (x - 1))),
     array(1, 1 + 1e-6), times(1.01)),
    ("stiff", "tanh of 1e4 x",
     sloped(lambda x: np.tanh(1e4 * x), lambda x: 1e4 / np.cosh(1e4 * x) ** 2),
     array(1e-5, 0, -1e-4), times(0, 1)),
    ("stiff", "sine of 1e9 x",
     sloped(lambda x: np.sin(1e9 * x), lambda x: 1e9 * np.cos(1e9 * x)),
     array(1, 0.5), times(-1)),
    ("stiff", "sine of 1e9 x, of real numbers only",
     sloped(lambda x: np.sin(1e9 * float(x)), lambda x: 1e9 * np.cos(1e9 * x)),
     np.array(1.0), times(-1)),
    ("stiff", "exp of 1e15 x at 0",
     sloped(lambda x: np.exp(1e15 * x), lambda x: 1e15 * np.exp(1e15 * x)),
     array(0, 0), times(1.01)),
    ("stiff", "softplus of 1e3 x, real",
     sloped(lambda x: np.logaddexp(0, 1e3 * x), lambda x: 1e3 / (1 + np.exp(-1e3 * x))),
     array(1e-3, -2e-3, 1), times(1.001)),
    ("flat", "sigmoid of -25 and 1",
     sloped(lambda x: 1 / (1 + np.exp(-x)), lambda x: 0.5 / (1 + np.cosh(x))),
     array(-25, 1), times(2, 0)),
    ("flat", "1e15 + sin x",
     sloped(lambda x: 1e15 + np.sin(x), np.cos), array(0.5, -1), times(0)),
    ("flat", "1e15 + |x + 3| at 0",
     sloped(lambda x: 1e15 + np.abs(x + 3), lambda x: np.sign(x + 3)),
     array(0, 0), times(0)),
    ("flat", "softmax of a confident row", SOFTMAX, array(0, 40, 1)[None], times(-1)),
    ("flat", "cross-entropy of a confident row",
     layer(*named("cross_entropy"), np.array([1, 0])),
     np.array([[0, 20.0, 3], [1, 2, 0]]), times(-1, 0)),
    ("flat", "exp at -700, beside 1", EXP, array(-700, 0), times(0, 1)),
    ("huge", "square at 1e150", SQUARE, array(1e150, 3e150), times(1.5)),
    ("huge", "log at 1e300", LOG, array(1e300, 2e300), times(-1)),
    ("huge", "softmax at 1e8",
     SOFTMAX, np.array([[1e8, 1e8 - 1, 1e8 - 3]]), times(1.001)),
    ("huge", "logits of features of 1e200", MARGIN, (1e200 * X[:2], W), times(1.001)),
    ("huge", "1e300 times x",
     function(lambda x: 1e300 * x, lambda d, x: 1e300 * d), array(1e-5, 0),
     times(0, 1)),
    ("tiny", "log where an entry is 1e-13 of its neighbour",
     LOG, array(1e-13, 1), times(1.001)),
    ("tiny", "1/x where an entry is 1e-150 of its neighbour",
     sloped(lambda x: 1 / x, lambda x: -1 / x**2), array(1e-150, 1), times(1.001)),
    ("tiny", "sqrt where an entry is 1e-300", SQRT, array(1e-300, 4), times(2)),
    ("tiny", "entropy, an entry 1e-12",
     sloped(lambda p: -(p * np.log(p)).sum(), lambda p: -(np.log(p) + 1)),
     array(1e-12, 0.4, 0.6), plus(1)),
    ("tiny", "log of real numbers only, an entry 1e-13",
     sloped(lambda x: np.log(np.abs(x)), lambda x: 1 / x), array(1e-13, 1), times(-1)),
    ("tiny", "square at 1e-160", SQUARE, array(1e-160), times(0)),
    ("tiny", "square at 1e-200", SQUARE, array(1e-200, 2e-200), times(-1)),
    ("tiny", "length of a vector of 1e-150, unscaled",
     sloped(lambda x: np.sqrt((x * x).sum()), lambda x: x / np.sqrt((x * x).sum())),
     array(3e-150, 4e-150), times(0)),
    ("tiny", "logits of features of 1e-200", MARGIN, (1e-200 * X[:2], W), times(1.001)),
    ("cancelling", "1 - cos x at 1e-5",
     sloped(lambda x: 1 - np.cos(x), np.sin), array(1e-5, 1), times(1.001)),
    ("cancelling", "(exp x - 1)/x at 1e-6",
     sloped(lambda x: (np.exp(x) - 1) / x, lambda x: 0.5 + x / 3 + x**2 / 8),
     array(1e-6, 2e-6), times(0)),
    ("cancelling", "variance by squares, mean 1e5",
     sloped(lambda x: (x * x).mean() - x.mean() ** 2,
            lambda x: 2 * (x - x.mean()) / x.size),
     array(1e5, 1e5 + 1, 1e5 + 5), times(-1)),
    ("cancelling", "log of a softmax",
     function(lambda z: np.log(row_softmax(z)),
              lambda d, z: d - row_softmax(z) * d.sum(axis=-1, keepdims=True)),
     array(0, 30, 1)[None], times(1.001)),
    ("cancelling", "a softmax of equal logits",
     function(row_softmax, d_row_softmax), np.zeros((2, 3)), plus(1e-3, (0, 1))),
    ("cancelling", "a difference of large squares",
     sloped(lambda x: (x[0] - x[1]) * (x[0] + x[1]), lambda x: array(2, -2) * x),
     array(1e8, 1e8 + 1), times(0, 1)),
    ("kinked", "relu at 0, slope 0",
     sloped(relu, lambda x: x > 0), array(0, 2, -1), plus(2, 0)),
    ("kinked", "relu at 0, slope 1",
     sloped(relu, lambda x: x >= 0), array(0, 2, -1), times(-1)),
    ("kinked", "|x| at 0", sloped(np.abs, np.sign), array(0, 2, -1), times(0)),
    ("kinked", "the larger of two equal numbers",
     sloped(np.max, lambda x: array(1, 0, 0)), array(2, 2, 1), plus(1, 2)),
    ("kinked", "hinge loss on its margin",
     function(lambda x: relu(1 - x), lambda d, x: -d * (x < 1)),
     array(1, 0.5, 3), times(2)),
    ("kinked", "length of a vector 0",
     function(np.linalg.norm, lambda d, x: 0 * x), array(0, 0), plus(3)),
    ("kinked", "clip at its end",
     sloped(lambda x: np.clip(x, -1, 1), lambda x: np.abs(x) < 1),
     array(1, 0.3, -5), times(3)),
    ("near a kink", "|x - 1e-9| at 0 and 1",
     sloped(lambda x: np.abs(x - 1e-9), lambda x: np.sign(x - 1e-9)),
     array(0, 1), times(0)),
    ("near a kink", "|x - 1 - 1e-9| at 1",
     sloped(lambda x: np.abs(x - 1 - 1e-9), lambda x: np.sign(x - 1 - 1e-9)),
     array(1, 2), times(3)),
    ("near a kink", "relu at 1e-12 and -1e-7",
     sloped(lambda x: np.maximum(x, 0), lambda x: x > 0), array(1e-12, -1e-7, 1),
     times(2)),
    ("near a kink", "the larger of 1 and 1 + 1e-10",
     sloped(np.max, lambda x: array(0, 1)), array(1, 1 + 1e-10), plus(1, 0)),
    ("near a kink", "Huber's loss near its corner",
     sloped(huber, lambda x: np.clip(x, -1, 1)),
     array(1 - 1e-9, 1 + 1e-9, 0.2), times(1.001)),
    ("near a kink", "psi beside a knot",
     layer(*named("psi"), 4), array(np.cos(np.pi / 4) + 1e-9, 0.3),
     times(1.001)),
    ("noisy", "x^2 rounded to 1e-7",
     sloped(lambda x: np.round(np.real(x * x), 7), lambda x: 2 * x),
     array(0.5, -1.2), times(1.1)),
    ("noisy", "x^2 with noise of 1e-8",
     sloped(lambda x: x * x + 1e-8 * hash_noise(x), lambda x: 2 * x),
     array(0.5, -1.2), times(1.1)),
    ("noisy", "1e6 + x^2, one entry small",
     sloped(lambda x: 1e6 + (x * x).sum(), lambda x: 2 * x), array(1e-3, 1), times(-1)),
    ("noisy", "a gradient that rounds at 1e10",
     function(np.sin, lambda d, x: (d * np.cos(x) + 1e10) - 1e10), array(0.5, 1.5),
     noisy(5e-6)),
    ("noisy", "a float32 sum inside",
     sloped(lambda x: float((x * x).astype(np.float32).sum()), lambda x: 2 * x),
     array(0.5, -1.2, 3), times(1.1)),
    ("constant", "nothing moves", function(lambda x: 0 * x + 3, lambda d, x: 0 * d),
     array(1, 0, 2), plus(1e-3, 1)),
    ("constant", "rows of a softmax sum to 1",
     function(lambda z: row_softmax(z).sum(axis=-1), lambda d, z: 0 * z),
     array(0.3, -1, 2)[None], plus(1e-6)),
    ("constant", "a shape", function(lambda x: float(x.size), lambda d, x: 0 * x),
     array(1, 2), plus(1)),
    ("linear", "a matrix of sizes 1e-8 to 1e8",
     sloped(lambda x: array(1e8, -1, 1e-8) * x, lambda x: array(1e8, -1, 1e-8)),
     array(1, 0, -3), times(0, 1)),
    ("linear", "x^2 + 5 y at y = 0",
     sloped(lambda x: x[0] ** 2 + 5 * x[1], lambda x: array(2 * x[0], 5)),
     array(1, 0), times(0, 1)),
    ("linear", "a sum, one entry left out",
     sloped(np.sum, np.ones_like), array(0, 0, 0), times(0, 2)),
    ("integer", "a list of integers", SQUARE, [1, 2], times(-1)),
    ("integer", "an array of integers", CUBE, np.array([1, 0, -2]), plus(1, 1)),
    ("integer", "a plain number", CUBE, 3.0, times(1.001)),
    ("float32", "tanh of float32",
     sloped(np.tanh, lambda x: 1 - np.tanh(x) ** 2),
     np.array([0.3, -1.2], dtype=np.float32), times(1.1)),
    ("float32", "an imaginary part dropped",
     sloped(lambda x: np.tanh(np.real(x).astype(np.float32)),
            lambda x: 1 - np.tanh(x) ** 2), array(0.3, -1.2, 0), times(0)),
    ("float32", "margin logits in float32",
     layer(margin_logits_float32, margin_gradient_float32), (X, W), times(1.2)),
    ("float32", "a mean in float32",
     sloped(lambda x: np.mean(np.real(x * x), dtype=np.float32), lambda x: x / 2),
     array(3, -1, 0, 5), times(-1)),
    ("zeros", "x^2 + |y + 3| at y = 0",
     sloped(lambda x: x[0] ** 2 + np.abs(x[1] + 3), lambda x: array(2 * x[0], 1)),
     array(1, 0), times(0, 1)),
    ("zeros", "1e11 x^2 + |y + 3| at y = 0",
     sloped(lambda x: 1e11 * x[0] ** 2 + np.abs(x[1] + 3),
            lambda x: array(2e11 * x[0], 1)), array(1, 0), times(0, 1)),
    ("zeros", "a network of black pixels", function(mlp, d_mlp), BLACK,
     plus(1000, (0, 1))),
    ("zeros", "Huber's loss on the outputs of relu",
     sloped(huber_of_distance, lambda x: np.clip(x - 3, -1, 1)),
     array(0, 2.5, 0, 5), times(0, 0)),
    ("zeros", "all entries, |x + 3|",
     sloped(lambda x: np.abs(x + 3), lambda x: np.sign(x + 3)),
     array(0, 0, 0), times(0)),
    ("zeros", "a kink and |y + 3| side by side",
     sloped(lambda x: array(1, 0) @ relu(x) + np.abs(x[1] + 3), lambda x: array(0, 1)),
     array(0, 0), times(0)),
    ("zeros", "a product with a zero",
     sloped(np.prod, lambda x: array(0, 2 * 3, 0)), array(2, 0, 3), times(0)),
    ("zeros", "the weight of normed columns",
     layer(normed_columns, d_normed_columns), (X, np.where(np.abs(W) < 0.5, 0, W)),
     times(1.01)),
    ("stateful", "a counter in the cache", counting, array(1, 2), times(1.1)),
    ("stateful", "a scale that counts calls", scaled_by(lambda: itertools.count(1)),
     array(1, 2), times(1.1)),
    ("stateful", "a lambda that anneals itself", scaled_by(annealed), array(1, 2),
     times(1.1)),
    ("stateful", "an annealing that begins later",
     scaled_by(lambda: itertools.chain([1.0] * 5, itertools.repeat(2.0))),
     array(1, 2), times(1.1)),
    ("stateful", "a backward that adds up", adding_up, array(1, 2), times(1.1)),
    ("stateful", "a backward that adds in place", adding_in_place, array(1, 2),
     times(1.1)),
    ("stateful", "a running mean", running_mean, array(1, 2), times(1.1)),
    ("stateful", "a backward that reads the last forward", remembering, array(1, 2),
     times(1.1)),
    ("random", "dropout of a half", scaled_by(dropped(6, 0.5)),
     array(1, 2, 3, 4, 5, 6), times(1.1)),
    ("random", "dropout of one in a hundred", scaled_by(dropped(3, 0.01)),
     array(1, 2, 3), times(1.1)),
    ("random", "noise of 1e-6", jitter, array(1, 2), times(1.1)),
    ("random", "noise in the backward", random_backward, array(1, 2), times(1.1)),
    ("nan", "log of a negative number",
     sloped(np.log, lambda x: np.where(x > 0, 1 / x, np.nan)), array(-1, 2),
     times(2, 1)),
    ("nan", "0/0 in one output",
     sloped(lambda x: x * x / x, lambda x: np.where(x == 0, np.nan, 1)),
     array(0, 2, 3), times(-1, 2)),
    ("nan", "sqrt of a negative number, in a sum",
     function(lambda x: np.sqrt(x).sum(), lambda d, x: np.full(x.shape, np.nan)),
     array(-1, 4), lambda g: np.ones(g.shape)),
    ("nan", "infinite slope of sqrt at 0", SQRT, array(0, 4), times(2, 1)),
]  # fmt: skip

RIGHT = [Case(*row, right=True) for *row, _ in ROWS]
WRONG = [
    Case(kind, name, wrong(make, spoil), inputs, right=False)
    for kind, name, make, inputs, spoil in ROWS
] + [
    Case("zeros", "the norm of a weight forgotten",
         layer(normed_columns, forgets_the_norm), (X, W), right=False),
]  # fmt: skip
CASES = RIGHT + WRONG

# A wrong entry that no check of these can see: below 1e-15 of the largest
UNSEEN = Case("flat", "an entry of 1e-17 beside 1", wrong(EXP, times(-1, 0)),
              array(-40, 0), right=False)  # fmt: skip


def main():
    """Print how often each method says what, and the cases in which it errs."""
    print(f"{len(RIGHT)} right, {len(WRONG)} wrong")
    for method in (None, *METHODS):
        found = [(case, case.report(method).verdict) for case in CASES]
        for right in (True, False):
            counted = collections.Counter(v for c, v in found if c.right is right)
            print(method or "default", "right" if right else "wrong", dict(counted))
        for case, verdict in found:
            if verdict not in case.allowed:
                print(f"    {case} -> {verdict}")


if __name__ == "__main__":
    main()
