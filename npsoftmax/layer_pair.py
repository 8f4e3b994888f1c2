"""A forward, its backward and their inputs go in; a pair comes out that can be run at
other inputs near by, and that notices what the two do to the arrays they are given.
"""

import functools
import inspect
import traceback

import numpy as np

from npsoftmax.differentiation import draw_direction, draw_factors, ulp_away
from npsoftmax.nested import (
    gradient_arrays,
    handed_out,
    is_list_of_numbers,
    locked,
    named_arrays,
    named_pieces,
    with_arrays,
)

MOVES = 8  # how often everything is moved by an ulp to see what rounding does


class LayerPair:
    """A forward and a backward at their inputs.

    leaves     all arrays of the inputs, those inside of tuples too; floating ones as
               float64
    names      their names: x, params.W1
    moved      which of them are differentiated
    output     of forward at the inputs
    pieces     the integer and boolean arrays in its cache, by name
    cotangent  of the output's shape
    gradients  by the moved leaves, as backward gives them
    largest    number in inputs, cache and output
    edits      sentences about arrays that forward or backward wrote into
    lifted     the names of leaves that were not float64
    """

    def __init__(self, forward, backward, inputs, wrt, cotangent, rng):
        several = isinstance(inputs, tuple) and not hasattr(inputs, "_fields")
        inputs = inputs if several else (inputs,)
        inputs = [np.asarray(a) if is_list_of_numbers(a) else a for a in inputs]
        self.forward, self.backward, self.edits = forward, backward, ()
        self._choose_leaves(inputs, wrt)
        self.output, cache = self.run(self.leaves)
        if self.output.dtype.kind != "f":
            raise TypeError(
                f"{name_of(forward)} gave an output of type {self.output.dtype}, but "
                "only floating-point numbers have a gradient"
            )
        self.pieces = [(name, np.array(a)) for name, a in named_pieces("cache", cache)]
        everything = named_arrays("", (self.leaves, cache, self.output))
        self.largest = max(_largest(a) for _, a in everything)
        self.cotangent = _cotangent(cotangent, self.output.shape, rng)
        self.gradients = self.run_backward(self.leaves)

    def _choose_leaves(self, inputs, wrt):
        argument_names = _argument_names(self.forward, len(inputs))
        chosen = _positions(wrt, argument_names)
        if wrt is not None:  # a number, too, if it is asked for by name
            inputs = [
                np.asarray(a) if i in chosen and isinstance(a, float) else a
                for i, a in enumerate(inputs)
            ]
        self.inputs, self.names, self.leaves = inputs, [], []
        self.moved, self.lifted = [], []
        for i, value in enumerate(inputs):
            for name, a in named_arrays(argument_names[i], value):
                self._add_leaf(name, a, i in chosen)
        if not self.moved:
            raise TypeError(
                "no input is an array of floating-point numbers: there is nothing to "
                "differentiate by"
            )

    def _add_leaf(self, name, a, chosen):
        if a.dtype.kind == "f":
            if a.dtype != np.float64:
                self.lifted.append(name)
            if chosen:
                self.moved.append(len(self.leaves))
            a = a.astype(np.float64)
        self.names.append(name)
        self.leaves.append(np.array(a))

    def run(self, leaves):
        """Return forward's output, as an array, and its cache."""

        def arguments(writeable):
            arrays = iter([handed_out(a, writeable) for a in leaves])
            return [with_arrays(value, arrays) for value in self.inputs]

        given = self._call("forward", self.forward, arguments)
        if not isinstance(given, tuple) or len(given) != 2:
            raise TypeError(
                f"{name_of(self.forward)} gave a {type(given).__name__}, but a forward "
                "gives (output, cache)"
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
                f"{name_of(self.backward)} gave {len(found)} gradients, but "
                f"{len(self.moved)} are wanted, by {wanted}: wrt= says which inputs "
                "it differentiates by"
            )
        return found

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
        return output, self._changed_piece(cache)

    def anywhere(self, leaves):
        """Return the output at these leaves, on whatever piece."""
        return self.visit(leaves)[0]

    def inside(self, leaves):
        """Return the output at these leaves, nan if they are on another piece."""
        output, change = self.visit(leaves)
        return output if change is None else np.full(self.output.shape, np.nan)

    def _changed_piece(self, cache):
        there = [piece for _, piece in named_pieces("cache", cache)]
        for (name, here), other in zip(self.pieces, there, strict=False):
            if here.shape == other.shape and not np.array_equal(here, other):
                j = tuple(map(int, np.argwhere(here != other)[0]))
                return label_of(name, j), here[j], other[j]
        return None

    def rounding(self, rng):
        """Return nu and D: how far output and gradients move by an ulp in everything.

        nu has the output's shape, D is a list, an array for each moved leaf; both are
        the largest of some moves. Moves to another piece do not count for D, unless
        all go there.
        """
        nu, moves = np.spacing(np.abs(self.output)), []
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
        33, 2011). Twice the largest of four directions is taken, for each the middle
        one of three distances, or the largest where that is 0: a wide row may see a
        bend, a narrow one no change at all, and any one a pattern in the rounding.
        """
        largest = np.zeros(self.output.shape)
        for _ in range(4):
            v = [draw_direction(self.leaves[i], rng) for i in self.moved]
            rows = [self._fourth_difference(v, t) for t in (2**-32, 2**-35, 2**-38)]
            _, middle, most = np.sort(rows, axis=0)
            largest = np.fmax(largest, np.where(middle > 0, middle, most))
        return 2 * largest / np.sqrt(70)

    def _fourth_difference(self, v, t):
        row = np.array([self.inside(self.along(v, n * t)) for n in range(8)])
        return np.fmax.reduce(np.abs(np.diff(row, 4, axis=0)), axis=0, initial=0)

    def along(self, v, t):
        """Return the leaves, the moved ones by t v."""
        leaves = list(self.leaves)
        for i, direction in zip(self.moved, v, strict=True):
            leaves[i] = leaves[i] + t * direction
        return leaves


def name_of(function):
    """Return the function's name; "backward" for one that has none."""
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", type(function).__name__)
    return "backward" if name == "<lambda>" else name


def label_of(name, index):
    """Return an entry as one writes it: `x[2, 0]`."""
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def _largest(a):
    sizes = np.abs(a[np.isfinite(a)]) if a.dtype.kind == "f" else np.zeros(1)
    return np.max(sizes, initial=0.0)


def _cotangent(cotangent, shape, rng):
    if cotangent is None:
        return draw_factors(shape, rng)
    cotangent = np.array(cotangent, dtype=np.float64)
    if cotangent.shape != shape:
        raise ValueError(
            f"cotangent has shape {cotangent.shape}, but the output has {shape}"
        )
    return cotangent


def _edit(role, error):
    line = traceback.extract_tb(error.__traceback__)[-1]
    source = f": `{line.line}`" if line.line else ""
    return f"{role} edits an array it was given, in line {line.lineno}{source}"


def _positions(wrt, names):
    """Return the positions of the arguments that wrt names; all of them for None."""
    if wrt is None:
        return set(range(len(names)))
    wrt = (wrt,) if isinstance(wrt, str | int) else tuple(wrt)
    for name in wrt:
        if name not in names and name not in range(len(names)):
            raise ValueError(
                f"wrt is {name!r}, but the inputs are {', '.join(names)}, or 0 to "
                f"{len(names) - 1}"
            )
    return {names.index(name) if isinstance(name, str) else name for name in wrt}


def _argument_names(forward, count):
    """Return the names of forward's first arguments, as its definition has them."""
    try:
        parameters = inspect.signature(forward).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in plain][:count]
    return names + [f"input {i}" for i in range(len(names), count)]
