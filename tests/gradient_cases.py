"""Gradients on which checks go astray, as data: each function at a hard point, once
with its right gradient and once with a wrong one.

    CASES              all of them, the right ones first
    UNSEEN             a wrong one that is documented as not seen
    Case.pair()        forward and backward, new ones: some have a state
    python tests/gradient_cases.py     the table: what each method says of them
"""

import collections
import functools
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from npsoftmax import (
    cross_entropy_backward,
    cross_entropy_forward,
    lsoftmax_backward,
    lsoftmax_forward,
    psi_backward,
    psi_forward,
    softmax_backward,
    softmax_forward,
)
from npsoftmax.gradcheck import METHODS, check_gradients


class Case(NamedTuple):
    """A forward and a backward at their inputs; right says which verdict is barred."""

    kind: str
    name: str
    make: Callable  # () -> forward, backward
    inputs: object
    right: bool

    def pair(self):
        """Return forward and backward, as new as on the first call."""
        return self.make()

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


def function(f, df):
    """Return a maker of the pair of y = f(x) and dx = df(dy, x), the cache being x."""
    return lambda: (lambda x: (f(x), x), lambda dy, x: df(dy, x))


def wrong(make, spoil):
    """Return a maker of the same pair, the gradient changed by spoil."""

    def spoiled():
        forward, backward = make()

        def spoiled_backward(d_output, cache):
            gradient = backward(d_output, cache)
            if isinstance(gradient, tuple):
                return (*gradient[:-1], spoil(np.array(gradient[-1], dtype=float)))
            return spoil(np.array(gradient, dtype=float))

        return forward, spoiled_backward

    return spoiled


def times(factor, index=...):
    """Return a spoiler that multiplies an entry, or all of them."""

    def spoil(g):
        g[index] *= factor
        return g

    return spoil


def plus(amount, index=...):
    """Return a spoiler that adds to an entry, or to all of them."""

    def spoil(g):
        g[index] += amount
        return g

    return spoil


def noisy(relative):
    """Return a spoiler by a factor, behind rounding noise of about the same size."""
    return lambda g: (g * (1 + relative) + 1e10) - 1e10


def norm(x):
    return np.linalg.norm(x)


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


# ------------------------------------------------------------ functions with a state


def counting():
    """The number of calls goes into the cache, beside what backward needs."""
    calls = []

    def forward(x):
        calls.append(0)
        return x**3, (x, len(calls))

    return forward, lambda d, cache: d * 3 * cache[0] ** 2


def scaled_by_calls():
    calls = []

    def forward(x):
        calls.append(0)
        return x**2 * len(calls), (x, len(calls))

    return forward, lambda d, cache: d * 2 * cache[0] * cache[1]


def annealing():
    lam = [1000.0]

    def forward(x):
        lam[0] *= 0.99
        return x + x**2 / (1 + lam[0]), (x, lam[0])

    return forward, lambda d, cache: d * (1 + 2 * cache[0] / (1 + cache[1]))


def annealing_late():
    calls = []

    def forward(x):
        calls.append(0)
        lam = 1.0 if len(calls) < 6 else 2.0
        return lam * x**2, (x, lam)

    return forward, lambda d, cache: d * 2 * cache[0] * cache[1]


def adding_up():
    total = []

    def backward(d, x):
        total.append(d * 2 * x)
        return sum(total)

    return lambda x: (x**2, x), backward


def adding_in_place():
    total = np.zeros(2)

    def backward(d, x):
        total[:] += d * 2 * x
        return total

    return lambda x: (x**2, x), backward


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


def dropout(rate):
    rng = np.random.default_rng(7)

    def forward(x):
        mask = (rng.random(x.shape) >= rate) / (1 - rate)
        return x**2 * mask, (x, mask)

    return forward, lambda d, cache: d * 2 * cache[0] * cache[1]


def jitter():
    rng = np.random.default_rng(8)
    return lambda x: (x**2 + 1e-6 * rng.random(x.shape), x), lambda d, x: 2 * d * x


def random_backward():
    rng = np.random.default_rng(9)
    return lambda x: (x**2, x), lambda d, x: 2 * d * x + 1e-3 * rng.random(x.shape)


# ------------------------------------------------------------------ layers with options


def layer(forward, backward, *held):
    """Return a maker of the layer as a function of its first argument (or two)."""

    def make():
        return (lambda *x: forward(*x, *held)), backward

    return make


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
    x, W = (a.astype(float) for a in cache)
    return lsoftmax_backward(dz, lsoftmax_forward(x, W, LABELS, m=4)[1])


LABELS = np.array([0, 1, 2, 3, 4, 0])
DRAWN = np.random.default_rng(5)
X, W = DRAWN.normal(size=(6, 4)), DRAWN.normal(size=(4, 5))
BLACK = np.array([[0, 0, 0.5, 1.0], [1.0, 0, 0, 0]])
W1, B1, W2 = DRAWN.normal(size=(4, 3)), DRAWN.normal(size=3), DRAWN.normal(size=3)


def mlp(x):
    """Return the outputs of a network whose images have black pixels."""
    h = x @ W1 + B1
    return np.where(h.real > 0, h, 0) @ W2 + np.abs(x + 3).sum(axis=1)


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


def array(*numbers):
    return np.array(numbers, dtype=float)


# ---------------------------------------------------------------------------- the table

# kind, name, pair, input, and what makes the gradient wrong
ROWS = [
    ("stiff", "exp of 1e6 (x - 1)",
     function(lambda x: np.exp(1e6 * (x - 1)),
              lambda d, x: d * 1e6 * np.exp(1e6 * (x - 1))),
     array(1, 1 + 1e-6), times(1.01)),
    ("stiff", "tanh of 1e4 x",
     function(lambda x: np.tanh(1e4 * x), lambda d, x: d * 1e4 / np.cosh(1e4 * x) ** 2),
     array(1e-5, 0, -1e-4), times(0, 1)),
    ("stiff", "sine of 1e9 x",
     function(lambda x: np.sin(1e9 * x), lambda d, x: d * 1e9 * np.cos(1e9 * x)),
     array(1, 0.5), times(-1)),
    ("stiff", "sine of 1e9 x, of real numbers only",
     function(lambda x: np.sin(1e9 * float(x)), lambda d, x: d * 1e9 * np.cos(1e9 * x)),
     np.array(1.0), times(-1)),
    ("stiff", "exp of 1e15 x at 0",
     function(lambda x: np.exp(1e15 * x), lambda d, x: d * 1e15 * np.exp(1e15 * x)),
     array(0, 0), times(1.01)),
    ("stiff", "softplus of 1e3 x, real",
     function(lambda x: np.logaddexp(0, 1e3 * x),
              lambda d, x: d * 1e3 / (1 + np.exp(-1e3 * x))),
     array(1e-3, -2e-3, 1), times(1.001)),
    ("flat", "sigmoid of -25 and 1",
     function(lambda x: 1 / (1 + np.exp(-x)),
              lambda d, x: d * np.exp(-x) / (1 + np.exp(-x)) ** 2),
     array(-25, 1), times(2, 0)),
    ("flat", "1e15 + sin x",
     function(lambda x: 1e15 + np.sin(x), lambda d, x: d * np.cos(x)),
     array(0.5, -1), times(0)),
    ("flat", "1e15 + |x + 3| at 0",
     function(lambda x: 1e15 + np.abs(x + 3), lambda d, x: d * np.sign(x + 3)),
     array(0, 0), times(0)),
    ("flat", "softmax of a confident row",
     lambda: (softmax_forward, softmax_backward),
     array(0, 40, 1)[None], times(-1)),
    ("flat", "cross-entropy of a confident row",
     layer(cross_entropy_forward, cross_entropy_backward, np.array([1, 0])),
     np.array([[0, 20.0, 3], [1, 2, 0]]), times(-1, 0)),
    ("flat", "exp at -700, beside 1",
     function(np.exp, lambda d, x: d * np.exp(x)), array(-700, 0),
     times(0, 1)),
    ("huge", "square at 1e150",
     function(lambda x: x * x, lambda d, x: 2 * d * x), array(1e150, 3e150),
     times(1.5)),
    ("huge", "log at 1e300",
     function(np.log, lambda d, x: d / x), array(1e300, 2e300), times(-1)),
    ("huge", "softmax at 1e8",
     lambda: (softmax_forward, softmax_backward),
     np.array([[1e8, 1e8 - 1, 1e8 - 3]]), times(1.001)),
    ("huge", "logits of features of 1e200",
     layer(lsoftmax_forward, lsoftmax_backward, LABELS[:2], 4, 1.0),
     (1e200 * X[:2], W), times(1.001)),
    ("huge", "1e300 times x",
     function(lambda x: 1e300 * x, lambda d, x: 1e300 * d), array(1e-5, 0),
     times(0, 1)),
    ("tiny", "log where an entry is 1e-13 of its neighbour",
     function(np.log, lambda d, x: d / x), array(1e-13, 1), times(1.001)),
    ("tiny", "1/x where an entry is 1e-150 of its neighbour",
     function(lambda x: 1 / x, lambda d, x: -d / x**2), array(1e-150, 1), times(1.001)),
    ("tiny", "sqrt where an entry is 1e-300",
     function(np.sqrt, lambda d, x: d / (2 * np.sqrt(x))), array(1e-300, 4), times(2)),
    ("tiny", "entropy, an entry 1e-12",
     function(lambda p: -(p * np.log(p)).sum(), lambda d, p: -d * (np.log(p) + 1)),
     array(1e-12, 0.4, 0.6), plus(1)),
    ("tiny", "log of real numbers only, an entry 1e-13",
     function(lambda x: np.log(np.abs(x)), lambda d, x: d / x), array(1e-13, 1),
     times(-1)),
    ("tiny", "square at 1e-160",
     function(lambda x: x * x, lambda d, x: 2 * d * x), array(1e-160), times(0)),
    ("tiny", "square at 1e-200",
     function(lambda x: x * x, lambda d, x: 2 * d * x), array(1e-200, 2e-200),
     times(-1)),
    ("tiny", "length of a vector of 1e-150, unscaled",
     function(lambda x: np.sqrt((x * x).sum()),
              lambda d, x: d * x / np.sqrt((x * x).sum())),
     array(3e-150, 4e-150), times(0)),
    ("tiny", "logits of features of 1e-200",
     layer(lsoftmax_forward, lsoftmax_backward, LABELS[:2], 4, 1.0),
     (1e-200 * X[:2], W), times(1.001)),
    ("cancelling", "1 - cos x at 1e-5",
     function(lambda x: 1 - np.cos(x), lambda d, x: d * np.sin(x)), array(1e-5, 1),
     times(1.001)),
    ("cancelling", "(exp x - 1)/x at 1e-6",
     function(lambda x: (np.exp(x) - 1) / x,
              lambda d, x: d * (0.5 + x / 3 + x**2 / 8)), array(1e-6, 2e-6), times(0)),
    ("cancelling", "variance by squares, mean 1e5",
     function(lambda x: (x * x).mean() - x.mean() ** 2,
              lambda d, x: d * 2 * (x - x.mean()) / x.size),
     array(1e5, 1e5 + 1, 1e5 + 5), times(-1)),
    ("cancelling", "log of a softmax",
     function(lambda z: np.log(row_softmax(z)),
              lambda d, z: d - row_softmax(z) * d.sum(axis=-1, keepdims=True)),
     array(0, 30, 1)[None], times(1.001)),
    ("cancelling", "a softmax of equal logits",
     function(row_softmax, d_row_softmax), np.zeros((2, 3)), plus(1e-3, (0, 1))),
    ("cancelling", "a difference of large squares",
     function(lambda x: (x[0] - x[1]) * (x[0] + x[1]),
              lambda d, x: d * array(2, -2) * x), array(1e8, 1e8 + 1), times(0, 1)),
    ("kinked", "relu at 0, slope 0",
     function(lambda x: np.where(x.real > 0, x, 0), lambda d, x: d * (x > 0)),
     array(0, 2, -1), plus(2, 0)),
    ("kinked", "relu at 0, slope 1",
     function(lambda x: np.where(x.real > 0, x, 0), lambda d, x: d * (x >= 0)),
     array(0, 2, -1), times(-1)),
    ("kinked", "|x| at 0", function(np.abs, lambda d, x: d * np.sign(x)),
     array(0, 2, -1), times(0)),
    ("kinked", "the larger of two equal numbers",
     function(np.max, lambda d, x: d * array(1, 0, 0)), array(2, 2, 1), plus(1, 2)),
    ("kinked", "hinge loss on its margin",
     function(lambda x: np.where(1 - x.real > 0, 1 - x, 0), lambda d, x: -d * (x < 1)),
     array(1, 0.5, 3), times(2)),
    ("kinked", "length of a vector 0",
     function(norm, lambda d, x: 0 * x), array(0, 0), plus(3)),
    ("kinked", "clip at its end",
     function(lambda x: np.clip(x, -1, 1), lambda d, x: d * (np.abs(x) < 1)),
     array(1, 0.3, -5), times(3)),
    ("near a kink", "|x - 1e-9| at 0 and 1",
     function(lambda x: np.abs(x - 1e-9), lambda d, x: d * np.sign(x - 1e-9)),
     array(0, 1), times(0)),
    ("near a kink", "|x - 1 - 1e-9| at 1",
     function(lambda x: np.abs(x - 1 - 1e-9), lambda d, x: d * np.sign(x - 1 - 1e-9)),
     array(1, 2), times(3)),
    ("near a kink", "relu at 1e-12 and -1e-7",
     function(lambda x: np.maximum(x, 0), lambda d, x: d * (x > 0)),
     array(1e-12, -1e-7, 1), times(2)),
    ("near a kink", "the larger of 1 and 1 + 1e-10",
     function(np.max, lambda d, x: d * array(0, 1)), array(1, 1 + 1e-10), plus(1, 0)),
    ("near a kink", "Huber's loss near its corner",
     function(huber, lambda d, x: d * np.clip(x, -1, 1)),
     array(1 - 1e-9, 1 + 1e-9, 0.2), times(1.001)),
    ("near a kink", "psi beside a knot",
     layer(psi_forward, psi_backward, 4), array(np.cos(np.pi / 4) + 1e-9, 0.3),
     times(1.001)),
    ("noisy", "x^2 rounded to 1e-7",
     function(lambda x: np.round(np.real(x * x), 7), lambda d, x: 2 * d * x),
     array(0.5, -1.2), times(1.1)),
    ("noisy", "x^2 with noise of 1e-8",
     function(lambda x: x * x + 1e-8 * hash_noise(x), lambda d, x: 2 * d * x),
     array(0.5, -1.2), times(1.1)),
    ("noisy", "1e6 + x^2, one entry small",
     function(lambda x: 1e6 + (x * x).sum(), lambda d, x: 2 * d * x),
     array(1e-3, 1), times(-1)),
    ("noisy", "a gradient that rounds at 1e10",
     function(np.sin, lambda d, x: (d * np.cos(x) + 1e10) - 1e10), array(0.5, 1.5),
     noisy(5e-6)),
    ("noisy", "a float32 sum inside",
     function(lambda x: np.sum((x * x).astype(np.float32)).astype(float),
              lambda d, x: 2 * d * x), array(0.5, -1.2, 3), times(1.1)),
    ("constant", "nothing moves", function(lambda x: 0 * x + 3, lambda d, x: 0 * d),
     array(1, 0, 2), plus(1e-3, 1)),
    ("constant", "rows of a softmax sum to 1",
     function(lambda z: row_softmax(z).sum(axis=-1), lambda d, z: 0 * z),
     array(0.3, -1, 2)[None], plus(1e-6)),
    ("constant", "a shape", function(lambda x: float(x.size), lambda d, x: 0 * x),
     array(1, 2), plus(1)),
    ("linear", "a matrix of sizes 1e-8 to 1e8",
     function(lambda x: array(1e8, -1, 1e-8) * x,
              lambda d, x: array(1e8, -1, 1e-8) * d),
     array(1, 0, -3), times(0, 1)),
    ("linear", "x^2 + 5 y at y = 0",
     function(lambda x: x[0] ** 2 + 5 * x[1], lambda d, x: d * np.array([2 * x[0], 5])),
     array(1, 0), times(0, 1)),
    ("linear", "a sum, one entry left out",
     function(np.sum, lambda d, x: d * np.ones(x.shape)), array(0, 0, 0), times(0, 2)),
    ("integer", "a list of integers",
     function(lambda x: x * x, lambda d, x: 2 * d * x), [1, 2], times(-1)),
    ("integer", "an array of integers",
     function(lambda x: x**3, lambda d, x: 3 * d * x**2), np.array([1, 0, -2]),
     plus(1, 1)),
    ("integer", "a plain number",
     function(lambda x: x**3, lambda d, x: 3 * d * x**2), 3.0, times(1.001)),
    ("float32", "tanh of float32",
     function(np.tanh, lambda d, x: d * (1 - np.tanh(x) ** 2)),
     np.array([0.3, -1.2], dtype=np.float32), times(1.1)),
    ("float32", "an imaginary part dropped",
     function(lambda x: np.tanh(np.real(x).astype(np.float32)),
              lambda d, x: d * (1 - np.tanh(x) ** 2)), array(0.3, -1.2, 0), times(0)),
    ("float32", "margin logits in float32",
     lambda: (margin_logits_float32, margin_gradient_float32), (X, W), times(1.2)),
    ("float32", "a mean in float32",
     function(lambda x: np.mean(np.real(x * x), dtype=np.float32),
              lambda d, x: 2 * d * x / x.size), array(3, -1, 0, 5), times(-1)),
    ("zeros", "x^2 + |y + 3| at y = 0",
     function(lambda x: x[0] ** 2 + np.abs(x[1] + 3),
              lambda d, x: d * np.array([2 * x[0], 1])), array(1, 0), times(0, 1)),
    ("zeros", "1e11 x^2 + |y + 3| at y = 0",
     function(lambda x: 1e11 * x[0] ** 2 + np.abs(x[1] + 3),
              lambda d, x: d * np.array([2e11 * x[0], 1])), array(1, 0), times(0, 1)),
    ("zeros", "a network of black pixels", function(mlp, d_mlp), BLACK,
     plus(1000, (0, 1))),
    ("zeros", "Huber's loss on the outputs of relu",
     function(huber_of_distance, lambda d, x: d * np.clip(x - 3, -1, 1)),
     array(0, 2.5, 0, 5), times(0, 0)),
    ("zeros", "all entries, |x + 3|",
     function(lambda x: np.abs(x + 3), lambda d, x: d * np.sign(x + 3)),
     array(0, 0, 0), times(0)),
    ("zeros", "a kink and |y + 3| side by side",
     function(lambda x: array(1, 0) @ np.where(x.real > 0, x, 0) + np.abs(x[1] + 3),
              lambda d, x: d * np.array([0, 1.0])), array(0, 0), times(0)),
    ("zeros", "a product with a zero",
     function(np.prod, lambda d, x: d * array(0, 2 * 3, 0)), array(2, 0, 3),
     times(0)),
    ("zeros", "the weight of normed columns",
     lambda: (normed_columns, d_normed_columns),
     (X, np.where(np.abs(W) < 0.5, 0, W)), times(1.01)),
    ("stateful", "a counter in the cache", counting, array(1, 2), times(1.1)),
    ("stateful", "a scale that counts calls", scaled_by_calls, array(1, 2), times(1.1)),
    ("stateful", "a lambda that anneals itself", annealing, array(1, 2), times(1.1)),
    ("stateful", "an annealing that begins later", annealing_late, array(1, 2),
     times(1.1)),
    ("stateful", "a backward that adds up", adding_up, array(1, 2), times(1.1)),
    ("stateful", "a backward that adds in place", adding_in_place, array(1, 2),
     times(1.1)),
    ("stateful", "a running mean", running_mean, array(1, 2), times(1.1)),
    ("stateful", "a backward that reads the last forward", remembering, array(1, 2),
     times(1.1)),
    ("random", "dropout of a half", functools.partial(dropout, 0.5),
     array(1, 2, 3, 4, 5, 6), times(1.1)),
    ("random", "dropout of one in a hundred", functools.partial(dropout, 0.01),
     array(1, 2, 3), times(1.1)),
    ("random", "noise of 1e-6", jitter, array(1, 2), times(1.1)),
    ("random", "noise in the backward", random_backward, array(1, 2), times(1.1)),
    ("nan", "log of a negative number",
     function(np.log, lambda d, x: np.where(x > 0, d / x, np.nan)), array(-1, 2),
     times(2, 1)),
    ("nan", "0/0 in one output",
     function(lambda x: x * x / x, lambda d, x: np.where(x == 0, np.nan, d)),
     array(0, 2, 3), times(-1, 2)),
    ("nan", "sqrt of a negative number, in a sum",
     function(lambda x: np.sqrt(x).sum(), lambda d, x: d / (2 * np.sqrt(x)) * np.nan),
     array(-1, 4), lambda g: 0 * np.nan_to_num(g) + 1),
    ("nan", "infinite slope of sqrt at 0",
     function(np.sqrt, lambda d, x: d / (2 * np.sqrt(x))), array(0, 4), times(2, 1)),
]  # fmt: skip

RIGHT = [Case(kind, name, make, inputs, True) for kind, name, make, inputs, _ in ROWS]
WRONG = [
    Case(kind, name, wrong(make, spoil), inputs, False)
    for kind, name, make, inputs, spoil in ROWS
] + [
    Case("zeros", "the norm of a weight forgotten",
         lambda: (normed_columns, forgets_the_norm), (X, W), False),
]  # fmt: skip
CASES = RIGHT + WRONG

# A wrong entry that no check of these can see: below 1e-15 of the largest
UNSEEN = Case(
    "flat", "an entry of 1e-17 beside 1",
    wrong(function(np.exp, lambda d, x: d * np.exp(x)), times(-1, 0)),
    array(-40, 0), False,
)  # fmt: skip


def verdicts(method):
    """Yield (case, verdict) for all cases by a method."""
    for case in CASES:
        yield case, case.report(method).verdict


def main():
    """Print how often each method says what, and the cases in which it errs."""
    print(f"{len(RIGHT)} right, {len(WRONG)} wrong")
    for method in (None, *METHODS):
        found = list(verdicts(method))
        for right in (True, False):
            counted = collections.Counter(v for c, v in found if c.right is right)
            print(method or "default", "right" if right else "wrong", dict(counted))
        for case, verdict in found:
            if verdict not in case.allowed:
                print(f"    {case} -> {verdict}")


if __name__ == "__main__":
    main()
