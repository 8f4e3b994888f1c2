"""A forward, its backward and their inputs go in; whether the gradient is right, wrong,
or cannot be told comes out, with the numbers that show it.

The gradient of the sum of cotangent times output is found once more by calling forward
alone: by the complex step, by differences, or by the rate at which the remainder of a
Taylor expansion vanishes, (a) to (d) of the modules by_...
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from npsoftmax.arrays import Numbers, Seed
from npsoftmax.gradcheck.along import along_directions, what_is_unseen
from npsoftmax.gradcheck.by_complex_step import by_complex_step, by_default
from npsoftmax.gradcheck.by_differences import by_differences
from npsoftmax.gradcheck.by_taylor_rate import by_taylor_rate
from npsoftmax.gradcheck.inputs import generator_of, name_of
from npsoftmax.gradcheck.noise import Noise
from npsoftmax.gradcheck.pair import LayerPair
from npsoftmax.gradcheck.report import GradientReport

BY = {  # each takes a pair and its noise, and gives a report
    "complex step": by_complex_step,
    "five-point": partial(by_differences, method="five-point"),
    "central": partial(by_differences, method="central"),
    "Taylor rate": by_taylor_rate,
    None: by_default,
}
METHODS = tuple(name for name in BY if name)


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
    wrt        names or positions of the inputs to differentiate: `wrt="params"`.
    method     one of METHODS. By default the complex step; or the five-point stencil,
               if forward takes no complex numbers, or differences do not bear it out.
    cotangent  d_output. By default each entry is drawn from 1 to 2, of either sign: a
               sum of outputs may be constant (a row of softmax), this one is not.
    directions k: instead of every entry, k drawn directions of each input are checked,
               for large arrays. The report says how large an error may stay unseen.
    rng        a seed or a `numpy.random.Generator`.

    Both functions are called twice first: what differs is named, and nothing else is
    looked at. Arrays go in read-only, the cache into backward too: an edit in place is
    caught and named. Where an output is nan, nan in the gradient is no error.

    wrong         an entry is off by more than its tolerance, and differences confirm
                  it; or a gradient has the wrong shape, or an array was edited.
    inconclusive  a tolerance means nothing: it does not tell a change of 1e-6 (for
                  differences 1e-2) in an entry above that part of the largest; or an
                  entry is on a kink; or it is off by no more than backward's own
                  rounding; or differences do not bear out the complex step, where it
                  was asked for, or do not see a slope that it sees; or forward or
                  backward is no function of its inputs.
    right         neither. By the Taylor rate: the order is above 1.9, not within 0.1
                  of 1, along drawn directions.

    The tolerance of an entry g is 64 D + 8 eps max |g| + 1e-13 |g|, by differences
    + 4 E: D is how far the analytic entry moves by an ulp in the inputs, the cotangent
    and the cache, E the error of the difference. compare.py says why these four
    numbers were chosen, TOLERANCE.md how, and why D alone makes nothing right.

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
    rng = generator_of(rng)
    if method not in (None, *METHODS):
        raise ValueError(f"method is {method!r}, but it is one of {', '.join(METHODS)}")
    pair = LayerPair(forward, backward, inputs, wrt, cotangent, rng)
    report = GradientReport(method)
    if not pair.misfits:
        with np.errstate(all="ignore"):
            report = _check(pair, method, directions)
    return replace(
        report,
        function=name_of(backward, "backward"),
        problems=pair.edits + pair.misfits,
        notes=(*report.notes, *_notes(pair)),
        held=pair.held,
    )


def _check(pair, method, directions):
    """Return what a method finds, along directions of each input if there are some."""
    if directions is None:
        return _judged(pair, method)
    line, v = along_directions(pair, directions)
    report = _judged(line, method)
    unseen = what_is_unseen(pair, report.entries, v) if report.entries else ()
    return replace(report, notes=(*report.notes, *unseen))


def _judged(pair, method):
    """Return the report of a method; an empty one, if the two are no functions."""
    pair.look_again()
    report = GradientReport(method)
    if not pair.unsteady:
        report = BY[method](pair, Noise(pair))
        pair.look_again()
    return replace(report, doubts=report.doubts + pair.unsteady)


def _notes(pair):
    """Yield what is to be said of the types of the inputs, and of the output."""
    floating = [leaf for leaf in pair.leaves if leaf.array is not None]
    lifted = [a.name for a in floating if a.given.kind == "f" and a.given != np.float64]
    integers = [leaf.name for leaf in pair.moved if leaf.given.kind in "iu"]
    if lifted:
        yield f"lifted to float64 for this check: {', '.join(lifted)}"
    if integers:
        yield f"integers, differentiated as floats: {', '.join(integers)}"
    if pair.first.dtype != np.float64:
        yield f"of float64 inputs forward makes {pair.first.dtype}"
    if pair.dead.any():
        dead = f"{pair.dead.sum()} of {pair.dead.size}"
        yield f"forward's output is nan or inf in {dead} entries"
