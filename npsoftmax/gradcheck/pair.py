"""A forward, its backward and their inputs go in; a pair comes out that can be run at
other inputs near by, and that notices what the two do to the arrays they are given.
"""

import functools
import inspect
import traceback

import numpy as np

from npsoftmax.gradcheck.nested import (
    gradient_arrays,
    handed_out,
    is_list_of_numbers,
    locked,
    named_arrays,
    named_pieces,
    with_arrays,
)
from npsoftmax.gradcheck.steps import draw_direction, draw_factors, ulp_away

MOVES = 8  # how often everything is moved by an ulp to see what rounding does
NOISE_STEPS = 2.0 ** -np.array(
    [14, 22, 30, 38, 44]
)  # how far apart points in a row are
GRADIENT_STEPS = 2.0 ** -np.array([11, 13, 22, 30, 38, 44])  # of the gradients


class LayerPair:
    """A forward and a backward at their inputs.

    leaves     all arrays of the inputs, those inside of tuples too; floating ones as
               float64
    names      their names: x, params.W1
    moved      which of them are differentiated
    output     of forward at the inputs, in float64
    dead       where that is nan or inf: it has no slope there, and counts as 0
    pieces     the integer and boolean arrays in its cache, by name
    cotangent  of the output's shape
    weights    the cotangent, 0 at dead outputs
    gradients  by the moved leaves, as backward gives them
    largest    number in inputs, cache and output
    edits      sentences about arrays that forward or backward wrote into
    unsteady   sentences about what two calls with the same inputs gave differently
    lifted     the names of leaves that were not float64; integers: that were integers
    """

    def __init__(self, forward, backward, inputs, wrt, cotangent, rng):
        several = isinstance(inputs, tuple) and not hasattr(inputs, "_fields")
        inputs = inputs if several else (inputs,)
        inputs = [np.asarray(a) if is_list_of_numbers(a) else a for a in inputs]
        self.forward, self.backward = forward, backward
        self.edits, self.unsteady = (), ()
        self._choose_leaves(inputs, wrt)
        output, cache = self.run(self.leaves)
        if output.dtype.kind != "f":
            raise TypeError(
                f"{name_of(forward, 'forward')} gave an output of type {output.dtype}, "
                "but only floating-point numbers have a gradient"
            )
        self._keep(output, cache)
        self.cotangent = _cotangent(cotangent, output.shape, rng)
        self.weights = np.where(self.dead, 0.0, self.cotangent)
        given = self.run_backward(self.leaves)
        self.gradients = [None if g is None else np.array(g) for g in given]

    def _keep(self, output, cache):
        self.dtype, self.dead = output.dtype, ~np.isfinite(output)
        self.ulp = np.where(self.dead, 0, np.spacing(np.abs(output))).astype(float)
        self.output = self._live(output)
        self.pieces = [(name, np.array(a)) for name, a in named_pieces("cache", cache)]
        everything = named_arrays("", (self.leaves, cache, output))
        self.largest = max(_largest(a) for _, a in everything)
        self.first = output

    def _live(self, output):
        return np.where(self.dead, 0, output).astype(np.float64)

    def _choose_leaves(self, inputs, wrt):
        argument_names = _argument_names(self.forward, len(inputs))
        chosen = _positions(wrt, argument_names)
        asked = wrt is not None or len(inputs) == 1
        inputs = [
            np.asarray(a) if asked and i in chosen and _is_number(a) else a
            for i, a in enumerate(inputs)
        ]
        self.inputs, self.names, self.leaves, self.moved = inputs, [], [], []
        self.lifted, self.integers, self.held = [], [], []
        for i, value in enumerate(inputs):
            arrays = list(named_arrays(argument_names[i], value))
            wanted = "iuf" if asked and not _any_floating(arrays) else "f"
            for name, a in arrays:
                self._add_leaf(name, a, wanted if i in chosen else "")
            if not arrays and value is not None:
                self.held.append(argument_names[i])
        if not self.moved:
            raise TypeError(
                "no input is an array of floating-point numbers: there is nothing to "
                "differentiate by. By integers, say which: wrt="
            )

    def _add_leaf(self, name, a, wanted):
        chosen = a.dtype.kind in (wanted or " ")
        if chosen and a.dtype.kind in "iu":
            self.integers.append(name)
        elif a.dtype.kind == "f" and a.dtype != np.float64:
            self.lifted.append(name)
        if a.dtype.kind == "f" or chosen:
            a = a.astype(np.float64)
        if chosen:
            self.moved.append(len(self.leaves))
            _refuse_nan(name, a)
        else:
            self.held.append(name)
        self.names.append(name)
        self.leaves.append(np.array(a))

    def label(self, n, j):
        """Return an entry of moved leaf n as one writes it: `x[2, 0]`."""
        return label_of(self.names[self.moved[n]], j)

    def run(self, leaves):
        """Return forward's output, as an array, and its cache."""

        def arguments(writeable):
            arrays = iter([handed_out(a, writeable) for a in leaves])
            return [with_arrays(value, arrays) for value in self.inputs]

        given = self._call("forward", self.forward, arguments)
        if not isinstance(given, tuple) or len(given) != 2:
            raise TypeError(
                f"{name_of(self.forward, 'forward')} gave a {type(given).__name__}, "
                "but a forward gives (output, cache)"
            )
        output, cache = given
        return np.asarray(output), cache

    def run_backward(self, leaves, rng=None):
        """Return the gradients at these leaves: an array (or None) for each moved one.

        With rng, what backward is given (cotangent and cache) is an ulp off.
        """

        def arguments(writeable):
            given = self.cotangent, self.run(leaves)[1]
            if rng is not None:
                arrays = [ulp_away(a, rng) for _, a in named_arrays("", given)]
                given = with_arrays(given, iter(arrays))
            cotangent, cache = given
            cache = cache if writeable else locked(cache)
            return handed_out(np.asarray(cotangent), writeable), cache

        found = list(gradient_arrays(self._call("backward", self.backward, arguments)))
        if len(found) > len(self.moved):
            found = [gradient for gradient in found if gradient is not None]
        if len(found) != len(self.moved):
            wanted = ", ".join(self.names[i] for i in self.moved)
            raise ValueError(
                f"{name_of(self.backward, 'backward')} gave {len(found)} gradients, "
                f"but {len(self.moved)} are wanted, by {wanted}: wrt= says which "
                "inputs it differentiates by"
            )
        return found

    def look_again(self):
        """Call both once more at the inputs; note in `unsteady` what is not the same.

        An integer in the cache that is another one, such as a counter, is no piece.
        """
        output, cache = self.run(self.leaves)
        there = [piece for _, piece in named_pieces("cache", cache)]
        self.pieces = [
            (name, piece if _same(piece, again) else None)
            for (name, piece), again in zip(self.pieces, there, strict=False)
        ]
        name = name_of(self.forward, "forward")
        changes = [_change(f"{name} gave outputs", self.first, output)]
        name = name_of(self.backward, "backward")
        again = self.run_backward(self.leaves)
        for i, gradient, other in zip(self.moved, self.gradients, again, strict=True):
            what = f"{name} gave gradients by {self.names[i]}"
            changes.append(_change(what, gradient, other))
        found = [change for change in changes if change]
        self.unsteady = self.unsteady or tuple(found)

    def _call(self, role, function, arguments):
        if not self.edits:
            try:
                return function(*arguments(False))
            except ValueError as error:
                if "read-only" not in str(error):
                    raise
                self.edits += (_edit(role, error),)
        return function(*arguments(True))

    def misfits(self):
        """Return a sentence for each gradient that does not fit its input."""
        sentences = []
        for i, gradient in zip(self.moved, self.gradients, strict=True):
            name, shape = self.names[i], self.leaves[i].shape
            if gradient is None:
                sentences.append(f"the gradient by {name} is None")
            elif gradient.dtype.kind not in "biuf":
                sentences.append(f"the gradient by {name} has type {gradient.dtype}")
            elif gradient.shape != shape:
                has = f"has shape {gradient.shape}, but {name} has {shape}"
                sentences.append(f"the gradient by {name} {has}")
        return tuple(sentences)

    def replaced(self, i, a):
        """Return the leaves with a in place of leaf i."""
        return [*self.leaves[:i], a, *self.leaves[i + 1 :]]

    def visit(self, leaves):
        """Return the output and what changed piece (or None) at these leaves.

        The output is nan where forward raises: a step may leave its domain.
        """
        try:
            output, cache = self.run(leaves)
        except (ValueError, ArithmeticError):
            return np.full(self.output.shape, np.nan), None
        return self._live(output), self._changed_piece(cache)

    def anywhere(self, leaves):
        """Return the output at these leaves, on whatever piece."""
        return self.visit(leaves)[0]

    def inside(self, leaves):
        """Return the output at these leaves, nan if they are on another piece."""
        output, change = self.visit(leaves)
        return output if change is None else np.full(self.output.shape, np.nan)

    def imag(self, leaves):
        """Return the imaginary part of the output at complex leaves."""
        return np.where(self.dead, 0.0, np.imag(self.run(leaves)[0]))

    def _changed_piece(self, cache):
        there = [piece for _, piece in named_pieces("cache", cache)]
        for (name, here), other in zip(self.pieces, there, strict=False):
            if here is None or here.shape != other.shape:
                continue
            if not np.array_equal(here, other):
                j = tuple(map(int, np.argwhere(here != other)[0]))
                return label_of(name, j), here[j], other[j]
        return None

    def rounding(self, rng):
        """Return nu and D: how far output and gradients move by an ulp in everything.

        nu has the output's shape, D is a list, an array for each moved leaf; both are
        the largest of some moves. Moves to another piece do not count for D, unless
        all go there.
        """
        nu, moves = self.ulp, []
        for _ in range(MOVES):
            leaves = list(self.leaves)
            for i in self.moved:
                leaves[i] = ulp_away(leaves[i], rng)
            output, change = self.visit(leaves)
            nu = np.fmax(nu, np.abs(output - self.output))
            if np.isfinite(output).all():
                moves.append((change is None, self.run_backward(leaves, rng)))
        counted = [found for same, found in moves if same] or [f for _, f in moves]
        D = [np.zeros(gradient.shape) for gradient in self.gradients]
        for found in counted:
            for n, gradient in enumerate(self.gradients):
                D[n] = np.fmax(D[n], np.abs(found[n] - gradient))
        return nu, D

    def noise(self, rng):
        """Return the noise of each output: the scatter around its smooth course.

        Where f is smooth, fourth differences of 8 points in a row are noise, of
        deviation sqrt(70) times that of a point (More and Wild, SIAM J. Sci. Comput.
        33, 2011). Rows are taken in two directions at some distances. A wide row may
        see a bend, a narrow one stand still (float32) or see the course of one stair,
        so there are two answers: fine, of the narrowest rows that move, and coarse.
        """
        fine, coarse = np.zeros((2, *self.output.shape))
        for _ in range(2):
            v = [draw_direction(self.leaves[i], rng) for i in self.moved]
            rows = [
                _scatter(
                    np.array([self.inside(self.along(v, k * t)) for k in range(8)])
                )
                for t in NOISE_STEPS
            ]
            fine = np.fmax(fine, _least_seen(rows))
            coarse = np.fmax(coarse, np.sort(rows, axis=0)[-2])
        return 2 * fine / np.sqrt(70), 2 * coarse / np.sqrt(70)

    def gradient_noise(self, rng):
        """Return the scatter of the gradients around their smooth course, as `noise`.

        A backward may round more than an ulp in what it is given shows: (g + 1e7) - 1e7
        stands still for most moves. So an entry rounds as much as any smaller one.
        """
        largest = [np.zeros(gradient.shape) for gradient in self.gradients]
        for _ in range(2):
            v = [draw_direction(self.leaves[i], rng) for i in self.moved]
            rows = []
            for t in GRADIENT_STEPS:
                row = [self._gradients_at(self.along(v, k * t)) for k in range(1, 9)]
                rows.append([_scatter(np.array(g)) for g in zip(*row, strict=True)])
            for n, each in enumerate(zip(*rows, strict=True)):
                largest[n] = np.fmax(largest[n], 2 * _least_seen(each) / np.sqrt(70))
        return [
            _lent_upwards(noise, np.abs(g))
            for noise, g in zip(largest, self.gradients, strict=True)
        ]

    def _gradients_at(self, leaves):
        """Return the gradients at these leaves, nan outside of the domain."""
        try:
            return self.run_backward(leaves)
        except (ValueError, ArithmeticError):
            return [np.full(gradient.shape, np.nan) for gradient in self.gradients]

    def along(self, v, t):
        """Return the leaves, the moved ones by t v."""
        leaves = list(self.leaves)
        for i, direction in zip(self.moved, v, strict=True):
            leaves[i] = leaves[i] + t * direction
        return leaves


def _scatter(row):
    """Return the largest fourth difference in a row, an ulp at least where it moves."""
    moves = np.any(np.diff(row, axis=0) != 0, axis=0)
    fourth = np.fmax.reduce(np.abs(np.diff(row, 4, axis=0)), axis=0, initial=0)
    return np.fmax(fourth, np.where(moves, np.spacing(np.abs(row[0])), 0))


def _lent_upwards(noise, size):
    """Return for each entry the largest noise of those that are no larger."""
    order = np.argsort(size, axis=None)
    lent = np.empty(noise.size)
    lent[order] = np.fmax.accumulate(noise.ravel()[order]) if noise.size else []
    return lent.reshape(noise.shape)


def _least_seen(rows):
    """Return for each entry the smallest of the rows that is not 0; 0 if all are."""
    least = np.min(np.where(np.array(rows) > 0, rows, np.inf), axis=0)
    return np.where(np.isfinite(least), least, 0.0)


def name_of(function, role):
    """Return the function's name; its role, forward or backward, if it has none."""
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", type(function).__name__)
    return role if name == "<lambda>" else name


def label_of(name, index):
    """Return an entry as one writes it: `x[2, 0]`."""
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def _largest(a):
    sizes = np.abs(a[np.isfinite(a)]) if a.dtype.kind == "f" else np.zeros(1)
    return np.max(sizes, initial=0.0)


def _cotangent(cotangent, shape, rng):
    if cotangent is None:
        return draw_factors(shape, rng)
    try:
        cotangent = np.array(cotangent, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"cotangent is {cotangent!r}, but it must be an array of real numbers like "
            f"the output, of shape {shape}"
        ) from None
    if cotangent.shape != shape:
        raise ValueError(
            f"cotangent has shape {cotangent.shape}, but the output has {shape}"
        )
    if not np.isfinite(cotangent).all():
        raise ValueError("cotangent holds nan or inf, but its numbers must be finite")
    if cotangent.size and not cotangent.any():
        raise ValueError("cotangent is 0: every gradient would be 0, right or wrong")
    return cotangent


def _is_number(a):
    return isinstance(a, int | float) and not isinstance(a, bool)


def _any_floating(arrays):
    return any(a.dtype.kind == "f" for _, a in arrays)


def _refuse_nan(name, a):
    if not np.isfinite(a).all():
        j = tuple(map(int, np.argwhere(~np.isfinite(a))[0]))
        raise ValueError(
            f"{label_of(name, j)} is {a[j]}, but a gradient is checked at finite inputs"
        )


def _same(a, b):
    """Return whether two arrays are equal, nan being equal to nan."""
    a, b = np.asarray(a), np.asarray(b)
    both_nan = (a != a) & (b != b) if a.shape == b.shape else False
    return a.shape == b.shape and bool(np.all((a == b) | both_nan))


def _change(what, first, second):
    """Return a sentence if two calls gave different arrays, or None."""
    if first is None or second is None or _same(first, second):
        return None
    where = ""
    if np.shape(first) == np.shape(second):
        apart = np.abs(np.subtract(second, first, dtype=np.float64))
        where = f" in {np.sum(apart > 0)} of {apart.size} entries, by up to "
        where += f"{np.nanmax(apart):.3g}"
    return (
        f"called twice with the same inputs, {what} that differ{where}: is something "
        "random, counted, or kept from the last call?"
    )


def _edit(role, error):
    line = traceback.extract_tb(error.__traceback__)[-1]
    source = f": `{line.line}`" if line.line else ""
    return f"{role} edits an array it was given, in line {line.lineno}{source}"


def _positions(wrt, names):
    """Return the positions of the arguments that wrt names; all of them for None."""
    if wrt is None:
        return set(range(len(names)))
    wanted = [wrt] if isinstance(wrt, str | int) else wrt
    if not isinstance(wanted, tuple | list | set) or not len(wanted):
        wanted = [wrt]
    for name in wanted:
        known = isinstance(name, str | int) and not isinstance(name, bool)
        if not known or (name not in names and name not in range(len(names))):
            raise ValueError(
                f"wrt is {name!r}, but the inputs are {', '.join(names)}, or 0 to "
                f"{len(names) - 1}"
            )
    return {names.index(name) if isinstance(name, str) else name for name in wanted}


def _argument_names(forward, count):
    """Return the names of forward's first arguments, as its definition has them."""
    try:
        parameters = inspect.signature(forward).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in plain][:count]
    return names + [f"input {i}" for i in range(len(names), count)]
