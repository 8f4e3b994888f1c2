"""A forward, its backward and their inputs go in; whether the gradient is right, wrong,
or cannot be told comes out, with the numbers that show it.

The gradient of the sum of cotangent times output is found once more by calling forward
alone, with the complex step, by differences, or by the rate at which the remainder of
a Taylor expansion vanishes: (a) to (d) of differentiation.py.
"""

import math
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from npsoftmax.differentiation import (
    TAYLOR_STEPS,
    as_rows,
    best_step,
    central_difference,
    central_slope,
    complex_step,
    draw_direction,
    extrapolated,
    five_point,
    lengths_of,
    remainder_order,
    step_ladder,
    stepped,
    taylor_rate,
    taylor_remainders,
)
from npsoftmax.gradreport import Entry, GradientReport, InputCheck, Kink
from npsoftmax.layer_pair import LayerPair, label_of, name_of

__all__ = [
    "METHODS",
    "Entry",
    "GradientReport",
    "InputCheck",
    "Kink",
    "central_difference",
    "check_gradients",
    "complex_step",
    "five_point",
    "taylor_rate",
    "taylor_remainders",
]

METHODS = ("complex step", "five-point", "central", "Taylor rate")
FINE = {"complex step": 1e-6, "five-point": 1e-2, "central": 1e-2}  # must be seen

EPS = float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).smallest_subnormal)


def check_gradients(
    forward: Callable,
    backward: Callable,
    inputs,
    *,
    wrt=None,
    method: str | None = None,
    cotangent=None,
    rng=0,
) -> "GradientReport":
    """Return a report: is backward the gradient of forward at these inputs?

    forward(*inputs) gives (output, cache); backward(d_output, cache) the gradients by
    the inputs in their order, one array or a tuple, with None where there is none.

    inputs     a tuple of arguments, or one array. Floating-point arrays, also inside
               tuples such as Params, are differentiated; numbers, labels and None are
               held. An option by keyword goes in by `functools.partial`.
    wrt        names or positions of the inputs to differentiate, where not all of them
               are meant: `wrt="params"`.
    method     one of METHODS. By default the complex step; or the five-point stencil,
               if forward takes no complex numbers or is not analytic in them, which is
               tested along one direction by differences.
    cotangent  d_output. By default each entry is drawn from 1 to 2, of either sign: a
               sum of outputs may be constant (a row of softmax), this one is not.
    rng        a seed or a `numpy.random.Generator`.

    Every entry is checked. Outputs are differenced one by one and only then summed with
    the cotangent, so that a tiny loss is not lost beside a large one; in a forward that
    gives a mean it is lost already, and only the complex step still sees it. Arrays go
    in read-only, the cache into backward too: an edit in place is caught and named.
    float32 is lifted to float64, which is said.

    wrong         an entry is off by more than its tolerance, or has the wrong shape, or
                  an array was edited.
    inconclusive  a tolerance means nothing: it does not tell a change of 1e-6 (for
                  differences 1e-2) in an entry above that part of the largest; or an
                  entry is on a kink; or the complex step was asked for, and forward is
                  not analytic.
    right         neither.

    By the Taylor rate, along one drawn direction for each input, the gradient is right
    from 1.9 on and wrong within 0.1 of 1; anything else, and a kink, is inconclusive.

    No tolerance is chosen: with g the numeric gradient by one input it is

        complex step      64 D + 8 eps max |g| + 1e-13 |g|
        differences       the same + 4 E

    D is how far the analytic gradient moves, entry by entry, when the inputs and all
    that backward is given, cotangent and cache, move by an ulp up or down: the largest
    of 8 draws. Rounding does just that: each intermediate is right to an ulp or a few.
    Two right ways to compute the gradient differ by a few such moves, and by the luck
    of 8 draws; 64 is room for both. An entry that is 0, or made of whole numbers, does
    not move, though it is a sum of terms like those of its neighbours: 8 eps max |g|.
    1e-13 |g| is the rounding of long sums in which moves cancel. Over 10,000 drawn
    gradients the largest error was 0.34 of its tolerance; without 8 eps max |g| two in
    a thousand are accused, and without moving the cache 15, all of them a softmax of
    confident rows computed as p (dp - sum p dp).

    E is how far a difference moves to the next larger and the next smaller step, or how
    far it lies outside what a smaller step allows, plus 2 nu / h. For each entry and
    output the step with the smallest E is used. nu, the noise of f, is how far f moves
    in the moves above, or scatters around its smooth course; where f stands still, an
    ulp of the largest number in its cache. (None is enough alone: log(1 + e^-50) is 0
    wherever one looks, and log(1 + e^-7) has steps of eps that moving z by an ulp does
    not show.) Where imag f is subnormal, the complex step adds its rounding over h.

    On a kink the slopes to the left and right differ, and no gradient between them is
    an error (none at all where the point is a piece of its own, such as x = 0 with its
    |x|): the kink is named. The integer and boolean arrays in the cache (k of psi,
    the mask of ReLU) are read as the pieces of f, so that no difference is taken across
    a border between two; psi, whose slope does not jump there, is not accused.

    An entry below 1e-15 of the largest is not seen: a wrong sign in a confident row is
    found where that row is alone, or all rows are as confident.

    Raises TypeError or ValueError for inputs that cannot be checked, and what forward
    and backward raise at the inputs themselves.

    >>> def square_forward(x): return x**2, x
    >>> def square_backward(dy, x): return dy * x                # forgets the 2
    >>> x = np.array([1.0, -3.0])
    >>> check_gradients(square_forward, square_backward, x, cotangent=[1, 1])
    square_backward: the gradient is WRONG
      gradient by  analytic  numeric  difference  tolerance
      x[1]               -3       -6          +3      7e-13
      x[0]                1        2          -1      3e-13
      looks like  gradient by x: every entry is 0.5 times what it should be
      how         complex step, h = 2^-60, all 2 entries
    """
    rng = np.random.default_rng(rng)
    if method is not None and method not in METHODS:
        raise ValueError(f"method is {method!r}, but it is one of {', '.join(METHODS)}")
    pair = LayerPair(forward, backward, inputs, wrt, cotangent, rng)
    problems = pair.misfits()
    if problems:
        found = _Found(method)
    else:
        with np.errstate(all="ignore"):
            check = _check_rates if method == "Taylor rate" else _check_entries
            found = check(pair, method, rng)
    return GradientReport(
        name_of(backward), *found[:3], pair.edits + problems, found.doubts,
        found.notes + _precision_notes(pair),
    )  # fmt: skip


def _precision_notes(pair):
    notes = ()
    if pair.lifted:
        notes += (f"lifted to float64 for this check: {', '.join(pair.lifted)}",)
    if pair.output.dtype != np.float64:
        notes += (f"of float64 inputs forward makes {pair.output.dtype}",)
    return notes


class _Found(NamedTuple):
    """What a method found."""

    method: str | None
    inputs: tuple[InputCheck, ...] = ()
    kinks: tuple[Kink, ...] = ()
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class _Numeric(NamedTuple):
    """A gradient by one leaf as a method gives it; all arrays have the leaf's shape."""

    gradient: np.ndarray
    error: np.ndarray  # of the method, and of f's rounding in it
    step: np.ndarray
    flat: np.ndarray  # bool: f does not move with this entry


def _check_entries(pair, method, rng):
    nu, D = pair.rounding(rng)
    numeric, trouble, notes = None, None, ()
    if method in (None, "complex step"):
        numeric, trouble = _complex_gradients(pair, nu, D, rng)
    if trouble and method is None:
        notes = (f"not by the complex step: {trouble}",)
    method = method or ("five-point" if trouble else "complex step")
    if method != "complex step":
        nu = np.fmax(nu, pair.noise(rng))
        numeric = [_differences(pair, i, method, nu) for i in pair.moved]
    doubts = (trouble,) if trouble and not notes else ()
    if numeric is None:
        return _Found(method, doubts=doubts)
    checks, kinks = [], []
    for n, i in enumerate(pair.moved):
        check = _input_check(pair, n, method, numeric[n], D[n])
        for j, kink in list(_kinks(pair, i, check, nu)):
            check.kink[j] = True
            kinks.append(kink)
        checks.append(check)
    return _Found(method, tuple(checks), tuple(kinks), doubts, notes)


def _input_check(pair, n, method, numeric, D):
    size = np.abs(numeric.gradient)
    tolerance = 64 * D + 8 * EPS * np.max(size, initial=0) + 1e-13 * size
    return InputCheck(
        name=pair.names[pair.moved[n]],
        shape=size.shape,
        analytic=pair.gradients[n].astype(np.float64),
        numeric=numeric.gradient,
        tolerance=tolerance + numeric.error,
        step=numeric.step,
        kink=np.zeros(size.shape, dtype=bool),
        flat=numeric.flat,
        fine=FINE[method],
    )


# The complex step


def _complex_gradients(pair, nu, D, rng):
    """Return the gradients by the complex step, and what speaks against them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            numeric = [_complex_gradient(pair, i) for i in pair.moved]
            trouble = _not_analytic(pair, nu, D, rng)
        except Exception as error:  # whatever forward has against complex numbers
            what = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return None, f"for complex numbers forward raised {what}"
    if not all(np.isfinite(n.gradient).all() for n in numeric):
        trouble = "for complex numbers forward gave nan or inf"
    return numeric, trouble


def _complex_gradient(pair, i):
    """Return the gradient by leaf i, with steps of 2^-60 of its lengths, or of 1.

    Where imag f would be subnormal, as for |x| = 1e-300, they are 2^-30 of them: large
    enough to keep the digits, and h^2 still is nothing. For |x| = 1e300 a small step is
    lost in x / |x|, a large one in exp x: how far the two are apart is an error.
    """
    lengths = lengths_of(pair.leaves[i])
    length = np.minimum(lengths, 1)
    numeric = _complex_columns(pair, i, length, 2.0**-60)
    size = np.max(np.abs(numeric.gradient), initial=0)
    if np.max(numeric.error, initial=0) > 1e-9 * size:
        numeric = _complex_columns(pair, i, length, 2.0**-30)
    if np.max(lengths, initial=0) > 2.0**900:
        large = _complex_columns(pair, i, np.sqrt(lengths), 2.0**-60)
        apart = np.abs(large.gradient - numeric.gradient)
        numeric = numeric._replace(error=numeric.error + apart)
    return numeric


def _complex_columns(pair, i, length, part):
    x, h = pair.leaves[i], part * length

    def f(a):
        output = pair.run(pair.replaced(i, a))[0]
        return 1j * np.sum(pair.cotangent * np.imag(output))

    gradient = complex_step(f, x, h)
    underflow = 4 * np.sum(np.abs(pair.cotangent)) * (TINY / h)
    flat = gradient == 0
    for j in map(tuple, np.argwhere(flat)):
        flat[j] = f(stepped(x, j, 1j * length[j])) == 0  # not 0 for want of range
    return _Numeric(gradient, np.where(flat, 0, underflow), h, flat)


def _not_analytic(pair, nu, D, rng):
    """Return a sentence if complex step and differences differ along a direction."""
    v = [draw_direction(pair.leaves[i], rng) for i in pair.moved]

    def along(t):
        return pair.inside(pair.along(v, t))

    h = 2.0**-60
    numeric = np.sum(pair.cotangent * np.imag(along(1j * h))) / h
    steps = 2.0 ** -np.arange(3, 30)
    slopes = np.array([(along(t) - along(-t)) / (2 * t) for t in steps])  # (a)
    noise = 2 * nu / as_rows(steps, slopes)
    value, error, _ = best_step(*extrapolated(slopes, steps, noise))  # (b)
    value, error = _contracted(pair, value, error)
    error += np.sum(np.abs(pair.cotangent)) * TINY / h
    room = sum(np.sum(d * np.abs(w)) for d, w in zip(D, v, strict=True))
    if not abs(value - numeric) > 4 * error + 64 * room + 1e-13 * abs(numeric):
        return None
    return (
        f"forward is not analytic: along one direction the complex step gives "
        f"{numeric:.6g}, differences {value:.6g}"
    )


def _contracted(pair, slopes, errors):
    """Return the slope, and its error, of the sum of cotangent times output."""
    weights = pair.cotangent
    return np.sum(weights * slopes), np.sum(np.abs(weights) * errors)


# Differences


def _differences(pair, i, method, nu):
    """Return the gradient by leaf i, each entry by its best steps."""
    x = pair.leaves[i]
    gradient, error, step = (np.zeros(x.shape) for _ in range(3))
    lengths = lengths_of(x)
    for j in np.ndindex(x.shape):
        steps = step_ladder(x[j], lengths[j])
        slopes, errors, which = _slopes(pair, i, j, steps, method, nu, pair.inside)
        if not np.isfinite(errors).all():  # every step leaves the piece
            slopes, errors, which = _slopes(
                pair, i, j, steps, method, nu, pair.anywhere
            )
        gradient[j], error[j] = _contracted(pair, slopes, 4 * errors)
        step[j] = steps[np.max(which)]
    return _Numeric(gradient, error, step, gradient == 0)


def _slopes(pair, i, j, steps, method, nu, output):
    """Return each output's slope by entry j of leaf i, its error, and which step."""

    def f(a):
        return output(pair.replaced(i, a))

    slopes = np.array([central_slope(f, pair.leaves[i], j, h) for h in steps])  # (a)
    noise = 2 * _noise_if_still(pair, slopes, nu) / as_rows(steps, slopes)
    if method == "five-point":
        slopes, noise = extrapolated(slopes, steps, noise)  # (b)
    return best_step(slopes, noise)


def _noise_if_still(pair, changes, nu):
    """Return nu, but an ulp of the largest number in f where f stood still for a step.

    There its noise does not show: log(1 + e^-50) is 0, and so it is an ulp away.
    """
    still = np.any(changes == 0, axis=0)
    return np.where(still, np.fmax(nu, EPS * pair.largest), nu)


# The Taylor rate


def _check_rates(pair, method, rng):
    nu, D = pair.rounding(rng)
    nu = np.fmax(nu, pair.noise(rng))
    checks, kinks = [], []
    for n, i in enumerate(pair.moved):
        check = _rate_check(pair, n, nu, D[n], rng)
        checks.append(check)
        if check.kink:
            kinks.append(Kink(pair.names[i], "the slopes along v and -v differ"))
    return _Found(method, tuple(checks), tuple(kinks))


def _rate_check(pair, n, nu, D, rng):
    """Return the check by the rate along a direction, or along its opposite.

    The latter if steps along the first all leave the piece, or the domain, of f.
    """
    i, gradient = pair.moved[n], pair.gradients[n]
    v = draw_direction(pair.leaves[i], rng)
    gains = _gains(pair, i, v)
    if np.isnan(gains).all():
        v = -v
        gains = _gains(pair, i, v)
    slope = np.sum(gradient * v)
    remainders = np.abs(_summed(pair.cotangent * gains) - slope * TAYLOR_STEPS)  # (d)
    room = np.sum((64 * D + 1e-13 * np.abs(gradient)) * np.abs(v))
    noise = _noise_of_gains(pair, gains, nu) + room * TAYLOR_STEPS
    rate = remainder_order(remainders, noise)
    kink = abs(rate - 1) < 0.1 and _bends_along(pair, i, v, slope)
    if rate == math.inf:  # f is linear, or nothing is seen of it
        told = abs(slope) > 1e3 * noise.min()
        still = not gradient.any() and np.nansum(remainders) == 0
        seen = (told or still) and not np.isnan(gains).all()
        rate = math.inf if seen else math.nan
    return InputCheck(
        name=pair.names[i],
        shape=gradient.shape,
        analytic=np.array(slope),
        numeric=np.array(slope),
        tolerance=np.array(math.nan),
        step=np.array(TAYLOR_STEPS[-1]),
        kink=np.array(kink),
        flat=np.array(False),
        fine=FINE["central"],
        rate=math.nan if kink else rate,
    )


def _gains(pair, i, v):
    """Return f(x + hv) - f(x) at TAYLOR_STEPS, nan on another piece; (K, ...)."""
    x = pair.leaves[i]
    moved = [pair.inside(pair.replaced(i, x + h * v)) for h in TAYLOR_STEPS]
    return np.array(moved) - pair.output


def _noise_of_gains(pair, gains, nu):
    """Return four times the noise of the sum of cotangent times gains."""
    return 4 * np.sum(np.abs(pair.cotangent) * _noise_if_still(pair, gains, nu))


def _summed(outputs):
    """Return the sum of each of the outputs (K, ...), (K,)."""
    return outputs.reshape(len(outputs), -1).sum(axis=1)


def _bends_along(pair, i, v, slope):
    """Return whether the slopes along v and -v differ, with the given one between."""
    h = 2.0**-24
    ahead, behind = (
        np.sum(pair.cotangent * (pair.anywhere(pair.replaced(i, a)) - pair.output))
        for a in (pair.leaves[i] + h * v, pair.leaves[i] - h * v)
    )
    low, high = sorted((ahead / h, -behind / h))
    room = 1e-6 * max(abs(low), abs(high))
    return high - low > room and low - room <= slope <= high + room


# Kinks


def _kinks(pair, i, check, nu):
    """Yield (j, Kink) for each entry whose error is explained by a kink."""
    lengths = lengths_of(pair.leaves[i])
    for j in map(tuple, np.argwhere(check.wrong)):
        what = _kink_at(pair, i, j, lengths[j], check.analytic[j], nu)
        if what:
            yield j, Kink(label_of(check.name, j), what)


def _kink_at(pair, i, j, length, analytic, nu):
    """Return what happens at entry j if a kink of f explains its gradient, or None.

    There is one if another piece begins within a few ulps, or if the slopes to the two
    sides differ. It explains a gradient between these slopes, for each output, and any
    gradient if both sides are other pieces: then the point is a piece of its own.
    """
    pieces = _pieces_beside(pair, i, j, length)
    if len(pieces) == 2:
        return "; ".join(pieces)
    if not pieces and not _bends(pair, i, j, length):
        return None
    steps = step_ladder(pair.leaves[i][j], length)
    slopes, errors = np.array(
        [_one_sided(pair, i, j, side * steps, nu) for side in (-1, 1)]
    ).swapaxes(0, 1)  # (2, ...), left and right
    weighted = pair.cotangent * slopes
    error = 4 * np.sum(np.abs(pair.cotangent) * errors) + 1e-13 * abs(analytic)
    low, high = weighted.min(axis=0).sum(), weighted.max(axis=0).sum()
    if not low - error <= analytic <= high + error:
        return None
    if high - low > error:
        left, right = (np.sum(side) for side in weighted)
        pieces += [f"the slope is {left:.6g} to the left and {right:.6g} to the right"]
    return "; ".join(pieces) or None


def _pieces_beside(pair, i, j, length):
    """Return in words which pieces begin within a few ulps, below and above entry j."""
    x, pieces = pair.leaves[i], []
    ulps = 4 * max(np.spacing(np.abs(x[j])), EPS * length)
    for h, side in ((-ulps, "below"), (ulps, "above")):
        change = pair.visit(pair.replaced(i, stepped(x, j, h)))[1]
        if change:
            name, here, there = change
            pieces.append(f"{name} is {here} here and {there} just {side}")
    return pieces


def _bends(pair, i, j, length):
    """Return whether the slopes to the two sides differ by more than 1/1000."""
    h = np.array([length * 2.0**-17])
    left, right = (_side_slopes(pair, i, j, side * h) for side in (-1, 1))
    larger = max(np.abs(right).sum(), np.abs(left).sum())
    return np.abs(right - left).sum() > 1e-3 * larger


def _one_sided(pair, i, j, steps, nu):
    """Return the slopes 2 S(h/2) - S(h) to the side of the steps, and their errors."""
    slopes = _side_slopes(pair, i, j, steps)
    noise = 2 * nu / np.abs(as_rows(steps, slopes))
    k = np.flatnonzero(steps[:-1] == 2 * steps[1:])
    better = 2 * slopes[k + 1] - slopes[k]
    return best_step(better, 2 * noise[k + 1] + noise[k])[:2]


def _side_slopes(pair, i, j, steps):
    """Return the slopes S(h) = (f(x + h) - f(x)) / h of the outputs, one row a step."""
    x = pair.leaves[i]
    moved = [pair.anywhere(pair.replaced(i, stepped(x, j, h))) for h in steps]
    gains = np.array(moved) - pair.output
    return gains / as_rows(x[j] + steps - x[j], gains)
