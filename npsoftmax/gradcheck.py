"""A forward, its backward and their inputs go in; whether the gradient is right,
wrong, or cannot be told comes out, with the numbers that show it.

Four ways to differentiate a function f by calling it, v being a direction:

    (a) central differences   f' = (f(x + h) - f(x - h)) / 2h               + O(h^2)
    (b) five-point            f' = (4 D(h) - D(2h)) / 3, with D(h) from (a) + O(h^4)
    (c) complex step          f' = imag f(x + ih) / h                       + O(h^2)
    (d) Taylor rate           |f(x + hv) - f(x) - h df . v| falls like h^2 if df is
                              the gradient of f, and like h if it is not

A difference cancels digits, so its h must not be too small. The complex step cancels
none: its h may be so small that O(h^2) is nothing. In return f must be analytic: `max`
and comparisons by the real part, no `abs`, no `np.linalg.norm`, no cast on the way.

Steps are powers of two, so that x + h is the number meant and not one near it.
"""

import functools
import inspect
import math
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import NamedTuple

import numpy as np

METHODS = ("complex step", "five-point", "central", "Taylor rate")

EPS = float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).smallest_subnormal)
TAYLOR_STEPS = 2.0 ** -np.arange(2, 41)
MOVES = 8  # how often the inputs are moved by an ulp to see what rounding does
FINE = {"complex step": 1e-6, "five-point": 1e-2, "central": 1e-2}


# ---------------------------------------------------------------------- the methods


def central_difference(f: Callable, x, h=2.0**-17) -> np.ndarray:
    """Return df/dx by central differences (a): the shape of f(x), then that of x.

    f takes an array like x and gives an array or a number; h is the step, or an array
    of steps, one for each entry of x. For a number f this is the gradient. Raises
    ValueError where x + h and x - h are the same number.
    """
    return _every_entry(_central_slope, f, x, h)


def five_point(f: Callable, x, h=2.0**-10) -> np.ndarray:
    """Return df/dx by the five-point stencil (b): the shape of f(x), then that of x.

    f, x and h as for `central_difference`. The error is O(h^4), so the step can be
    larger, and fewer digits cancel.
    """
    return _every_entry(_five_point_slope, f, x, h)


def complex_step(f: Callable, x, h=2.0**-100) -> np.ndarray:
    """Return df/dx by the complex step (c): the shape of f(x), then that of x.

    f, x and h as for `central_difference`, but f is given complex arrays and must be
    analytic. Source: Squire and Trapp, SIAM Review 40 (1998).

    >>> def f(x): return abs(x)**3                 # abs is not analytic: not -12
    >>> complex_step(f, -2.0), complex_step(lambda x: x**3, -2.0)
    (array(0.), array(12.))
    """
    return _every_entry(_complex_slope, f, x, h)


def taylor_remainders(f: Callable, x, gradient, v, steps) -> np.ndarray:
    """Return |f(x + h v) - f(x) - h gradient . v| for each h of steps (d).

    f takes an array like x and gives a number; gradient and v have x's shape.
    """
    x, v = np.asarray(x, dtype=np.float64), np.asarray(v)
    slope, f_x = np.sum(gradient * v), f(x)
    return np.array([abs(f(x + h * v) - f_x - h * slope) for h in steps])


def taylor_rate(f: Callable, x, gradient, v=None, rng=0) -> float:
    """Return the order with which the remainder (d) vanishes, with no tolerance to set.

    f takes an array like x and gives a number; gradient has x's shape; v is the
    direction, drawn with rng (a seed or a Generator) unless given. The rate is 2 or
    more for the gradient of f and 1 for anything else. It is read from the smallest
    steps whose remainders stand clear of f's rounding, where a small error shows best.
    It is inf if none stands clear, as for a linear f.

    >>> def f(x): return np.sum(x**4)
    >>> x = np.array([0.5, -1.0, 2.0])
    >>> [round(taylor_rate(f, x, g), 1) for g in (4 * x**3, 4.01 * x**3)]
    [2.0, 1.0]
    """
    x, rng = np.asarray(x, dtype=np.float64), np.random.default_rng(rng)
    v = _direction(x, rng) if v is None else v
    moved = [f(_ulp_away(x, rng)) for _ in range(MOVES)]
    noise = np.max(np.abs(np.array(moved) - f(x))) + np.spacing(abs(f(x)))
    return _rate(taylor_remainders(f, x, gradient, v, TAYLOR_STEPS), 4 * noise)


def _rate(remainders, noise):
    """Return the order of the last remainders above noise; inf if all are below it."""
    clear = np.flatnonzero(remainders > 8 * noise)
    if len(clear) == 0:
        return math.inf
    last = remainders[clear[-4:]]
    orders = np.log2(last[:-1] / last[1:]) / np.diff(clear[-4:])
    return float(np.median(orders)) if len(orders) else math.nan


def _every_entry(slope, f, x, h):
    x = np.asarray(x)
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    h = np.broadcast_to(h, x.shape)
    columns = [slope(f, x, j, float(h[j])) for j in np.ndindex(x.shape)]
    if not columns:
        return np.zeros(np.shape(f(x)) + x.shape)
    return np.stack(columns, axis=-1).reshape(np.shape(columns[0]) + x.shape)


def _central_slope(f, x, j, h):
    right, left = _stepped(x, j, h), _stepped(x, j, -h)
    distance = float(right[j]) - float(left[j])
    if distance == 0:
        raise ValueError(
            f"h is {h}, which is lost beside x = {x[j]}: it must be at least "
            f"{np.spacing(abs(x[j]))}"
        )
    return (f(right) - f(left)) / distance  # (a)


def _five_point_slope(f, x, j, h):
    return (4 * _central_slope(f, x, j, h) - _central_slope(f, x, j, 2 * h)) / 3  # (b)


def _complex_slope(f, x, j, h):
    return np.imag(f(_stepped(x, j, 1j * h))) / h  # (c)


def _stepped(x, j, h):
    moved = x.astype(np.result_type(x, type(h)))
    moved[j] += h
    return moved


# ----------------------------------------------------------------------- the check


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

    No tolerance is chosen. Two right ways to compute a gradient g differ by rounding:
    that of some 450 operations on the entry itself, 1e-13 |g|; that of the sums it
    shares with larger entries, 8 eps max |g|; and that of its inputs, which no function
    can know to better than an ulp. A stable function gives the exact result of inputs a
    few ulps away, so with D, how far g moves when each input moves by an ulp up or down
    (the largest of 8 draws), the tolerance is

        complex step      1e-13 |g| + 8 eps max |g| + 64 D  (+ the rounding of imag f
                          where it is subnormal, over h)
        differences       the same + 4 E

    E is how far a difference moves to the next larger and the next smaller step, or how
    far it lies outside what a smaller step allows, plus 2 nu / h; nu is how far f moves
    when each input moves by an ulp. For each entry and output the step with the
    smallest E is used. 64 = "a few ulps" times the luck of 8 draws; it and the rest
    stand on the 10,000 correct gradients of the tests, none of which is accused.

    wrong         an entry is off by more than its tolerance, or has the wrong shape, or
                  an array was edited.
    inconclusive  a tolerance means nothing: it does not tell a change of 1e-6 (for
                  differences 1e-2) in an entry above that part of the largest; or an
                  entry is on a kink.
    right         neither.

    On a kink the slopes to the left and right differ, and no gradient between them is
    an error: the kink is named. The integer and boolean arrays in the cache (k of psi,
    the mask of ReLU) are read as the pieces of f, so that no difference is taken across
    a border between two; psi, whose slope does not jump there, is not accused.

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
        raise ValueError(f"method is {method!r}, but it must be one of {METHODS}")
    f = _Function(forward, inputs, wrt)
    cotangent = f.start(cotangent, rng)
    gradients = f.gradients(backward, cotangent, f.leaves)
    misfits = tuple(f.misfits(gradients))
    checks, kinks = (), ()
    if not misfits:
        with np.errstate(all="ignore"):
            rounding = _rounding(f, backward, cotangent, gradients, rng)
            check = _check_taylor if method == "Taylor rate" else _check_entries
            method, checks, kinks = check(
                f, method, gradients, cotangent, rounding, rng
            )
    return GradientReport(
        _name_of(backward), method, checks, kinks, f.edits + misfits, f.doubts, f.notes
    )


class Entry(NamedTuple):
    """One entry of a gradient: what backward gave, and what differentiating f gave."""

    name: str  # of the input
    index: tuple[int, ...]
    analytic: float
    numeric: float
    tolerance: float
    step: float

    @property
    def error(self):
        """Return analytic - numeric."""
        return self.analytic - self.numeric

    @property
    def label(self):
        """Return the entry as one writes it: `x[2, 0]`."""
        return _label(self.name, self.index)


class Kink(NamedTuple):
    """An entry at which f changes from one piece to another, and how one sees it."""

    label: str  # x[2, 0]
    what: str  # cache.k[2] is 1 below and 2 above; or the two slopes


@dataclass(frozen=True, repr=False)
class InputCheck:
    """The check of the gradient by one input; all arrays have its shape.

    For the Taylor rate, and for it alone, rate is that rate and the arrays hold one
    number, the slope along the direction.
    """

    name: str
    shape: tuple[int, ...]
    analytic: np.ndarray
    numeric: np.ndarray
    tolerance: np.ndarray
    step: np.ndarray
    kink: np.ndarray  # bool: on a kink, so not judged
    fine: float  # the relative change that must be seen
    rate: float | None = None

    @property
    def error(self):
        """Return analytic - numeric, entry by entry."""
        return self.analytic - self.numeric

    @property
    def wrong(self):
        """Return where the error is beyond the tolerance, and no kink explains it."""
        if self.rate is not None:
            return np.full(self.analytic.shape, self.rate < 1.5)
        known = np.isfinite(self.numeric) & np.isfinite(self.tolerance)
        return known & ~(np.abs(self.error) <= self.tolerance) & ~self.kink

    @property
    def blind(self):
        """Return where the tolerance is too wide to mean anything."""
        if self.rate is not None:
            told = self.rate < 1.5 or self.rate > 1.9
            return np.full(self.analytic.shape, not told)
        size = np.abs(self.numeric)
        floor = self.fine * np.max(size, initial=0.0)
        wanted = np.where(size > floor, self.fine * size, floor) / 2
        both_zero = (self.analytic == 0) & (self.numeric == 0) & (floor == 0)
        return ~(self.tolerance <= wanted) & ~both_zero

    def entry(self, index):
        """Return one entry by its index."""
        index = tuple(map(int, index))
        arrays = (self.analytic, self.numeric, self.tolerance, self.step)
        return Entry(self.name, index, *(float(a[index]) for a in arrays))


@dataclass(frozen=True, repr=False)
class GradientReport:
    """What `check_gradients` found; `print` it, or ask for its parts.

    It is true only if the verdict is "right": `assert check_gradients(...)` does what
    it says.
    """

    function: str
    method: str | None
    inputs: tuple[InputCheck, ...]
    kinks: tuple[Kink, ...]
    problems: tuple[str, ...]  # wrong shapes, edits in place: wrong whatever the values
    doubts: tuple[str, ...]  # why the method itself is not to be trusted here
    notes: tuple[str, ...]

    @property
    def verdict(self):
        """Return "right", "wrong" or "inconclusive"."""
        if self.problems:
            return "wrong"
        if any(check.wrong.any() for check in self.inputs) and not self.doubts:
            return "wrong"
        blind = any(check.blind.any() for check in self.inputs)
        return "inconclusive" if blind or self.kinks or self.doubts else "right"

    def __bool__(self):
        return self.verdict == "right"

    @property
    def worst(self):
        """Return the Entry that exceeds its tolerance most; None if there is none."""
        judged = [(c, _excess(c)) for c in self.inputs if not c.kink.all()]
        if not judged:
            return None
        check, excess = max(judged, key=lambda pair: pair[1].max())
        return check.entry(np.unravel_index(excess.argmax(), excess.shape))

    @property
    def step(self):
        """Return the step used for the worst entry; None if there is none."""
        return self.worst.step if self.worst else None

    @property
    def errors(self):
        """Return analytic - numeric for each input, by its name."""
        return {check.name: check.error for check in self.inputs}

    def __str__(self):
        return "\n".join(_lines(self))

    __repr__ = __str__


def _excess(check):
    with np.errstate(all="ignore"):
        ratio = np.abs(check.error) / check.tolerance
    ratio = np.where(check.error == 0, 0, ratio)
    ratio = np.where(np.isnan(ratio), np.where(check.wrong, np.inf, 0), ratio)
    return np.where(check.kink, -1, ratio)


# -------------------------------------------------------------- the function checked


class _Function:
    """forward as a function of a list of arrays, with everything else held.

    leaves are all the arrays of the inputs, those inside tuples too; `moved` says which
    of them are differentiated.
    """

    def __init__(self, forward, inputs, wrt):
        several = isinstance(inputs, tuple) and not hasattr(inputs, "_fields")
        inputs = inputs if several else (inputs,)
        inputs = [np.asarray(a) if _is_list_of_numbers(a) else a for a in inputs]
        self.forward, self.inputs = forward, tuple(inputs)
        self.names = _parameter_names(forward, len(self.inputs))
        self.notes, self.edits, self.doubts = (), (), ()
        chosen = _chosen(self.names, self.inputs, wrt)
        arrays = [
            (name, a, position in chosen)
            for position, given in enumerate(self.inputs)
            for name, a in _leaves(self.names[position], given)
        ]
        self.leaf_names = [name for name, _, _ in arrays]
        self.leaves = [self.lift(name, a) for name, a, _ in arrays]
        self.moved = [
            i
            for i, (_, _, wanted) in enumerate(arrays)
            if wanted and self.leaves[i].dtype.kind == "f"
        ]
        if not self.moved:
            raise TypeError(
                "none of the inputs is an array of floating-point numbers, so there is "
                "nothing to differentiate by"
            )

    def lift(self, name, a):
        """Return the leaf as a float64 copy if it is of another floating type."""
        if a.dtype.kind == "f" and a.dtype != np.float64:
            self.notes += (f"{name} is {a.dtype}: lifted to float64 for this check",)
            return a.astype(np.float64)
        return np.array(a)

    def run(self, leaves):
        """Return forward's output, as an array, and its cache."""
        arguments = functools.partial(self.arguments, leaves)
        given = _call(self, "forward", self.forward, arguments)
        if not isinstance(given, tuple) or len(given) != 2:
            raise TypeError(
                f"{_name_of(self.forward)} gave {_short(given)}, but a forward gives "
                "(output, cache)"
            )
        output, cache = given
        return np.asarray(output), cache

    def arguments(self, leaves, writeable):
        """Return the inputs with these leaves in place of their arrays."""
        leaves = iter([_passed(a, writeable) for a in leaves])
        return [_filled(given, leaves) for given in self.inputs]

    def start(self, cotangent, rng):
        """Run forward once, keep its output and pieces, and return d_output."""
        self.output, cache = self.run(self.leaves)
        if self.output.dtype.kind != "f":
            raise TypeError(
                f"{_name_of(self.forward)} gave an output of type {self.output.dtype}, "
                "but only floating-point numbers have a gradient"
            )
        self.pieces = [(name, np.array(a)) for name, a in _pieces("cache", cache)]
        if cotangent is None:
            signs = rng.choice([-1.0, 1.0], size=self.output.shape)
            return np.asarray(signs * rng.uniform(1, 2, size=self.output.shape))
        cotangent = np.array(cotangent, dtype=np.float64)
        if cotangent.shape != self.output.shape:
            raise ValueError(
                f"cotangent has shape {cotangent.shape}, but the output has "
                f"{self.output.shape}"
            )
        return cotangent

    def gradients(self, backward, cotangent, leaves, rng=None):
        """Return what backward gives at these leaves: an array for each moved one.

        With rng, what backward is given (cotangent and cache) is an ulp off as well.
        """

        def arguments(writeable):
            cache = self.run(leaves)[1]
            given = cotangent
            if rng is not None:
                given = _ulp_away(cotangent, rng)
                arrays = (_ulp_away(a, rng) for _, a in _leaves("cache", cache))
                cache = _filled(cache, arrays)
            return _passed(given, writeable), cache if writeable else _locked(cache)

        found = list(_gradient_leaves(_call(self, "backward", backward, arguments)))
        if len(found) > len(self.moved):
            found = [gradient for gradient in found if gradient is not None]
        if len(found) != len(self.moved):
            wanted = ", ".join(self.leaf_names[i] for i in self.moved)
            raise ValueError(
                f"{_name_of(backward)} gave {_count(len(found), 'gradient')} for "
                f"{_count(len(self.moved), 'input')} ({wanted}): say with wrt= which "
                "inputs it differentiates by"
            )
        return found

    def misfits(self, gradients):
        """Return a sentence for each gradient that has not the shape of its input."""
        for i, gradient in zip(self.moved, gradients, strict=True):
            name, shape = self.leaf_names[i], self.leaves[i].shape
            if gradient is None:
                yield f"the gradient by {name} is None"
            elif gradient.shape != shape:
                yield f"the gradient by {name} has shape {gradient.shape}, not {shape}"

    def at(self, i, a):
        """Return the output with a in place of leaf i."""
        return self.run([*self.leaves[:i], a, *self.leaves[i + 1 :]])[0]

    def stepped(self, i, a):
        """Return the output and the changed piece, with a in place of leaf i.

        The output is nan where forward raises: a step may leave its domain.
        """
        return self.moved_to([*self.leaves[:i], a, *self.leaves[i + 1 :]])

    def moved_to(self, leaves):
        """Return the output and the changed piece (or None) at these leaves."""
        try:
            output, cache = self.run(leaves)
        except (ValueError, ArithmeticError):
            return np.full(self.output.shape, np.nan), None
        return output, self.changed_piece(cache)

    def anywhere(self, i, a):
        """Return the output, on whatever piece of the function."""
        return self.stepped(i, a)[0]

    def inside(self, i, a):
        """Return the output, but nan on another piece of the function."""
        output, change = self.stepped(i, a)
        return output if change is None else np.full(self.output.shape, np.nan)

    def changed_piece(self, cache):
        """Return name, old and new value of the first piece that changed, or None."""
        for (name, here), (_, there) in zip(
            self.pieces, _pieces("cache", cache), strict=False
        ):
            if here.shape == there.shape and not np.array_equal(here, there):
                j = tuple(map(int, np.argwhere(here != there)[0]))
                return _label(name, j), here[j], there[j]
        return None


def _call(f, role, function, arguments):
    """Return function(*arguments), and note if it writes into one of them."""
    if not f.edits:
        try:
            return function(*arguments(False))
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            line = traceback.extract_tb(error.__traceback__)[-1]
            f.edits += (f"{role} edits an array it was given, {_place(line)}",)
    return function(*arguments(True))


def _place(line):
    source = f": `{line.line}`" if line.line else ""
    return f"in line {line.lineno}{source}"


# ------------------------------------------------------- entries: the three verdicts


class _Rounding(NamedTuple):
    """What an ulp in the inputs does."""

    nu: np.ndarray  # the output's shape: how far f moves
    D: list[np.ndarray]  # how far the gradient moves, for each moved leaf


def _rounding(f, backward, cotangent, gradients, rng):
    """Return how far output and gradients move when every input moves by an ulp.

    Moves that change the piece are left out for the gradients, unless all of them do.
    """
    nu, moves = np.spacing(np.abs(f.output)), []
    for _ in range(MOVES):
        leaves = [
            _ulp_away(a, rng) if i in f.moved else a for i, a in enumerate(f.leaves)
        ]
        output, change = f.moved_to(leaves)
        nu = np.fmax(nu, np.abs(output - f.output))
        if np.isfinite(output).all():
            found = f.gradients(backward, cotangent, leaves, rng)
            moves.append((change is None, found))
    same_piece = [found for same, found in moves if same]
    D = [np.zeros(gradient.shape) for gradient in gradients]
    for found in same_piece or [found for _, found in moves]:
        pairs = zip(found, gradients, strict=True)
        D = [np.fmax(d, np.abs(a - b)) for d, (a, b) in zip(D, pairs, strict=True)]
    return _Rounding(nu, D)


def _check_entries(f, method, gradients, cotangent, rounding, rng):
    """Return the method used, an InputCheck for each moved leaf, and the kinks."""
    numeric = None
    if method in (None, "complex step"):
        numeric, trouble = _complex_gradients(f, cotangent, rounding, rng)
        if trouble:
            f.notes += (f"no complex step: {trouble}",)
        if trouble and method:
            f.doubts += (trouble,)
        method = method or ("five-point" if trouble else "complex step")
    if method != "complex step":
        numeric = [_differences(f, i, method, cotangent, rounding.nu) for i in f.moved]
    if numeric is None:
        return method, (), ()
    checks, kinks = [], []
    for i, g, n, D in zip(f.moved, gradients, numeric, rounding.D, strict=True):
        check = _input_check(f, i, method, g, n, D)
        found = list(_kinks(f, i, check, cotangent, rounding.nu))
        for j, kink in found:
            check.kink[j] = True
            kinks.append(kink)
        checks.append(check)
    return method, tuple(checks), tuple(kinks)


class _Numeric(NamedTuple):
    """A gradient by one leaf as a method gives it; all arrays have the leaf's shape."""

    gradient: np.ndarray
    error: np.ndarray  # of the method, and of f's rounding in it
    step: np.ndarray


def _input_check(f, i, method, gradient, numeric, D):
    size = np.abs(numeric.gradient)
    tolerance = 1e-13 * size + 8 * EPS * np.max(size, initial=0) + 64 * D
    return InputCheck(
        name=f.leaf_names[i],
        shape=size.shape,
        analytic=np.asarray(gradient, dtype=np.float64),
        numeric=numeric.gradient,
        tolerance=tolerance + numeric.error,
        step=numeric.step,
        kink=np.zeros(size.shape, dtype=bool),
        fine=FINE[method],
    )


def _complex_gradients(f, cotangent, rounding, rng):
    """Return the gradients by the complex step, and what speaks against them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            numeric = [_complex_gradient(f, i, cotangent) for i in f.moved]
            trouble = _not_analytic(f, cotangent, rounding, rng)
        except Exception as error:  # whatever the forward has against complex numbers
            return None, f"forward raised {type(error).__name__} ({_short(error)})"
    if not all(np.isfinite(n.gradient).all() for n in numeric):
        trouble = "it gave nan or inf"
    return numeric, trouble


def _complex_gradient(f, i, cotangent):
    """Return the gradient by leaf i by the complex step, with h 2^-60 of its length.

    Where imag f would be subnormal, as for |x| = 1e-300, h is 2^-30 of it: large enough
    to keep the digits, and h^2 still is nothing.
    """
    length = np.minimum(_lengths(f.leaves[i]), 1)
    numeric = _complex_columns(f, i, cotangent, length * 2.0**-60)
    size = np.max(np.abs(numeric.gradient), initial=0)
    if np.max(numeric.error, initial=0) > 1e-9 * size:
        numeric = _complex_columns(f, i, cotangent, length * 2.0**-30)
    return numeric


def _complex_columns(f, i, cotangent, h):
    x = f.leaves[i]

    def along(a):
        return np.sum(cotangent * np.imag(f.at(i, a)))

    gradient = complex_step(lambda a: 1j * along(a), x, h)
    underflow = 4 * np.sum(np.abs(cotangent)) * (TINY / h)
    for j in map(tuple, np.argwhere(gradient == 0)):
        if along(_stepped(x, j, 1j * h[j] * 2.0**30)) == 0:  # not for want of range
            underflow[j] = 0
    return _Numeric(gradient, underflow, h)


def _not_analytic(f, cotangent, rounding, rng):
    """Return a sentence if complex step and differences differ along a direction."""
    directions = [
        _direction(a, rng) if i in f.moved else np.zeros(a.shape)
        for i, a in enumerate(f.leaves)
    ]

    def along(t):
        moved = [
            a + t * v if i in f.moved else a
            for i, (a, v) in enumerate(zip(f.leaves, directions, strict=True))
        ]
        output, change = f.moved_to(moved)
        return output if change is None else np.full(f.output.shape, np.nan)

    h = 2.0**-60
    numeric = np.sum(cotangent * np.imag(along(1j * h))) / h
    steps = 2.0 ** -np.arange(3, 30)
    slopes = np.array([(along(t) - along(-t)) / (2 * t) for t in steps])
    value, error, _ = _best(*_extrapolated(slopes, steps, rounding.nu))
    value, error = np.sum(cotangent * value), np.sum(np.abs(cotangent) * error)
    moved = [np.abs(directions[i]) for i in f.moved]
    room = sum(np.sum(D * v) for D, v in zip(rounding.D, moved, strict=True))
    error += np.sum(np.abs(cotangent)) * TINY / h
    if not abs(value - numeric) > 4 * error + 64 * room + 1e-13 * abs(numeric):
        return None
    return (
        f"forward is not analytic: along one direction it gives {numeric:.6g}, "
        f"differences {value:.6g}"
    )


def _differences(f, i, method, cotangent, nu):
    """Return the gradient by leaf i by differences, each entry with its best step."""
    x = f.leaves[i]
    gradient, error, step = (np.zeros(x.shape) for _ in range(3))
    lengths = _lengths(x)
    for j in np.ndindex(x.shape):
        steps = _ladder(x[j], lengths[j])
        value, E, which = _slope(f, i, j, steps, method, nu, f.inside)
        if not np.isfinite(E).all():  # every step leaves the piece
            value, E, which = _slope(f, i, j, steps, method, nu, f.anywhere)
        gradient[j] = np.sum(cotangent * value)
        error[j] = 4 * np.sum(np.abs(cotangent) * E)
        step[j] = steps[np.max(which)]
    return _Numeric(gradient, error, step)


def _slope(f, i, j, steps, method, nu, where):
    """Return each output's slope by entry j of leaf i, its error, and which step."""
    g = functools.partial(where, i)
    slopes = np.array([_central_slope(g, f.leaves[i], j, h) for h in steps])
    if method == "five-point":
        return _best(*_extrapolated(slopes, steps, nu))
    return _best(slopes, 2 * nu / _like(steps, slopes))


def _extrapolated(slopes, steps, nu):
    """Return the slopes of (b), made of those of (a), and their noise.

    A step whose double is not among the steps is left to (a).
    """
    noise = 2 * nu / _like(steps, slopes)
    better, its_noise = slopes.copy(), noise.copy()
    for k in np.flatnonzero(steps[:-1] == 2 * steps[1:]) + 1:
        five = (4 * slopes[k] - slopes[k - 1]) / 3  # (b)
        better[k] = np.where(np.isnan(five), slopes[k], five)
        its_noise[k] = (4 * noise[k] + noise[k - 1]) / 3
    return better, its_noise


def _best(values, noise):
    """Return the values of the ladder (K, ...) with the least error, it, and which.

    The error is the larger of the differences to both neighbours, or, if that is more,
    how far the value lies outside what a smaller step allows; plus the noise.
    """
    pad = [(1, 1)] + [(0, 0)] * (values.ndim - 1)
    jumps = np.pad(np.abs(np.diff(values, axis=0)), pad, constant_values=np.nan)
    error = np.fmax(jumps[:-1], jumps[1:])  # (K, ...)
    alone = np.isnan(error)
    above = np.fmax.accumulate((values - noise)[::-1])[::-1]
    below = np.fmin.accumulate((values + noise)[::-1])[::-1]
    outside = np.fmax(above - values, values - below)
    error = np.fmax(error, outside) + noise
    error = np.where(alone | np.isnan(values), np.inf, error)
    which = np.argmin(error, axis=0)[None]
    chosen = [np.take_along_axis(a, which, axis=0)[0] for a in (values, error)]
    return *chosen, which[0]


def _like(steps, values):
    return steps.reshape((-1,) + (1,) * (values.ndim - 1))


def _ladder(x, length):
    """Return steps for the entry x, descending powers of two.

    The scale on which f changes is not known: it may be the entry's own size (1 / x),
    that of its vector (|x|), or 1 (exp x). The steps are those for all three, as far as
    they are many ulps of x: where x + h rounds, beyond the next power of two, x + h and
    x - h lie around a point less than an ulp from x.
    """
    scales = {float(_power_of_two(x)), float(length), 1.0}
    exponents = {math.frexp(scale)[1] - 1 for scale in scales}
    wanted = {e - down for e in exponents for down in range(3, 27)}
    steps = 2.0 ** np.array(sorted(wanted, reverse=True), dtype=float)
    return steps[steps >= 8 * np.spacing(np.abs(x))]


def _check_taylor(f, method, gradients, cotangent, rounding, rng):
    """Return the method, an InputCheck with the rate for each leaf, and the kinks."""
    checks, kinks = [], []
    for i, gradient, D in zip(f.moved, gradients, rounding.D, strict=True):
        x = f.leaves[i]
        v = _direction(x, rng)

        def along(a, i=i):
            return np.sum(cotangent * (f.inside(i, a) - f.output))

        remainders = taylor_remainders(along, x, gradient, v, TAYLOR_STEPS)
        noise = 4 * np.sum(np.abs(cotangent) * rounding.nu)
        slope = np.sum(gradient * v)
        room = np.sum((64 * D + 1e-13 * np.abs(gradient)) * np.abs(v))
        rate = _rate(remainders, noise + room * TAYLOR_STEPS)
        if rate == math.inf and abs(slope) < 1e3 * noise:
            rate = math.nan
        if np.isnan(remainders).all():
            name, here, there = f.stepped(i, x + TAYLOR_STEPS[-1] * v)[1]
            what = f"{name} is {here} here and {there} beside it, along v"
            kinks.append(Kink(f.leaf_names[i], what))
        checks.append(_taylor_check(f.leaf_names[i], x.shape, slope, along, x, v, rate))
    return method, tuple(checks), tuple(kinks)


def _taylor_check(name, shape, slope, along, x, v, rate):
    h = 2.0**-17
    numeric = (along(x + h * v) - along(x - h * v)) / (2 * h)
    return InputCheck(
        name=name,
        shape=shape,
        analytic=np.array(slope),
        numeric=np.array(numeric),
        tolerance=np.array(math.nan),
        step=np.array(h),
        kink=np.array(False),
        fine=FINE["central"],
        rate=rate,
    )


# ----------------------------------------------------------------------------- kinks


def _kinks(f, i, check, cotangent, nu):
    """Return (j, Kink) for each entry off by more than its tolerance due to a kink."""
    x, lengths = f.leaves[i], _lengths(f.leaves[i])
    for j in np.ndindex(x.shape):
        if check.wrong[j]:
            what = _kink_at(f, i, j, lengths[j], check.analytic[j], cotangent, nu)
            if what:
                yield j, Kink(_label(check.name, j), what)


def _kink_at(f, i, j, length, analytic, cotangent, nu):
    """Return what happens at entry j if f has a kink there that explains the gradient.

    It has one if another piece begins within a few ulps, or if the slopes to the two
    sides differ; and it explains only a gradient between these slopes.
    """
    x = f.leaves[i]
    piece = _piece_beside(f, i, j, length)
    if piece is None and not _bends(f, i, j, length):
        return None
    steps = _ladder(x[j], length)
    sides = [_one_sided(f, i, j, sign * steps, cotangent, nu) for sign in (-1, 1)]
    (left, left_error), (right, right_error) = sides
    error = 4 * (left_error + right_error) + 1e-13 * abs(analytic)
    if not min(left, right) - error <= analytic <= max(left, right) + error:
        return None
    if abs(right - left) > error:
        slopes = f"the slope is {left:.6g} to the left and {right:.6g} to the right"
        return f"{piece}; {slopes}" if piece else slopes
    return piece


def _piece_beside(f, i, j, length):
    """Return in words which piece begins within a few ulps of entry j, or None."""
    ulps = 4 * max(np.spacing(abs(f.leaves[i][j])), EPS * length)
    for h, side in ((-ulps, "below"), (ulps, "above")):
        change = f.stepped(i, _stepped(f.leaves[i], j, h))[1]
        if change:
            name, here, there = change
            return f"{name} is {here} here and {there} just {side}"
    return None


def _bends(f, i, j, length):
    """Return whether the slopes to the two sides differ by more than 1/1000."""
    h = length * 2.0**-17
    left, right = (_side_slopes(f, i, j, np.array([s * h])) for s in (-1, 1))
    return abs(right - left).sum() > 1e-3 * max(abs(right).sum(), abs(left).sum())


def _one_sided(f, i, j, steps, cotangent, nu):
    """Return the slope to the side of the steps' sign, and its error."""
    slopes = _side_slopes(f, i, j, steps)
    noise = 2 * nu / np.abs(_like(steps, slopes))
    halved = np.flatnonzero(steps[:-1] == 2 * steps[1:])
    if len(halved) == 0:
        return math.nan, math.inf
    better = 2 * slopes[halved + 1] - slopes[halved]
    value, error, _ = _best(better, 2 * noise[halved + 1] + noise[halved])
    return np.sum(cotangent * value), np.sum(np.abs(cotangent) * error)


def _side_slopes(f, i, j, steps):
    """Return the slopes of the outputs to the side of the steps' sign, one a step."""
    x = f.leaves[i]
    moved = np.array([f.anywhere(i, _stepped(x, j, h)) for h in steps])
    return (moved - f.output) / _like((x[j] + steps) - x[j], moved)


# -------------------------------------------------------- arrays inside of other things


def _leaves(name, value):
    """Yield (name, array) for every array in value: itself, or inside of tuples."""
    if isinstance(value, np.ndarray | np.generic):
        yield name, np.asarray(value)
    else:
        for part, child in _children(name, value):
            yield from _leaves(part, child)


def _children(name, value):
    """Return the named parts of a tuple, a list, a dict or an object, else nothing."""
    if hasattr(value, "_fields"):
        return [(f"{name}.{part}", getattr(value, part)) for part in value._fields]
    if isinstance(value, tuple | list):
        return [(f"{name}[{i}]", child) for i, child in enumerate(value)]
    if isinstance(value, dict):
        return [(f"{name}[{key!r}]", child) for key, child in value.items()]
    if is_dataclass(value):
        names = [field.name for field in fields(value)]
        return [(f"{name}.{part}", getattr(value, part)) for part in names]
    return []


def _filled(value, arrays: Iterator):
    """Return value with its arrays, in the order of `_leaves`, taken from arrays."""
    if isinstance(value, np.ndarray | np.generic):
        return next(arrays)
    if hasattr(value, "_fields"):
        return type(value)(*(_filled(child, arrays) for child in value))
    if isinstance(value, tuple | list):
        return type(value)(_filled(child, arrays) for child in value)
    if isinstance(value, dict):
        return {key: _filled(child, arrays) for key, child in value.items()}
    return value


def _passed(a, writeable):
    """Return an array to hand out: a copy, or a view that cannot be written."""
    a = a.copy() if writeable else a.view()
    a.flags.writeable = writeable
    return a if a.ndim else a[()]


def _locked(cache):
    """Return the cache with its arrays, inside of tuples and dicts, read-only."""
    return _filled(cache, (_passed(a, False) for _, a in _leaves("cache", cache)))


def _pieces(name, value):
    """Yield (name, array) for what is integer or boolean in a cache: its pieces."""
    if isinstance(value, np.ndarray | np.generic | bool | int):
        value = np.asarray(value)
        if value.dtype.kind in "biu":
            yield name, value
    else:
        for part, child in _children(name, value):
            yield from _pieces(part, child)


def _gradient_leaves(value):
    """Yield the gradients that backward gave as arrays, and None where it is None."""
    if value is None:
        yield None
    elif _children("", value) and not _is_list_of_numbers(value):
        for _, child in _children("", value):
            yield from _gradient_leaves(child)
    else:
        yield np.asarray(value)


def _is_list_of_numbers(value):
    """Return whether value is a list of numbers, or of such lists."""
    return isinstance(value, list) and all(
        isinstance(a, int | float) or _is_list_of_numbers(a) for a in value
    )


def _chosen(names, inputs, wrt):
    """Return the positions of the inputs that wrt names; all of them for None."""
    if wrt is None:
        return set(range(len(inputs)))
    wrt = (wrt,) if isinstance(wrt, str | int) else tuple(wrt)
    for name in wrt:
        if name not in names and name not in range(len(inputs)):
            raise ValueError(
                f"wrt is {name!r}, but the inputs are {', '.join(names)} "
                f"(or 0 to {len(inputs) - 1})"
            )
    return {names.index(name) if isinstance(name, str) else name for name in wrt}


def _parameter_names(forward, count):
    """Return the names of forward's first arguments, as its definition has them."""
    try:
        parameters = list(inspect.signature(forward).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in plain][:count]
    return names + [f"input {i}" for i in range(len(names), count)]


def _name_of(function):
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", type(function).__name__)
    return "backward" if name == "<lambda>" else name


# --------------------------------------------------------------- steps and directions


def _ulp_away(a, rng):
    """Return a with each entry moved by one ulp up or down; 0 and integers stay."""
    if a.dtype.kind != "f":
        return a
    towards = np.where(rng.random(a.shape) < 0.5, -np.inf, np.inf)
    return np.where(a == 0, a, np.nextafter(a, towards))


def _direction(a, rng):
    """Return each entry's size with either sign, as powers of two; 1 if all are 0.

    An entry 0 beside others stays: a vector of 0 may well be a kink.
    """
    size = np.where(a == 0, 0.0, _power_of_two(a)) if np.any(a) else np.ones(a.shape)
    return size * rng.choice([-1.0, 1.0], size=a.shape)


def _lengths(a):
    """Return for each entry the size of the smallest vector it is in, not counting 0.

    The vectors of a matrix are its rows and columns; sizes are powers of two.
    """
    if a.ndim == 0 or a.size == 0:
        return _power_of_two(a)
    sizes = [
        np.broadcast_to(np.abs(a).max(axis=axis, keepdims=True), a.shape)
        for axis in range(a.ndim)
    ]
    smallest = np.min([np.where(size == 0, np.inf, size) for size in sizes], axis=0)
    return _power_of_two(smallest)


def _power_of_two(a):
    """Return the largest power of two that is at most |a|; 1 for 0 and inf."""
    usual = (a != 0) & np.isfinite(a)
    return np.where(usual, np.ldexp(1.0, np.frexp(np.where(usual, a, 1))[1] - 1), 1.0)


# --------------------------------------------------------------------------- the words

VERDICTS = {
    "right": "the gradient is right",
    "wrong": "the gradient is WRONG",
    "inconclusive": "it cannot be told whether the gradient is right",
}
SHOWN = 6  # entries at most in a table, and kinks


def _lines(report):
    """Yield the lines of a report, each of at most 80 columns."""
    yield f"{report.function}: {VERDICTS[report.verdict]}"
    for text in report.problems:
        yield from _paragraph("because", text)
    wrong = [c.entry(j) for c in report.inputs for j in np.argwhere(c.wrong)]
    if report.inputs and report.inputs[0].rate is not None:
        yield from _table(RATES, [_rates_row(c) for c in report.inputs])
    elif wrong and report.verdict == "wrong":
        yield from _wrong_lines(report, wrong)
    elif report.inputs:
        yield from _table(ERRORS, [_errors_row(c) for c in report.inputs])
    yield from _why_inconclusive(report)
    for text in report.notes:
        yield from _paragraph("note", text)
    yield from _paragraph("how", _how(report))


def _wrong_lines(report, wrong):
    """Yield the table of the worst entries, and what is common to all of them."""
    worst = sorted(wrong, key=lambda e: -np.nan_to_num(abs(e.error), nan=np.inf))
    yield from _table(WRONG, [_wrong_row(entry) for entry in worst[:SHOWN]])
    entries = sum(check.analytic.size for check in report.inputs)
    if len(wrong) > SHOWN:
        yield f"  and {len(wrong) - SHOWN} more of {entries} entries are wrong"
    elif len(wrong) < entries:
        others = entries - len(wrong)
        yield f"  {_count(others, 'other entry', 'other entries')} agree" + "s" * (
            others == 1
        )
    for text in _ratios(report):
        yield from _paragraph("looks like", text)


def _ratios(report):
    """Yield a sentence for each gradient that is a constant times the right one."""
    for check in report.inputs:
        seen = ~check.blind & (check.numeric != 0)
        if check.wrong.any() and seen.any():
            ratios = check.analytic[seen] / check.numeric[seen]
            alike = np.ptp(ratios) <= 1e-6 * np.abs(ratios).max()
            if alike and check.wrong[seen].all():
                many = "every entry is" if seen.sum() > 1 else "it is"
                times = "0" if not ratios.any() else f"{np.median(ratios):.6g} times"
                what = times if times == "0" else f"{times} what it should be"
                yield f"gradient by {check.name}: {many} {what}"


def _why_inconclusive(report):
    for text in report.doubts:
        yield from _paragraph("because", text)
    for kink in report.kinks[:SHOWN]:
        yield from _paragraph("kink", f"{kink.label}: {kink.what}")
    if len(report.kinks) > SHOWN:
        yield from _paragraph("", f"and {len(report.kinks) - SHOWN} more kinks")
    if report.verdict == "inconclusive":
        for check in report.inputs:
            blind = check.blind & ~check.kink
            if blind.any():
                yield from _paragraph("because", _too_wide(check, blind))


def _too_wide(check, blind):
    if check.rate is not None:
        return f"the rate by {check.name} is neither 2 nor 1: other inputs may tell"
    if np.isfinite(check.tolerance[blind]).all():
        tolerance = f"up to {check.tolerance[blind].max():.1g}"
        size = np.abs(check.numeric).max()
        entries = _count(blind.sum(), "entry", "entries")
        return (
            f"{entries} of the gradient by {check.name} can be known to {tolerance} "
            f"only, where the largest is {size:.2g}: other inputs may tell"
        )
    return f"no step can be taken by {check.name} in its domain, or it gives nan or inf"


def _how(report):
    if not report.inputs:
        return "nothing was differentiated"
    steps = [f"{s:.0e}" if False else _power(s) for s in _step_range(report)]
    step = steps[0] if steps[0] == steps[1] else f"{steps[0]} to {steps[1]}"
    entries = sum(math.prod(check.shape) for check in report.inputs)
    if report.method == "Taylor rate":
        return f"Taylor rate along one direction for each input, {entries} entries"
    return f"{report.method}, h = {step}, all {_count(entries, 'entry', 'entries')}"


def _step_range(report):
    steps = np.concatenate([check.step.ravel() for check in report.inputs])
    return (steps.min(), steps.max()) if steps.size else (1.0, 1.0)


def _power(step):
    return f"2^{math.frexp(step)[1] - 1}"


WRONG = ("gradient by", "analytic", "numeric", "difference", "tolerance")
ERRORS = ("gradient by", "shape", "largest entry", "largest error", "tolerance there")
RATES = ("gradient by", "shape", "slope along v", "order of the remainder")


def _wrong_row(entry):
    digits = _digits(entry)
    return (
        entry.label,
        f"{entry.analytic:.{digits}g}",
        f"{entry.numeric:.{digits}g}",
        f"{entry.error:+.3g}",
        f"{entry.tolerance:.1g}",
    )


def _digits(entry):
    """Return how many digits tell analytic and numeric apart."""
    size = max(abs(entry.analytic), abs(entry.numeric))
    if not 0 < abs(entry.error) < math.inf or not size < math.inf:
        return 6
    return min(17, max(6, math.ceil(math.log10(size / abs(entry.error))) + 2))


def _errors_row(check):
    if check.kink.all():
        return check.name, _shape(check.shape), "", "", ""
    worst = check.entry(np.unravel_index(_excess(check).argmax(), check.shape))
    return (
        check.name,
        _shape(check.shape),
        f"{np.abs(check.analytic).max():.3g}",
        f"{abs(worst.error):.1e}",
        f"{worst.tolerance:.1e}",
    )


def _rates_row(check):
    shown = "inf (linear)" if check.rate == math.inf else f"{check.rate:.2f}"
    return check.name, _shape(check.shape), f"{float(check.analytic):.6g}", shown


def _shape(shape):
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def _table(head, rows):
    """Yield the lines of a table: the first column to the left, the others right."""
    rows = [head, *rows]
    widths = [max(len(row[c]) for row in rows) for c in range(len(head))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [row[c].rjust(widths[c]) for c in range(1, len(head))]
        yield "  " + "  ".join(cells).rstrip()


def _paragraph(title, text):
    """Yield the text in lines of 80 columns, the title to its left."""
    lines = textwrap.wrap(text, 80 - 14, break_long_words=False)
    for i, line in enumerate(lines):
        yield f"  {title if i == 0 else '':<11} {line}"


def _count(n, one, many=None):
    return f"{n} {one if n == 1 else many or one + 's'}"


def _label(name, index):
    where = ", ".join(map(str, index))
    return f"{name}[{where}]" if index else name


def _short(value):
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
