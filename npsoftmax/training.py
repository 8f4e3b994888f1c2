"""In: images x, labels y, a margin m and a seed. Out: one Epoch after another, each
with its loss and the Params so far.

    momentum    v = momentum v - rate (dp + decay p)           p = p + v
    rate        divided by 10 after 60 % of all steps, and again after 85 %
    annealing   lam(step) = max(lam_min, base (1 + gamma step)^(-power))

With a large m, training may not converge from scratch. So the label's logit begins as
nearly the plain one, lam = 1000, and the margin is let in little by little, by (6) of
textbook.py. Look at the curve of lam before a run: while lam is large, no margin is on.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from npsoftmax import validate
from npsoftmax.mlp import Params, init_params, mlp_backward, mlp_forward

BEGIN = 1000.0  # lambda at step 0: the label's logit is nearly the plain one


class Settings(NamedTuple):
    """How a network is trained; `settings_for` gives those of a margin and a size."""

    hidden: tuple[int, int] = (64, 64)  # widths of the two hidden layers
    features: int = 2  # F, what the head sees
    epochs: int = 80
    batch: int = 64  # images a step
    rate: float = 0.04  # of learning, before it is divided
    momentum: float = 0.9
    decay: float = 5e-4  # of all parameters
    lam_min: float = 1.0  # where lambda ends; no matter for m = 1


class Annealing(NamedTuple):
    """How lambda falls: call it with a step, from 0, and it gives lambda.

    Source of the formula: the code published by the authors of the paper.
    """

    lam_min: float
    gamma: float
    base: float = BEGIN
    power: float = 2.0

    @classmethod
    def reaching(cls, lam_min, step, base=BEGIN, power=2.0):
        """Return the Annealing that comes down to `lam_min` at `step`.

        Raises ValueError for a `lam_min` of 0, which the formula only approaches.
        """
        if not 0 < lam_min <= base:
            raise ValueError(f"lam_min is {lam_min}, but it must be in (0, {base:g}]")
        gamma = ((base / lam_min) ** (1 / power) - 1) / step
        return cls(lam_min, gamma, base, power)

    def __call__(self, step):
        return max(self.lam_min, self.base * (1 + self.gamma * step) ** -self.power)


class Epoch(NamedTuple):
    """What is known after an epoch. Its arrays are never changed afterwards."""

    epoch: int  # 1, 2, ...
    step: int  # how many steps were made
    rate: float  # of the last step
    lam: float  # of the last step
    loss: float  # mean over the epoch's images, with the margin in it
    params: Params


class DivergenceError(ArithmeticError):
    """The loss or a parameter is not finite any more; the message says what to do."""


# For m = 1, 2, 3 and from 4 on, by the size of the data. Each rate has the smallest
# error in one search of the same size for every margin, on training parts alone
# (tests/settings.md); lam_min says how wide a wedge is asked for.
#
#     error in %      rate   softmax    m = 2    m = 3    m = 4
#     the digits      0.02      8.00     5.86     5.36     5.83
#                     0.04      6.46     4.48     4.20     4.34
#                     0.08      4.83     9.88    18.39    16.23
#                     0.16     59.52    69.01    76.46    67.78
#     MNIST           0.02      3.55     2.86     2.69     2.50
#                     0.04      2.90     2.57     2.47     2.68
#                     0.06      2.79     2.78     2.61     2.93
#                     0.1       2.87     2.77    89.36    89.36
#                     0.15      3.38    89.36    68.94    89.36
CHOSEN = {
    "small": {"rate": (0.08, 0.04, 0.04, 0.04), "lam_min": (1.0, 0.2, 1.0, 3.0)},
    "large": {"rate": (0.06, 0.04, 0.04, 0.02), "lam_min": (1.0, 0.02, 0.05, 0.1)},
}
SMALL = Settings()
LARGE = Settings(hidden=(256, 256), epochs=30, batch=128)
LARGE_FROM = 10_000  # images to train on
MARGIN_IS_ON = 0.4  # of all steps: when lambda reaches its smallest value


def settings_for(m, N):
    """Return the Settings of margin m for N images to train on: the rule by size."""
    size, base = ("large", LARGE) if N >= LARGE_FROM else ("small", SMALL)
    column = min(m, len(CHOSEN[size]["rate"])) - 1
    return base._replace(**{name: row[column] for name, row in CHOSEN[size].items()})


def annealing_of(settings, N):
    """Return the Annealing of a run on N images: at lam_min after 2/5 of the steps."""
    return Annealing.reaching(settings.lam_min, MARGIN_IS_ON * count_steps(N, settings))


def count_steps(N, settings):
    """Return how many steps a run on N images makes."""
    return settings.epochs * math.ceil(N / settings.batch)


def rate_at(step, steps, settings):
    """Return the learning rate of a step, from 0, of so many `steps`."""
    drops = (step >= 0.6 * steps) + (step >= 0.85 * steps)
    return settings.rate / 10**drops


def train(x, y, m, seed, settings=None, annealing=None) -> Iterator[Epoch]:
    """Yield an Epoch after each pass over images x (N, D) with labels y (N,).

    m: the margin, 1 for plain softmax. seed: the same seed gives the same run, to the
    digit, on one machine with one NumPy. settings, annealing: by default those of
    `settings_for` and `annealing_of`. Raises DivergenceError once the loss or a
    parameter is inf or nan; ValueError or TypeError, when called and not later, for an
    argument that cannot be.
    """
    x = validate.finite("x", validate.matrix("x", x, "(N, D)"))
    m = validate.margin(m)
    settings = check_settings(settings or settings_for(m, len(x)))
    C = int(np.max(validate.numeric("y", y), initial=0)) + 1
    y = validate.labels(y, len(x), C)
    rng = np.random.default_rng(seed)
    params = init_params(
        rng, x.shape[1], settings.hidden, settings.features, C, x.dtype
    )
    annealing = annealing or annealing_of(settings, len(x))
    return _epochs(x, y, m, rng, params, settings, annealing)


def _epochs(x, y, m, rng, params, settings, annealing):
    """Yield the epochs of `train`, whose arguments were checked there."""
    N, steps, step = len(x), count_steps(len(x), settings), 0
    velocity = Params(*(np.zeros_like(p) for p in params))
    for epoch in range(1, settings.epochs + 1):
        order, summed_loss = rng.permutation(N), 0.0
        for start in range(0, N, settings.batch):
            rows = order[start : start + settings.batch]
            lam, rate = annealing(step), rate_at(step, steps, settings)
            loss, gradient = _loss_and_gradient(params, x[rows], y[rows], m, lam)
            params, velocity = sgd_step(params, velocity, gradient, rate, settings)
            summed_loss += len(rows) * float(loss)
            step += 1
            if not math.isfinite(summed_loss):
                raise _divergence(f"the loss is {loss}", epoch, step, rate, m, lam)
        if not all(np.isfinite(p).all() for p in params):
            raise _divergence("a parameter is not finite", epoch, step, rate, m, lam)
        yield Epoch(epoch, step, rate, lam, summed_loss / N, params)


@np.errstate(over="ignore", invalid="ignore")
def sgd_step(params, velocity, gradient, rate, settings):
    """Return new Params and their new velocity after one step with momentum.

    What leaves the range becomes inf or nan, for the caller to see.
    """
    momentum, decay = settings.momentum, settings.decay
    velocity = Params(
        *(
            momentum * v - rate * (dp + decay * p)
            for p, v, dp in zip(params, velocity, gradient, strict=True)
        )
    )
    params = Params(*(p + v for p, v in zip(params, velocity, strict=True)))
    return params, velocity


def check_settings(settings):
    """Return the Settings, or raise ValueError that names the one that cannot be."""
    for name in ("epochs", "batch", "features"):
        validate.count(name, getattr(settings, name))
    for name in ("rate", "momentum", "decay"):
        validate.non_negative(name, getattr(settings, name))
    return settings


@np.errstate(over="ignore", invalid="ignore")
def _loss_and_gradient(params, x, y, m, lam):
    """Return the loss and its gradient; a loss of nan where a feature is not finite."""
    try:
        loss, cache = mlp_forward(params, x, y, m, lam)
    except ValueError:  # x and y were checked: it is a feature that left the range
        return math.nan, params
    return loss, mlp_backward(1.0, cache)


def _divergence(what, epoch, step, rate, m, lam):
    advice = f"try a learning rate below {rate:g}"
    if m > 1:
        advice += f", or a lam_min above {lam:.3g}, which lambda was"
    return DivergenceError(
        f"training diverged in epoch {epoch}, at step {step}: {what}; {advice}"
    )
