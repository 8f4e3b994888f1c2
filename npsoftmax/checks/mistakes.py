"""Known mistakes: for each function, the wrong results that people really get.

A mistake has a short name, the words for the person, and the wrong results themselves:
one line of NumPy or several, each taking the function's inputs by name. `hard` says
that it shows, or that its variants can be told apart, on dangerous inputs only.

What can go wrong in any function (a factor, a sign, zeros, a transpose, the last row
missing, float32, values cut off) is not listed: diagnosis.py sees it by comparing.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

import npsoftmax

SMALL_NUMBERS = [10.0**-k for k in range(3, 17)]


class Mistake(NamedTuple):
    name: str
    words: str
    wrong: tuple[Callable, ...]
    hard: bool = False


def _mistake(name, words, *wrong, hard=False):
    return Mistake(name, words, wrong, hard)


# --------------------------------------------------------- softmax and its logarithm


def _exp_and_sum(z, axis, shift="rows", summed=None):
    """Return top, e and its sum; the shift and the summed axis can be wrong ones."""
    if shift == "rows":
        top = z.max(axis=axis, keepdims=True)
    elif shift == "none":
        top = np.zeros_like(z.max(axis=axis, keepdims=True))
    elif shift == "batch":
        top = np.full_like(z.max(axis=axis, keepdims=True), z.max())
    elif shift == "size":
        top = np.abs(z).max(axis=axis, keepdims=True)
    elif shift in (0, -1):
        top = z.max(axis=shift, keepdims=True)
    else:
        top = {"mean": np.mean, "min": np.min}[shift](z, axis=axis, keepdims=True)
    e = np.exp(z - top)
    return top, e, e.sum(axis=axis if summed is None else summed, keepdims=True)


def _p(z, axis=-1, shift="rows", summed=None):
    _, e, total = _exp_and_sum(z, axis, shift, summed)
    return e / total


def _log_p(z, axis=-1, shift="rows", summed=None):
    top, _, total = _exp_and_sum(z, axis, shift, summed)
    return z - top - np.log(total)


def _lse(z, axis=-1, shift="rows", summed=None):
    top, _, total = _exp_and_sum(z, axis, shift, summed)
    return _squeezed(top + np.log(total), axis)


def _squeezed(a, axis):
    return a.squeeze(axis) if a.shape[axis] == 1 else a


def _other(axis):
    return 1 if axis == 0 else 0


def _shifts_and_axes(f):
    """Return the mistakes that softmax, its logarithm and logsumexp have in common."""
    overflow = "exp(z) without the shift: it overflows for z > 709"
    batch = "the largest logit of the whole batch is subtracted, not that of each row"
    axis = "the sum runs along the wrong axis"
    return (
        _mistake("no shift", overflow, partial(f, shift="none"), hard=True),
        _mistake(
            "max over the whole batch", batch, partial(f, shift="batch"), hard=True
        ),
        _mistake(
            "a shift that is not the max",
            "what is subtracted from the logits is not the largest of each row",
            *(partial(f, shift=shift) for shift in ("mean", "min", "size")),
            hard=True,
        ),
        _mistake(
            "wrong axis",
            axis,
            lambda z, axis=-1: f(z, -1),
            lambda z, axis=-1: f(z, 0),
            lambda z, axis=-1: f(z, _other(axis)),
            lambda z, axis=-1: f(z, axis, summed=-1),
            lambda z, axis=-1: f(z, axis, summed=0),
            lambda z, axis=-1: f(z, axis, summed=_other(axis)),
            lambda z, axis=-1: f(z, axis, shift=-1),
            lambda z, axis=-1: f(z, axis, shift=0),
        ),
    )


def _clipped_logits(f):
    words = "the logits are cut off before exp"
    bounds = (30, 50, 80, 88, 100, 500, 700, 709)
    wrong = [lambda z, axis=-1, b=b: f(np.clip(z, -b, b), axis) for b in bounds]
    return _mistake("clipped", words, *wrong, hard=True)


SOFTMAX = (
    *_shifts_and_axes(_p),
    _clipped_logits(_p),
    _mistake(
        "sum over everything",
        "the sum runs over the whole batch, not over each row",
        lambda z, axis=-1: _p(z, axis, "batch", (0, 1)),
        lambda z, axis=-1: _p(z, axis, summed=(0, 1)),
    ),
    _mistake(
        "not normalised",
        "the exponentials are not divided by their sum",
        lambda z, axis=-1: _exp_and_sum(z, axis)[1],
        lambda z, axis=-1: np.exp(z),
    ),
    _mistake(
        "powers of two",
        "powers of 2 instead of powers of e",
        lambda z, axis=-1: _p(z * np.log(2), axis),
    ),
    _mistake(
        "eps in the denominator",
        "a small number is added to the sum of the exponentials",
        *(
            lambda z, axis=-1, eps=eps: (
                _exp_and_sum(z, axis)[1] / (_exp_and_sum(z, axis)[2] + eps)
            )
            for eps in SMALL_NUMBERS
        ),
    ),
    _mistake(
        "clipped",
        "the probabilities are cut off",
        *(
            lambda z, axis=-1, eps=eps, top=top: np.clip(_p(z, axis), eps, top(eps))
            for eps in SMALL_NUMBERS
            for top in (lambda eps: 1.0, lambda eps: 1 - eps)
        ),
        hard=True,
    ),
    _mistake("logarithm", "this is log_softmax, not softmax", _log_p),
    _mistake(
        "last row missing",
        "the last row is left out",
        lambda z, axis=-1: _without_last_row(z, axis),
    ),
)


def _without_last_row(z, axis):
    _, e, _ = _exp_and_sum(z, axis)
    e[-1] = 0
    return e / e.sum(axis=axis, keepdims=True)


_EPS_IN_LOG = "a small number is added inside the logarithm"

LOG_SOFTMAX = (
    *_shifts_and_axes(_log_p),
    _clipped_logits(_log_p),
    _mistake(
        "log of softmax",
        "the logarithm is taken of softmax, whose small entries have become 0",
        lambda z, axis=-1: np.log(_p(z, axis)),
        hard=True,
    ),
    _mistake(
        "eps in the logarithm",
        _EPS_IN_LOG,
        *(
            lambda z, axis=-1, eps=eps: np.log(_p(z, axis) + eps)
            for eps in SMALL_NUMBERS
        ),
        *(
            lambda z, axis=-1, eps=eps: (
                z - _exp_and_sum(z, axis)[0] - np.log(_exp_and_sum(z, axis)[2] + eps)
            )
            for eps in SMALL_NUMBERS
        ),
        hard=True,
    ),
    _mistake(
        "eps in the denominator",
        "a small number is added to the sum of the exponentials",
        *(
            lambda z, axis=-1, eps=eps: np.log(
                _exp_and_sum(z, axis)[1] / (_exp_and_sum(z, axis)[2] + eps)
            )
            for eps in SMALL_NUMBERS[:8]  # below, only the log(0) shows
        ),
        hard=True,
    ),
    _mistake(
        "clipped",
        "the probabilities are cut off before the logarithm",
        *(
            lambda z, axis=-1, eps=eps, top=top: np.log(
                np.clip(_p(z, axis), eps, top(eps))
            )
            for eps in SMALL_NUMBERS
            for top in (lambda eps: 1.0, lambda eps: 1 - eps)
        ),
        hard=True,
    ),
    _mistake(
        "shift in one place only",
        "the shift is inside the sum but not taken off the logits themselves",
        lambda z, axis=-1: z - np.log(_exp_and_sum(z, axis)[2]),
    ),
    _mistake(
        "another base",
        "the logarithm is to base 2 or 10, not e",
        *(
            lambda z, axis=-1, base=base: (
                z
                - _exp_and_sum(z, axis)[0]
                - np.log(_exp_and_sum(z, axis)[2]) / np.log(base)
            )
            for base in (2, 10)
        ),
        lambda z, axis=-1: _log_p(z, axis) / np.log(2),
        lambda z, axis=-1: _log_p(z, axis) / np.log(10),
    ),
    _mistake("no logarithm", "this is softmax without its logarithm", _p),
)

LOGSUMEXP = (
    *_shifts_and_axes(_lse),
    _clipped_logits(_lse),
    _mistake(
        "shift not added back",
        "the shift is subtracted inside the exp, but not added again outside",
        lambda z, axis=-1: np.log(_exp_and_sum(z, axis)[2]).squeeze(axis),
    ),
    _mistake(
        "eps in the logarithm",
        _EPS_IN_LOG,
        *(
            lambda z, axis=-1, eps=eps: (
                z.max(axis) + np.log(_exp_and_sum(z, axis)[2].squeeze(axis) + eps)
            )
            for eps in SMALL_NUMBERS
        ),
    ),
    _mistake(
        "mean, not sum",
        "the logarithm is taken of the mean of the exponentials, not of their sum",
        lambda z, axis=-1: _lse(z, axis) - np.log(z.shape[axis]),
    ),
    _mistake(
        "another base",
        "the logarithm is to base 2 or 10, not e",
        lambda z, axis=-1: z.max(axis) + (_lse(z, axis) - z.max(axis)) / np.log(2),
        lambda z, axis=-1: z.max(axis) + (_lse(z, axis) - z.max(axis)) / np.log(10),
    ),
)


def _softmax_dz(z, dp, p=None, axis=1):
    p = _p(z) if p is None else p
    return p * (dp - (p * dp).sum(axis=axis, keepdims=True))


SOFTMAX_BACKWARD = (
    _mistake(
        "diagonal only",
        "only the diagonal p (1 - p) of the Jacobian is used",
        lambda z, dp: _p(z) * (1 - _p(z)) * dp,
    ),
    _mistake(
        "row sum missing",
        "the sum over the row, sum_j p_j dp_j, is missing",
        lambda z, dp: _p(z) * dp,
    ),
    _mistake(
        "wrong axis",
        "the sum runs over the batch, not over each row",
        partial(_softmax_dz, axis=0),
    ),
    _mistake(
        "sum over everything",
        "the sum runs over the whole batch, not over each row",
        partial(_softmax_dz, axis=(0, 1)),
    ),
    _mistake(
        "dp not weighted",
        "the row's sum is of dp, not of p dp",
        lambda z, dp: _p(z) * (dp - dp.sum(axis=1, keepdims=True)),
    ),
    _mistake(
        "factor p missing",
        "the factor p before the bracket is missing",
        lambda z, dp: dp - (_p(z) * dp).sum(axis=1, keepdims=True),
    ),
    _mistake(
        "first row's p",
        "the probabilities of the first row are used for every row",
        lambda z, dp: _softmax_dz(z, dp, np.broadcast_to(_p(z)[:1], z.shape)),
    ),
    _mistake("dp returned", "dp comes back as it went in", lambda z, dp: dp),
)

LOG_SOFTMAX_BACKWARD = (
    _mistake(
        "row sum missing",
        "the sum over the row, sum_j dlog_p_j, is missing",
        lambda z, dlog_p: dlog_p - _p(z),
        lambda z, dlog_p: dlog_p - _p(z) * dlog_p,
    ),
    _mistake(
        "log p for p",
        "log p is used where p belongs",
        lambda z, dlog_p: dlog_p - _log_p(z) * dlog_p.sum(axis=1, keepdims=True),
    ),
    _mistake(
        "wrong axis",
        "the sum runs over the batch, not over each row",
        lambda z, dlog_p: dlog_p - _p(z) * dlog_p.sum(axis=0, keepdims=True),
    ),
    _mistake(
        "mean, not sum",
        "the mean of the row is taken, not its sum",
        lambda z, dlog_p: dlog_p - _p(z) * dlog_p.mean(axis=1, keepdims=True),
    ),
    _mistake(
        "softmax part missing",
        "the part - p sum_j dlog_p_j is missing",
        lambda z, dlog_p: dlog_p,
    ),
)


# -------------------------------------------------------------------- cross-entropy


def _picked(log_p, y):
    return log_p[np.arange(len(y)), y]


def _loss_of(mistake):
    """Return a mistake of log_softmax as it shows in the loss."""
    wrong = [
        lambda z, y, log_p=log_p: -np.mean(_picked(log_p(z), y))
        for log_p in mistake.wrong
    ]
    return mistake._replace(wrong=tuple(wrong))


CROSS_ENTROPY = (
    *(_loss_of(mistake) for mistake in LOG_SOFTMAX if mistake.name != "no logarithm"),
    _mistake(
        "one-hot in column y[0]",
        "every row takes the probability of label y[0], not of its own label",
        lambda z, y: -np.mean(_log_p(z)[:, y[0]]),
    ),
    _mistake(
        "all labels' columns",
        "z[:, y] takes all the labels' columns in every row: z[arange(N), y] takes one",
        lambda z, y: -np.mean(_log_p(z)[:, y]),
        lambda z, y: -np.sum(_log_p(z)[:, y]) / len(y),
    ),
    _mistake(
        "no logarithm",
        "the mean of the probabilities is taken, not of their logarithms",
        lambda z, y: -np.mean(_picked(_p(z), y)),
        lambda z, y: np.mean(_picked(_p(z), y)),
    ),
    _mistake(
        "softmax twice",
        "softmax is applied twice",
        lambda z, y: -np.mean(_picked(_log_p(_p(z)), y)),
    ),
    _mistake(
        "last row missing",
        "the last row is left out",
        lambda z, y: -np.sum(_picked(_log_p(z), y)[:-1]) / len(y),
        lambda z, y: -np.mean(_picked(_log_p(z), y)[:-1]),
    ),
    _mistake(
        "first row only",
        "only the first row is used",
        lambda z, y: -_picked(_log_p(z), y)[0],
        lambda z, y: -_picked(_log_p(z), y)[0] / len(y),
    ),
    _mistake(
        "all classes",
        "the logarithms of all classes are added, not of the label's alone",
        lambda z, y: -np.mean(_log_p(z)),
        lambda z, y: -np.sum(_log_p(z)) / len(y),
    ),
)


def _minus(p, y, amount=1, columns=None):
    p = p.copy()
    p[np.arange(len(y)), y if columns is None else columns] -= amount
    return p


def _ce(p):
    """Return dz / dloss * N of a wrong p - onehot as a function of the inputs."""
    return lambda z, y, dloss: dloss / len(y) * p(z, y)


def _all_columns(z, y):
    p = _p(z)
    p[:, y] -= 1
    return p


def _clip_p(z, y, eps):
    return _minus(np.clip(_p(z), eps, 1 - eps), y)


CROSS_ENTROPY_BACKWARD = (
    _mistake(
        "one-hot missing",
        "the 1 is not subtracted in the label's column",
        _ce(lambda z, y: _p(z)),
    ),
    _mistake(
        "one-hot in column y[0]",
        "the 1 is subtracted in column y[0] of every row",
        _ce(lambda z, y: _minus(_p(z), y, columns=y[0])),
    ),
    _mistake(
        "1 added",
        "the 1 is added in the label's column, not subtracted",
        _ce(lambda z, y: _minus(_p(z), y, -1)),
    ),
    _mistake(
        "1 subtracted twice",
        "the 1 is subtracted twice in the label's column",
        _ce(lambda z, y: _minus(_p(z), y, 2)),
    ),
    _mistake(
        "all labels' columns",
        "z[:, y] takes all the labels' columns in every row: z[arange(N), y] takes one",
        _ce(_all_columns),
    ),
    _mistake(
        "1 not divided by N",
        "p is divided by N before the 1 is subtracted",
        lambda z, y, dloss: dloss * _minus(_p(z) / len(y), y),
        lambda z, y, dloss: _minus(dloss * _p(z) / len(y), y),
    ),
    _mistake(
        "dloss forgotten",
        "dloss is not multiplied in",
        lambda z, y, dloss: _minus(_p(z), y) / len(y),
        lambda z, y, dloss: _minus(_p(z), y),
    ),
    _mistake(
        "log p for p",
        "log p is used where p belongs",
        _ce(lambda z, y: _minus(_log_p(z), y)),
    ),
    _mistake(
        "wrong axis",
        "softmax runs over the batch, not over each row",
        _ce(lambda z, y: _minus(_p(z, 0), y)),
    ),
    _mistake(
        "no softmax",
        "the logits themselves are used where p belongs",
        _ce(lambda z, y: _minus(z, y)),
    ),
    _mistake(
        "clipped",
        "the probabilities are cut off",
        *(_ce(partial(_clip_p, eps=eps)) for eps in SMALL_NUMBERS),
        hard=True,
    ),
)


# ------------------------------------------------------------------ linear and ReLU


def _bias(W, b):
    return np.zeros(W.shape[1]) if b is None else b


LINEAR = (
    _mistake("bias forgotten", "the bias b is not added", lambda x, W, b: x @ W),
    _mistake(
        "bias subtracted",
        "the bias b is subtracted, not added",
        lambda x, W, b: x @ W - _bias(W, b),
    ),
)


def _linear_back(dx=None, dW=None, db=None):
    def wrong(x, W, b, dz):
        right = {"dx": dz @ W.T, "dW": x.T @ dz, "db": dz.sum(axis=0)}
        if b is None:
            right["db"] = None
        for name, change in (("dx", dx), ("dW", dW), ("db", db)):
            if change and right[name] is not None:
                right[name] = change(x, W, b, dz)
        return tuple(right.values())

    return wrong


LINEAR_BACKWARD = (
    _mistake(
        "wrong axis",
        "db sums along the rows, not over the batch",
        _linear_back(db=lambda x, W, b, dz: dz.sum(axis=1)),
    ),
    _mistake(
        "sum over everything",
        "db is the sum of all of dz, not of each column",
        _linear_back(db=lambda x, W, b, dz: dz.sum() + 0 * b),
    ),
    _mistake(
        "last row missing",
        "dW leaves out the last row of the batch",
        _linear_back(dW=lambda x, W, b, dz: x[:-1].T @ dz[:-1]),
    ),
    _mistake(
        "db forgotten",
        "db is None although there is a bias",
        lambda x, W, b, dz: (dz @ W.T, x.T @ dz, None),
    ),
    _mistake(
        "dW before dx",
        "dW comes before dx",
        lambda x, W, b, dz: (x.T @ dz, dz @ W.T, None if b is None else dz.sum(axis=0)),
    ),
)

RELU = (
    _mistake("absolute value", "this is |h|, not max(h, 0)", lambda h: np.abs(h)),
    _mistake(
        "smaller of two", "this is min(h, 0), not max", lambda h: np.minimum(h, 0)
    ),
    _mistake(
        "a leak",
        "a part of what is negative comes through",
        *(lambda h, a=a: np.maximum(h, a * h) for a in (0.01, 0.1, 0.2, 0.3)),
    ),
    _mistake("h returned", "h comes back as it went in", lambda h: h),
    _mistake("mask returned", "this is whether h > 0", lambda h: 1.0 * (h > 0)),
)

RELU_BACKWARD = (
    _mistake("mask forgotten", "da comes back as it went in", lambda h, da: da),
    _mistake(
        "mask of da",
        "the mask is where da > 0, not where h > 0",
        lambda h, da: da * (da > 0),
    ),
    _mistake(
        "mask turned round",
        "the gradient goes through where h < 0, not where h > 0",
        lambda h, da: da * (h < 0),
    ),
    _mistake("da forgotten", "da is not multiplied in", lambda h, da: 1.0 * (h > 0)),
    _mistake(
        "a leak",
        "a part of the gradient comes through where h is negative",
        *(
            lambda h, da, a=a: np.where(h > 0, da, a * da)
            for a in (0.01, 0.1, 0.2, 0.3)
        ),
    ),
    _mistake("h for da", "h is masked, not da", lambda h, da: h * (h > 0)),
)


# ------------------------------------------------------------------------------ psi


def _floor(t, m):
    return np.minimum(np.floor(t), m - 1)


def _psi_by(theta, m, k=None, sign=None, twice=2.0):
    k = _floor(m * theta / np.pi, m) if k is None else k
    sign = (-1.0) ** k if sign is None else sign
    return sign * np.cos(m * theta) - twice * k


_K_ROUNDED = "k is rounded to the nearest piece, not down"
_K_0 = "k is always 0: m theta goes into the cosine, but the pieces are missing"

WRONG_PSI = (
    _mistake(
        "k rounded",
        _K_ROUNDED,
        lambda theta, m: _psi_by(theta, m, np.round(m * theta / np.pi)),
        lambda theta, m: _psi_by(
            theta, m, np.minimum(np.round(m * theta / np.pi), m - 1)
        ),
    ),
    _mistake("k always 0", _K_0, lambda theta, m: np.cos(m * theta)),
    _mistake(
        "last piece missing",
        "the last piece, k = m - 1, is missing: k stops one too early",
        lambda theta, m: _psi_by(
            theta, m, np.minimum(_floor(m * theta / np.pi, m), max(m - 2, 0))
        ),
    ),
    _mistake(
        "sign (-1)^k missing",
        "the sign (-1)^k is missing",
        lambda theta, m: _psi_by(theta, m, sign=1),
    ),
    _mistake(
        "-2k missing",
        "the - 2k is missing: the pieces are not hung on each other",
        lambda theta, m: _psi_by(theta, m, twice=0),
    ),
    _mistake(
        "k for 2k",
        "k is subtracted, not 2k",
        lambda theta, m: _psi_by(theta, m, twice=1),
    ),
    _mistake(
        "+2k",
        "2k is added, not subtracted",
        lambda theta, m: _psi_by(theta, m, twice=-2),
    ),
    _mistake(
        "cos^m",
        "this has cos(theta) to the power m, where cos(m theta) belongs",
        lambda theta, m: np.cos(theta) ** m,
        lambda theta, m: (
            (-1.0) ** _floor(m * theta / np.pi, m) * np.cos(theta) ** m
            - 2 * _floor(m * theta / np.pi, m)
        ),
    ),
    _mistake(
        "m cos",
        "this is m cos(theta), not cos(m theta)",
        lambda theta, m: m * np.cos(theta),
    ),
    _mistake(
        "m fixed",
        "m is fixed: the argument m is not used",
        *(lambda theta, m, fixed=fixed: _psi_by(theta, fixed) for fixed in range(2, 9)),
    ),
    _mistake(
        "k one too large",
        "k is one too large: the first piece is k = 0",
        lambda theta, m: _psi_by(theta, m, np.floor(m * theta / np.pi) + 1),
        lambda theta, m: _psi_by(
            theta, m, np.minimum(np.floor(m * theta / np.pi) + 1, m - 1)
        ),
    ),
    _mistake(
        "knots in the wrong places",
        "the knots are at k pi/(m+1) or k pi/(m-1), not at k pi/m",
        *(
            lambda theta, m, d=d: _psi_by(theta, m, _floor((m + d) * theta / np.pi, m))
            for d in (1, -1)
        ),
        lambda theta, m: _psi_by(theta, m, np.floor((m + 1) * theta / np.pi)),
    ),
    _mistake(
        "degrees",
        "the angle is taken for degrees, but it is in radians",
        lambda theta, m: _psi_by(np.deg2rad(theta), m),
    ),
    _mistake(
        "sin for cos",
        "sin(m theta) stands where cos(m theta) belongs",
        lambda theta, m: (
            (-1.0) ** _floor(m * theta / np.pi, m) * np.sin(m * theta)
            - 2 * _floor(m * theta / np.pi, m)
        ),
    ),
    _mistake(
        "no margin", "this is the plain cosine: m = 1", lambda theta, m: np.cos(theta)
    ),
)

PSI_PRIME = (
    _mistake(
        "k always 0",
        "the absolute value is missing: the sign (-1)^k of the pieces",
        lambda theta, m: -m * np.sin(m * theta),
    ),
    _mistake(
        "m forgotten",
        "the factor m, of the inner derivative, is missing",
        lambda theta, m: -np.abs(np.sin(m * theta)),
    ),
    _mistake(
        "derivative by cos",
        "this is the derivative by cos(theta), not by theta",
        lambda theta, m: m * np.abs(np.sin(m * theta)) / np.sin(theta),
        lambda theta, m: (
            m
            * np.abs(np.sin(m * theta))
            / np.where(np.sin(theta) == 0, 1, np.sin(theta))
        ),
    ),
    _mistake(
        "cos for sin",
        "cos(m theta) stands where sin(m theta) belongs",
        lambda theta, m: -m * np.abs(np.cos(m * theta)),
    ),
    _mistake(
        "m fixed",
        "m is fixed: the argument m is not used",
        *(
            lambda theta, m, fixed=fixed: -fixed * np.abs(np.sin(fixed * theta))
            for fixed in range(2, 9)
        ),
    ),
)


def _of_cos(mistake):
    """Return a wrong psi as a function of the cosine."""
    wrong = [
        lambda cos, m, f=f: f(np.arccos(np.clip(cos, -1, 1)), m) for f in mistake.wrong
    ]
    return mistake._replace(wrong=tuple(wrong))


_NO_BOUND = "arccos without a bound: rounding makes a cosine larger than 1"

PSI_FORWARD = (
    *(_of_cos(mistake) for mistake in WRONG_PSI),
    _mistake(
        "arccos without a bound",
        _NO_BOUND,
        lambda cos, m: _psi_by(np.arccos(cos), m),
        hard=True,
    ),
    _mistake(
        "cos for the angle",
        "the cosine is taken for the angle: arccos is missing",
        lambda cos, m: _psi_by(cos, m),
        lambda cos, m: _psi_by(cos, m, np.floor(m * cos / np.pi)),
    ),
    _mistake(
        "clipped",
        "the cosine is kept away from 1 and -1",
        *(
            lambda cos, m, eps=eps: _psi_by(
                np.arccos(np.clip(cos, eps - 1, 1 - eps)), m
            )
            for eps in SMALL_NUMBERS
        ),
        hard=True,
    ),
)


def _slope_by(cos, m, numerator=np.sin, absolute=np.abs):
    """Return m |sin(m theta)| / sin(theta), and m^2 at the ends, with changes."""
    theta = np.arccos(np.clip(cos, -1, 1))
    sin = np.sin(theta)
    end = sin < 1e-7
    ratio = absolute(numerator(m * theta)) / np.where(end, 1, sin)
    return m * np.where(end, m, ratio)


PSI_BACKWARD = (
    _mistake(
        "k always 0",
        "the sign (-1)^k of the pieces is missing in the slope",
        lambda cos, m, dpsi: dpsi * _slope_by(cos, m, absolute=np.asarray),
    ),
    _mistake(
        "m forgotten",
        "the factor m, of the inner derivative, is missing",
        lambda cos, m, dpsi: dpsi * _slope_by(cos, m) / m,
    ),
    _mistake(
        "derivative by theta",
        "this is the derivative by theta, not by cos(theta)",
        *(
            lambda cos, m, dpsi, s=s: (
                s * dpsi * m * np.abs(np.sin(m * np.arccos(np.clip(cos, -1, 1))))
            )
            for s in (1, -1)
        ),
    ),
    _mistake(
        "dpsi forgotten",
        "dpsi is not multiplied in",
        lambda cos, m, dpsi: _slope_by(cos, m),
    ),
    _mistake(
        "cos for sin",
        "cos(m theta) stands where sin(m theta) belongs",
        lambda cos, m, dpsi: dpsi * _slope_by(cos, m, np.cos),
    ),
    _mistake(
        "eps beside sin",
        "a small number is added to sin(theta)",
        *(
            lambda cos, m, dpsi, eps=eps: (
                dpsi
                * _slope_by(cos, m)
                * np.sqrt(1 - cos**2)
                / (np.sqrt(1 - cos**2) + eps)
            )
            for eps in SMALL_NUMBERS
        ),
    ),
    _mistake(
        "m fixed",
        "m is fixed: the argument m is not used",
        *(
            lambda cos, m, dpsi, fixed=fixed: dpsi * _slope_by(cos, fixed)
            for fixed in range(2, 9)
        ),
    ),
)


# ------------------------------------------------------------------------ L-Softmax


def _geometry(x, W, y):
    """Return |x|, |W_y|, x/|x|, W_y/|W_y| and their cosine, 1 for a norm of 0."""
    w = W.T[y]
    x_norm, w_norm = (np.linalg.norm(v, axis=1, keepdims=True) for v in (x, w))
    x_hat, w_hat = (
        v / np.where(norm > 0, norm, 1) for v, norm in ((x, x_norm), (w, w_norm))
    )
    cos = np.clip((x_hat * w_hat).sum(axis=1, keepdims=True), -1, 1)
    return x_norm, w_norm, x_hat, w_hat, cos


def _with_label(z, f_y, y):
    z = z.copy()
    z[np.arange(len(y)), y] = np.ravel(f_y)
    return z


def _z_by(g):
    """Return the logits with a wrong g, a function of cos, m and lam."""

    def wrong(x, W, y, m, lam):
        x_norm, w_norm, _, _, cos = _geometry(x, W, y)
        return _with_label(x @ W, x_norm * w_norm * g(cos, m, lam), y)

    return wrong


def _psi_cos(cos, m):
    return _psi_by(np.arccos(np.clip(cos, -1, 1)), m)


def _z_of_psi(mistake):
    """Return a wrong psi as it shows in the logits."""

    def of(f):
        return _z_by(lambda cos, m, lam: (lam * cos + f(cos, m)) / (1 + lam))

    return mistake._replace(wrong=tuple(of(f) for f in mistake.wrong))


def _g(cos, m, lam):
    return (lam * cos + _psi_cos(cos, m)) / (1 + lam)


def _margin_everywhere(x, W, y, m, lam):
    size = np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(W, axis=0)
    return size * _g(np.clip(x @ W / np.where(size > 0, size, 1), -1, 1), m, lam)


def _label_with(x, W, y, m, lam, f_y=None, others=1.0):
    x_norm, w_norm, _, _, cos = _geometry(x, W, y)
    f = x_norm * w_norm * _g(cos, m, lam) if f_y is None else f_y(x_norm, w_norm, cos)
    return _with_label(others * (x @ W), f, y)


def _no_bound(x, W, y, m, lam, way=0):
    x_norm, w_norm, x_hat, w_hat, _ = _geometry(x, W, y)
    cos = (x_hat * w_hat).sum(axis=1, keepdims=True)
    if way:
        size = x_norm * w_norm
        cos = (x * W.T[y]).sum(axis=1, keepdims=True) / np.where(size > 0, size, 1)
    g = (lam * cos + _psi_by(np.arccos(cos), m)) / (1 + lam)
    return _with_label(x @ W, x_norm * w_norm * g, y)


def _eps_in_norm(x, W, y, m, lam, eps, way):
    """An eps is added to |x|, to |W|, to both, or to their product below cos only."""
    x_norm, w_norm, _, _, cos = _geometry(x, W, y)
    more_x, more_w = x_norm + eps * (way != 1), w_norm + eps * (way != 0)
    size = more_x * more_w if way < 3 else x_norm * w_norm + eps
    cos = x_norm * w_norm * cos / size
    outer = ((x_norm, w_norm), (more_x, more_w))
    return [_with_label(x @ W, a * b * _g(cos, m, lam), y) for a, b in outer] + [
        _with_label(
            x @ W,
            size
            * _g(
                np.clip((x * W.T[y]).sum(1, keepdims=True) / (x_norm * w_norm), -1, 1),
                m,
                lam,
            ),
            y,
        )
    ]


LSOFTMAX = (
    *(_z_of_psi(mistake) for mistake in PSI_FORWARD[: len(WRONG_PSI)]),
    _mistake(
        "lam forgotten",
        "lam is not used: g is psi alone",
        _z_by(lambda cos, m, lam: _psi_cos(cos, m)),
    ),
    _mistake(
        "1 + lam forgotten",
        "lam cos + psi is not divided by 1 + lam",
        _z_by(lambda cos, m, lam: lam * cos + _psi_cos(cos, m)),
    ),
    _mistake(
        "cos and psi change places",
        "lam multiplies psi, where it belongs to cos",
        _z_by(lambda cos, m, lam: (cos + lam * _psi_cos(cos, m)) / (1 + lam)),
    ),
    _mistake(
        "margin on every class",
        "the margin is on every class, not on the label's alone",
        _margin_everywhere,
    ),
    _mistake(
        "lam/(1+lam) on the other classes",
        "the other classes are scaled by lam/(1 + lam); they are W_j . x",
        lambda x, W, y, m, lam: _label_with(x, W, y, m, lam, others=lam / (1 + lam)),
        lambda x, W, y, m, lam: _label_with(x, W, y, m, lam, others=1 / (1 + lam)),
    ),
    _mistake(
        "norm of W_y forgotten",
        "the norm of W_y is missing in the label's column",
        lambda x, W, y, m, lam: _label_with(
            x, W, y, m, lam, lambda x_norm, w_norm, cos: x_norm * _g(cos, m, lam)
        ),
    ),
    _mistake(
        "norm of x forgotten",
        "the norm of x is missing in the label's column",
        lambda x, W, y, m, lam: _label_with(
            x, W, y, m, lam, lambda x_norm, w_norm, cos: w_norm * _g(cos, m, lam)
        ),
    ),
    _mistake(
        "one-hot in column y[0]",
        "every row takes the column of label y[0], not of its own label",
        lambda x, W, y, m, lam: _in_columns(x, W, y, m, lam, y[0]),
    ),
    _mistake(
        "all labels' columns",
        "z[:, y] takes all the labels' columns in every row: z[arange(N), y] takes one",
        lambda x, W, y, m, lam: _in_all_columns(x, W, y, m, lam),
    ),
    _mistake(
        "wrong axis",
        "the norms are those of W's rows, but a class is a column",
        lambda x, W, y, m, lam: _label_with(
            x,
            W,
            y,
            m,
            lam,
            lambda x_norm, w_norm, cos: (
                x_norm * np.linalg.norm(W, axis=1)[y, None] * _g(cos, m, lam)
            ),
        ),
    ),
    _mistake(
        "arccos without a bound",
        _NO_BOUND,
        _no_bound,
        partial(_no_bound, way=1),
        hard=True,
    ),
    _mistake(
        "division by a norm of 0",
        "the vector 0 is divided by its norm, 0",
        lambda x, W, y, m, lam: _zero_over_zero(x, W, y, m, lam, True, True),
        lambda x, W, y, m, lam: _zero_over_zero(x, W, y, m, lam, True, False),
        lambda x, W, y, m, lam: _zero_over_zero(x, W, y, m, lam, False, True),
        hard=True,
    ),
    _mistake(
        "eps in the norm",
        "a small number is added to a norm",
        *(
            lambda x, W, y, m, lam, eps=eps, way=way, i=i: _eps_in_norm(
                x, W, y, m, lam, eps, way
            )[i]
            for eps in SMALL_NUMBERS
            for way in (0, 1, 2, 3)
            for i in (0, 1, 2)
        ),
    ),
)


def _in_columns(x, W, y, m, lam, columns):
    x_norm, w_norm, _, _, cos = _geometry(x, W, y)
    z = x @ W
    z[np.arange(len(y)), columns] = np.ravel(x_norm * w_norm * _g(cos, m, lam))
    return z


def _in_all_columns(x, W, y, m, lam):
    x_norm, w_norm, _, _, cos = _geometry(x, W, y)
    z = x @ W
    z[:, y] = np.ravel(x_norm * w_norm * _g(cos, m, lam))
    return z


def _zero_over_zero(x, W, y, m, lam, of_x, of_w):
    """Rows without an angle become nan where that norm is divided by."""
    x_norm, w_norm, _, _, cos = _geometry(x, W, y)
    nan = (of_x & (x_norm == 0)) | (of_w & (w_norm == 0))
    f_y = np.where(nan, np.nan, x_norm * w_norm * _g(cos, m, lam))
    return _with_label(x @ W, f_y, y)


class Parts(NamedTuple):
    """The summands of (9): df_y/dx = radial + tangential, and the other classes'."""

    dz_y: np.ndarray
    radial_x: np.ndarray
    tangential_x: np.ndarray
    others_x: np.ndarray
    radial_w: np.ndarray
    tangential_w: np.ndarray
    others_W: np.ndarray
    onehot: np.ndarray


def _parts(x, W, y, m, lam, dz):
    x_norm, w_norm, x_hat, w_hat, c = _geometry(x, W, y)
    _, cache = npsoftmax.psi_forward(c, m)
    slope = (lam + npsoftmax.psi_backward(np.ones_like(c), cache)) / (1 + lam)
    g, onehot = _g(c, m, lam), np.eye(W.shape[1])[y]
    others = dz * (1 - onehot)
    return Parts(
        dz_y=(dz * onehot).sum(axis=1, keepdims=True),
        radial_x=w_norm * g * x_hat,
        tangential_x=w_norm * slope * (w_hat - c * x_hat),
        others_x=others @ W.T,
        radial_w=x_norm * g * w_hat,
        tangential_w=x_norm * slope * (x_hat - c * w_hat),
        others_W=x.T @ others,
        onehot=onehot,
    )


def _back(dx=None, dW=None):
    """Return (dx, dW) as a function of the inputs, one of them changed."""

    def wrong(x, W, y, m, lam, dz):
        p = _parts(x, W, y, m, lam, dz)
        given = (p, x, W, y, m, lam, dz)
        right_dx = p.others_x + p.dz_y * (p.radial_x + p.tangential_x)
        right_dW = p.others_W + _gathered(p, p.radial_w + p.tangential_w)
        return dx(*given) if dx else right_dx, dW(*given) if dW else right_dW

    return wrong


def _gathered(p, df_dw):
    return (p.dz_y * df_dw).T @ p.onehot


def _kept_once(p, x, W, y, m, lam, dz):
    dW = p.others_W.copy()
    dW[:, y] += (p.dz_y * (p.radial_w + p.tangential_w)).T
    return dW


def _without_last(p, x, W, y, m, lam, dz):
    last = np.arange(len(y))[:, None] < len(y) - 1
    return p.others_W + _gathered(p, last * (p.radial_w + p.tangential_w))


def _k_0(x, W, y, m, lam, dz):
    """The slope of cos(m theta) in every piece: the sign (-1)^k is missing."""
    p, c = _parts(x, W, y, m, lam, dz), _geometry(x, W, y)[-1]
    right = (lam + _slope_by(c, m)) / (1 + lam)
    scale = (lam + _slope_by(c, m, absolute=np.asarray)) / (1 + lam) / right
    dx = p.others_x + p.dz_y * (p.radial_x + scale * p.tangential_x)
    return dx, p.others_W + _gathered(p, p.radial_w + scale * p.tangential_w)


LSOFTMAX_BACKWARD = (
    _mistake(
        "radial part missing in dx",
        "the radial part g x/|x| is missing in dx",
        _back(dx=lambda p, *_: p.others_x + p.dz_y * p.tangential_x),
    ),
    _mistake(
        "tangential part missing in dx",
        "the tangential part g' (W_y/|W_y| - c x/|x|) is missing in dx",
        _back(dx=lambda p, *_: p.others_x + p.dz_y * p.radial_x),
    ),
    _mistake(
        "radial part missing in dW",
        "the radial part g W_y/|W_y| is missing in dW",
        _back(dW=lambda p, *_: p.others_W + _gathered(p, p.tangential_w)),
    ),
    _mistake(
        "tangential part missing in dW",
        "the tangential part g' (x/|x| - c W_y/|W_y|) is missing in dW",
        _back(dW=lambda p, *_: p.others_W + _gathered(p, p.radial_w)),
    ),
    _mistake(
        "sign of the tangential part",
        "the tangential part has the wrong sign",
        _back(dx=lambda p, *_: p.others_x + p.dz_y * (p.radial_x - p.tangential_x)),
        _back(dW=lambda p, *_: p.others_W + _gathered(p, p.radial_w - p.tangential_w)),
    ),
    _mistake(
        "repeated labels kept once",
        "dW[:, y] += ... keeps one of several rows with the same label: np.add.at "
        "adds all",
        _back(dW=_kept_once),
    ),
    _mistake(
        "other classes missing",
        "the other classes' part is missing",
        _back(dx=lambda p, *_: p.dz_y * (p.radial_x + p.tangential_x)),
        _back(dW=lambda p, *_: _gathered(p, p.radial_w + p.tangential_w)),
    ),
    _mistake(
        "label's class missing",
        "the label's class is missing: only the other classes are there",
        _back(dx=lambda p, *_: p.others_x),
        _back(dW=lambda p, *_: p.others_W),
    ),
    _mistake(
        "label's class twice",
        "the label's class counts twice: as a plain class and with its margin",
        _back(
            dx=lambda p, x, W, y, m, lam, dz: (
                dz @ W.T + p.dz_y * (p.radial_x + p.tangential_x)
            )
        ),
        _back(
            dW=lambda p, x, W, y, m, lam, dz: (
                x.T @ dz + _gathered(p, p.radial_w + p.tangential_w)
            )
        ),
        lambda x, W, y, m, lam, dz: _twice(x, W, y, m, lam, dz),
    ),
    _mistake(
        "gradient of the plain product",
        "this is the gradient without a margin, dz W^T or x^T dz",
        _back(dx=lambda p, x, W, y, m, lam, dz: dz @ W.T),
        _back(dW=lambda p, x, W, y, m, lam, dz: x.T @ dz),
        lambda x, W, y, m, lam, dz: (dz @ W.T, x.T @ dz),
    ),
    _mistake(
        "projection forgotten",
        "the projection - c x/|x| (or - c W_y/|W_y|) is missing in the tangential part",
        lambda x, W, y, m, lam, dz: _unprojected(x, W, y, m, lam, dz)[0],
        lambda x, W, y, m, lam, dz: _unprojected(x, W, y, m, lam, dz)[1],
        lambda x, W, y, m, lam, dz: _unprojected(x, W, y, m, lam, dz)[2],
    ),
    _mistake(
        "norms change places",
        "|W_y| stands in dW where |x| belongs",
        _back(
            dW=lambda p, x, W, y, m, lam, dz: (
                p.others_W
                + _gathered(p, _norm_ratio(x, W, y) * (p.radial_w + p.tangential_w))
            )
        ),
    ),
    _mistake("last row missing", "dW leaves out the last row", _back(dW=_without_last)),
    _mistake(
        "k always 0", "the sign (-1)^k of the pieces is missing in the slope", _k_0
    ),
    _mistake(
        "dW before dx", "dW comes before dx", lambda **given: _back()(**given)[::-1]
    ),
)


def _twice(x, W, y, m, lam, dz):
    dx, dW = _back()(x, W, y, m, lam, dz)
    p = _parts(x, W, y, m, lam, dz)
    return dx + dz @ W.T - p.others_x, dW + x.T @ dz - p.others_W


def _norm_ratio(x, W, y):
    x_norm, w_norm, *_ = _geometry(x, W, y)
    return w_norm / np.where(x_norm > 0, x_norm, 1)


def _unprojected(x, W, y, m, lam, dz):
    dx, dW = _back()(x, W, y, m, lam, dz)
    p = _parts(x, W, y, m, lam, dz)
    x_norm, w_norm, x_hat, w_hat, c = _geometry(x, W, y)
    slope = (lam + _slope_by(c, m)) / (1 + lam)
    more_dx = dx + p.dz_y * w_norm * slope * c * x_hat
    more_dW = dW + _gathered(p, x_norm * slope * c * w_hat)
    return (more_dx, dW), (dx, more_dW), (more_dx, more_dW)


MISTAKES = {
    "logsumexp": LOGSUMEXP,
    "softmax": SOFTMAX,
    "log_softmax": LOG_SOFTMAX,
    "softmax_forward": SOFTMAX,
    "softmax_backward": SOFTMAX_BACKWARD,
    "log_softmax_forward": LOG_SOFTMAX,
    "log_softmax_backward": LOG_SOFTMAX_BACKWARD,
    "cross_entropy_forward": CROSS_ENTROPY,
    "cross_entropy_backward": CROSS_ENTROPY_BACKWARD,
    "linear_forward": LINEAR,
    "linear_backward": LINEAR_BACKWARD,
    "relu_forward": RELU,
    "relu_backward": RELU_BACKWARD,
    "psi": WRONG_PSI,
    "psi_prime": PSI_PRIME,
    "psi_forward": PSI_FORWARD,
    "psi_backward": PSI_BACKWARD,
    "lsoftmax_forward": LSOFTMAX,
    "lsoftmax_backward": LSOFTMAX_BACKWARD,
}
