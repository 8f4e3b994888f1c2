"""A forward, its backward and their inputs go in; whether the gradient is right, wrong,
or cannot be told comes out, with the numbers that show it.

The gradient of the sum of cotangent times output is found once more by calling forward
alone: by the complex step, by differences, or by the rate at which the remainder of a
Taylor expansion vanishes, (a) to (d) of the modules by_...
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import numpy as np

from npsoftmax.arrays import Numbers, Seed
from npsoftmax.gradcheck.along import along_directions, what_is_unseen
from npsoftmax.gradcheck.by_complex_step import complex_gradients, confirmed, scatter
from npsoftmax.gradcheck.by_differences import differences, entry_slopes, largest_finite
from npsoftmax.gradcheck.by_taylor_rate import either, rate_checks
from npsoftmax.gradcheck.kinks import explains
from npsoftmax.gradcheck.pair import LayerPair, name_of
from npsoftmax.gradcheck.report import GradientReport, InputCheck, Kink

METHODS = ("complex step", "five-point", "central", "Taylor rate")
FINE = {"complex step": 1e-6, "five-point": 1e-2, "central": 1e-2}  # must be seen
MOVED = 64  # times what an ulp in everything does to the analytic gradient
ROUNDED = 8  # eps of the largest entry
SUMMED = 1e-13  # of the entry itself
DIFFERENCED = 4  # times the error of a difference, in by_differences
ASKED = 6  # how many entries are differenced before one is accused

EPS = float(np.finfo(np.float64).eps)


def check_gradients(
    forward: Callable,
    backward: Callable,
    inputs: Any,
    *,
    wrt: str | int | Collection[str | int] | None = None,
    method: str | None = None,
    cotangent: Numbers | None = None,
    directions: int | None = None,
    rng: Seed = 0,
) -> GradientReport:
    """Return a report: is backward the gradient of forward at these inputs?

    forward(*inputs) gives (output, cache); backward(d_output, cache) the gradients by
    the inputs in their order, one array or a tuple, with None where there is none.

    inputs     a tuple of arguments, or one array. Floating-point arrays, also inside
               tuples such as Params, are differentiated; numbers, labels and None are
               held. One argument alone, or one named by wrt, may also be a number or
               integers: they are differentiated as floats. An option by keyword goes in
               by `functools.partial`.
    wrt        names or positions of the inputs to differentiate, where not all of them
               are meant: `wrt="params"`.
    method     one of METHODS. By default the complex step; or the five-point stencil,
               if forward takes no complex numbers, or differences along directions that
               move every entry do not bear the complex step out.
    cotangent  d_output. By default each entry is drawn from 1 to 2, of either sign: a
               sum of outputs may be constant (a row of softmax), this one is not.
    directions k: instead of every entry, k drawn directions of each input are checked,
               for large arrays. An error in few of many entries may stay unseen: the
               report says how large.
    rng        a seed or a `numpy.random.Generator`.

    Both functions are called twice first: what differs is named, and nothing else is
    looked at. Arrays go in read-only, the cache into backward too: an edit in place is
    caught and named. Outputs are differenced one by one and only then summed with the
    cotangent, so that a tiny loss is not lost beside a large one. Where an output is
    nan, nan in the gradient is no error; it is named.

    wrong         an entry is off by more than its tolerance, and differences confirm
                  it; or a gradient has the wrong shape, or an array was edited.
    inconclusive  a tolerance means nothing: it does not tell a change of 1e-6 (for
                  differences 1e-2) in an entry above that part of the largest; or an
                  entry is on a kink; or it is off by no more than backward's own
                  rounding; or the complex step was asked for, and is not borne out; or
                  forward or backward is no function of its inputs.
    right         neither.

    By the Taylor rate, along drawn directions for each input, the gradient is right
    from 1.9 on and wrong within 0.1 of 1; anything else, and a kink, is inconclusive.

    An entry g of the numeric gradient is known to within

        complex step      64 D + 8 eps max |g| + 1e-13 |g|
        differences       the same + 4 E

    D is how far the analytic entry moves when the inputs, the cotangent and the cache
    move by an ulp; E is the error of the difference. These four numbers are chosen. 64:
    two right ways to compute a gradient differ by a few such moves, and by the luck of
    8 draws. 8: an entry that is 0 does not move, though it is a sum of terms like its
    neighbours'. 1e-13: long sums round while moves cancel. 4: E is seen in three steps.
    D belongs to the backward under test, which must not excuse itself: of 64 D no more
    than 64 eps max |g|, and of 4 E half, make a gradient right; an error between that
    and the whole is inconclusive. TOLERANCE.md says how they were calibrated.

    Not seen: an entry below 1e-15 of the largest, and by differences one below the
    noise of forward. On a kink no gradient between the slopes of its sides is an error.

    Code of other shapes fits in a line: a loss that gives its gradient too; a layer in
    a class; NumPy's forward beside the gradient of a PyTorch module.

        check_gradients(lambda x: softmax_loss(x, y), np.multiply, x)
        check_gradients(lambda x: (c.forward(x), 0), lambda d, _: c.backward(d), x)
        check_gradients(lambda x: (f(x), x), lambda d, x: torch.autograd.grad(
            g(t := torch.tensor(x, requires_grad=True)), t, torch.tensor(d)
        )[0].numpy(), x)

    Raises TypeError or ValueError for inputs that cannot be checked, nan and inf among
    them, and what forward and backward raise at the inputs themselves.

    >>> def square_forward(x): return x**2, x
    >>> def square_backward(dy, x): return dy * x                # forgets the 2
    >>> x = np.array([1.0, -3.0])
    >>> check_gradients(square_forward, square_backward, x, cotangent=[1, 1])
    square_backward: the gradient is WRONG
      gradient by  analytic  numeric  difference  tolerance
      x[1]               -3       -6          +3      7e-13
      x[0]                1        2          -1      3e-13
      looks like  gradient by x: every entry is 0.5 times what it should be
      how         complex step, h = 2^-100, all 2 entries
    """
    rng = _generator(rng)
    if method is not None and method not in METHODS:
        raise ValueError(f"method is {method!r}, but it is one of {', '.join(METHODS)}")
    pair = LayerPair(forward, backward, inputs, wrt, cotangent, rng)
    problems = pair.misfits()
    found = _Found(method)
    if not problems:
        with np.errstate(all="ignore"):
            if directions is None:
                found = _check(pair, method, rng)
            else:
                found = _check_along(pair, method, _count(directions), rng)
    return GradientReport(
        name_of(backward, "backward"), *found[:3], pair.edits + problems,
        found.doubts, found.notes + _precision_notes(pair), tuple(pair.held),
    )  # fmt: skip


def _check_along(pair, method, k, rng):
    """Return what a method finds along k directions of each input."""
    forward, backward, t, v = along_directions(pair, k, rng)
    line = LayerPair(forward, backward, t, None, pair.cotangent, rng)
    line.names = [f"{pair.names[i]} along v" for i in pair.moved]
    found = _check(line, method, rng)
    seen = [check for check in found.inputs if isinstance(check, InputCheck)]
    notes = tuple(what_is_unseen(pair, seen, v)) if seen else ()
    return found._replace(notes=found.notes + notes)


def _count(directions):
    if not isinstance(directions, int | np.integer) or directions < 1:
        raise ValueError(
            f"directions is {directions!r}, but it must be an integer from 1"
        )
    return int(directions)


def _generator(rng):
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise ValueError(
            f"rng is {rng!r}, but it must be a seed, an integer from 0, or a "
            "numpy.random.Generator"
        ) from None


def _precision_notes(pair):
    notes = ()
    if pair.lifted:
        notes += (f"lifted to float64 for this check: {', '.join(pair.lifted)}",)
    if pair.integers:
        names = ", ".join(pair.integers)
        notes += (f"integers, differentiated as floats: {names}",)
    if pair.dtype != np.float64:
        notes += (f"of float64 inputs forward makes {pair.dtype}",)
    if pair.dead.any():
        dead = f"{pair.dead.sum()} of {pair.dead.size}"
        notes += (f"forward's output is nan or inf in {dead} entries",)
    return notes


class _Found(NamedTuple):
    """What a method found."""

    method: str | None
    inputs: tuple = ()
    kinks: tuple[Kink, ...] = ()
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def accuses(self):
        """Return whether an entry, or a rate, is wrong."""
        return any(check.wrong.any() for check in self.inputs)


def _check(pair, method, rng):
    """Return what the method found; nothing, if the two are no functions."""
    pair.look_again()
    if pair.unsteady:
        return _Found(method, doubts=pair.unsteady)
    if method == "Taylor rate":
        found = _check_rates(pair, rng)
    else:
        found = _check_entries(pair, method, rng)
    pair.look_again()
    return found._replace(doubts=found.doubts + pair.unsteady)


def _check_rates(pair, rng):
    """Return what the rate tells: a wrong one must be wrong at both levels of noise."""
    nu, D = pair.rounding(rng)
    levels = [np.fmax(nu, noise) for noise in pair.noise(rng)]
    fine, coarse = (_rates(pair, level, D, rng) for level in levels)
    if fine.accuses or coarse.accuses:
        D = _and_scatter(pair, D, rng)
        fine, coarse = (_rates(pair, level, D, rng) for level in levels)
    checks = tuple(map(either, fine.inputs, coarse.inputs))
    return _Found("Taylor rate", checks, fine.kinks + coarse.kinks)


def _rates(pair, nu, D, rng):
    sizes = [np.abs(gradient) for gradient in pair.gradients]
    room = [MOVED * d + SUMMED * size for d, size in zip(D, sizes, strict=True)]
    return _Found("Taylor rate", *rate_checks(pair, nu, room, rng))


def _check_entries(pair, method, rng):
    nu, D = pair.rounding(rng)
    if method not in (None, "complex step"):
        return _by_differences(pair, method, nu, D, rng)
    found, trouble = _by_complex_step(pair, nu, D, rng)
    if trouble is None:
        return found
    if method is None:
        note = f"not by the complex step: {trouble}"
        return _by_differences(pair, "five-point", nu, D, rng)._replace(notes=(note,))
    return found._replace(doubts=(trouble,))


def _by_differences(pair, method, nu, D, rng):
    """Return what differences found; before they accuse, all steps are tried."""
    levels = [np.fmax(nu, noise) for noise in pair.noise(rng)]
    numeric = [differences(pair, n, method, levels[0]) for n in range(len(pair.moved))]
    found = _found(pair, method, numeric, levels[0], D)
    places = _wrong_places(found)
    if places:
        D = _and_scatter(pair, D, rng)
    acquitted = []
    for asked in (places[:ASKED], places[ASKED:]):
        for n, j in asked:
            slopes = entry_slopes(pair, n, j, method, levels[0])
            numeric[n].gradient[j], numeric[n].error[j] = slopes.summed(pair.weights)
            numeric[n].step[j] = slopes.step
        found = _found(pair, method, numeric, levels[0], D)
        acquitted += [
            (n, j)
            for n, j in asked
            if _acquitted(pair, found.inputs[n], n, j, method, levels)
        ]
        for n, j in acquitted:
            found.inputs[n].excuse[j] = np.inf
        if any(found.inputs[n].wrong[j] for n, j in asked):
            break
    return found


def _acquitted(pair, check, n, j, method, levels):
    """Return whether another view of a wrong entry bears out what backward gives."""
    if not check.wrong[j]:
        return False
    others = (
        entry_slopes(pair, n, j, method, levels[1]),
        entry_slopes(pair, n, j, method, levels[0], stairs=False),
    )
    return any(_agrees(pair, check, j, slopes) for slopes in others)


def _agrees(pair, check, j, slopes):
    """Return whether slopes seen otherwise are clear, and those of backward."""
    value, error = slopes.summed(pair.weights)
    size = max(abs(value), largest_finite(check.numeric))
    clear = DIFFERENCED * error <= check.fine * size
    return clear and abs(value - check.analytic[j]) <= check.tolerance[j] + 4 * error


def _and_scatter(pair, D, rng):
    noise = pair.gradient_noise(rng)
    return [np.fmax(d, scattered) for d, scattered in zip(D, noise, strict=True)]


def _by_complex_step(pair, nu, D, rng):
    """Return what the complex step found, and why it is not to be believed, or None."""
    numeric, trouble = complex_gradients(pair, nu, rng)
    if numeric is None:
        return _Found("complex step"), trouble
    found = _found(pair, "complex step", numeric, nu, D)
    if trouble is None and _wrong_places(found):
        found, trouble = _asked_again(pair, numeric, found, nu, D, rng)
    return found, trouble


def _found(pair, method, numeric, nu, D):
    checks = [
        _input_check(pair, n, method, numeric[n], D[n]) for n in range(len(numeric))
    ]
    kinks = []
    for n, check in enumerate(checks):
        for j in map(tuple, np.argwhere(check.wrong | check.excused)):
            what = explains(pair, n, j, check.analytic[j], nu)
            if what:
                check.kink[j] = True
                kinks.append(Kink(pair.label(n, j), what))
    return _Found(method, tuple(checks), tuple(kinks))


def _input_check(pair, n, method, numeric, D):
    analytic, size = pair.gradients[n].astype(np.float64), np.abs(numeric.gradient)
    unit = EPS * largest_finite(numeric.gradient)
    least = ROUNDED * unit + SUMMED * size
    gradient = numeric.gradient
    tolerance = least + MOVED * np.fmin(D, unit) + DIFFERENCED / 2 * numeric.error
    if pair.dead.any():
        agrees = np.abs(analytic - gradient) <= tolerance
        gradient = np.where(agrees & ~numeric.flat, gradient, np.nan)
    return InputCheck(
        name=pair.names[pair.moved[n]],
        shape=size.shape,
        analytic=analytic,
        numeric=gradient,
        tolerance=tolerance,
        excuse=least + MOVED * D + DIFFERENCED * numeric.error,
        step=numeric.step,
        kink=np.zeros(size.shape, dtype=bool),
        flat=numeric.flat,
        fine=FINE[method],
    )


def _asked_again(pair, numeric, found, nu, D, rng):
    """Return what was found, and why the complex step is not to be believed, or None.

    Before it accuses, its own rounding is looked at, and differences are asked.
    """
    places = _wrong_places(found)[:ASKED]
    for n, j in places:
        numeric[n].error[j] += ROUNDED * scatter(pair, n, j, numeric[n].step[j], rng)
    levels = [np.fmax(nu, noise) for noise in pair.noise(rng)]
    D = _and_scatter(pair, D, rng)
    found = _found(pair, "complex step", numeric, nu, D)
    answers = [
        confirmed(pair, n, j, numeric[n], found.inputs[n].analytic[j], levels)
        for n, j in places
        if found.inputs[n].wrong[j]
    ]
    if False in answers:
        return found, "differences contradict it"
    if found.accuses and True not in answers:
        return found, "differences cannot tell whether it is right"
    return found, None


def _wrong_places(found):
    """Return (n, j) of the entries beyond their tolerance, largest errors first."""
    places = [
        (n, tuple(map(int, j)))
        for n, check in enumerate(found.inputs)
        for j in np.argwhere((check.wrong | check.excused) & ~check.kink)
    ]
    return sorted(places, key=lambda at: -abs(found.inputs[at[0]].error[at[1]]))
