"""A forward, its backward and their inputs go in; a pair comes out that can be run at
other inputs near by, and that notices what the two do to the arrays they are given.

All entries that are differentiated stand in a row, x (K,), as do their gradients: f(x)
and df/dx, as in a book. They are moved along lines x + h v.
"""

import functools
import traceback
from itertools import pairwise

import numpy as np

from npsoftmax.gradcheck import nested, steps
from npsoftmax.gradcheck.inputs import arguments_of, cotangent_of, label_of, name_of


class LayerPair:
    """A forward and a backward at their inputs.

    leaves     the inputs, and what is inside of tuples
    moved      those of them that are differentiated; held: the names of the others
    x          their entries in a row; all that follow it are of its shape (K,)
    sizes      of the entries, and lengths: of the vectors they are in
    gradient   by x, as backward gives it; scale: the largest entry of its input
    output     of forward at the inputs, in float64
    dead       where that is nan or inf: it has no slope there, and counts as 0
    pieces     the integer and boolean arrays in its cache, by name
    weights    the cotangent, 0 at dead outputs; weight: the sum of their sizes
    largest    number in inputs, cache and output
    rng        draws the cotangent, directions, and moves by an ulp
    edits      sentences about arrays that forward or backward wrote into
    misfits    and about gradients that do not fit their inputs
    unsteady   sentences about what two calls with the same inputs gave differently
    """

    def __init__(self, forward, backward, inputs, wrt, cotangent, rng):
        self.forward, self.backward, self.rng = forward, backward, rng
        self.edits, self.unsteady = (), ()
        self.inputs, self.leaves = arguments_of(forward, inputs, wrt)
        self.moved = [leaf for leaf in self.leaves if leaf.moved]
        self.held = tuple(leaf.name for leaf in self.leaves if not leaf.moved)
        ends = np.cumsum([0] + [leaf.array.size for leaf in self.moved])
        self.parts = [slice(*ends) for ends in pairwise(ends.tolist())]
        self.x, self.sizes, self.lengths = (
            _in_a_row(f(leaf.array) for leaf in self.moved)
            for f in (np.array, steps.sizes_of, steps.lengths_of)
        )
        self._keep_outputs(*self.run(self.x))
        self.cotangent = cotangent_of(cotangent, self.output.shape, rng)
        self.weights = np.where(self.dead, 0.0, self.cotangent)
        self.weight = np.sum(np.abs(self.weights))
        self._keep_gradients(self.run_backward(self.x))

    def _keep_outputs(self, output, cache):
        if output.dtype.kind != "f":
            raise TypeError(
                f"{name_of(self.forward, 'forward')} gave an output of type "
                f"{output.dtype}, but only floating-point numbers have a gradient"
            )
        self.first, self.dead = np.array(output), ~np.isfinite(output)
        self.ulp = np.where(self.dead, 0, np.spacing(np.abs(output))).astype(float)
        self.output = self._live(output)
        self.pieces = [(name, np.array(a)) for name, a in nested.named_pieces(cache)]
        arrays = [leaf.array for leaf in self.leaves]
        everything = nested.named_arrays("", (arrays, cache, output))
        floating = [a for _, a in everything if a.dtype.kind == "f"]
        self.largest = max(map(steps.largest_finite, floating))

    def _keep_gradients(self, given):
        self.misfits = tuple(filter(None, map(_misfit, self.moved, given)))
        self.gradients = [None if g is None else np.array(g) for g in given]
        if not self.misfits:
            self.gradient = _in_a_row(self.gradients).astype(np.float64)
            self.scale = self.by_input(steps.largest_finite, self.gradient)

    def _live(self, output):
        return np.where(self.dead, 0, output).astype(np.float64)

    # Entries in a row, and the arrays they are of

    def split(self, a):
        """Return the entries a (K,) as views, each of the shape of its input."""
        parts = zip(self.parts, self.moved, strict=True)
        return [a[part].reshape(leaf.array.shape) for part, leaf in parts]

    def by_input(self, f, a):
        """Return f of the entries of an input, for each entry of it."""
        return _in_a_row(np.full(part.shape, f(part)) for part in self.split(a))

    def label(self, k):
        """Return entry k as one writes it: `x[2, 0]`."""
        n = next(n for n, part in enumerate(self.parts) if k < part.stop)
        shape = self.moved[n].array.shape
        j = np.unravel_index(k - self.parts[n].start, shape)
        return label_of(self.moved[n].name, j)

    def entry(self, k):
        """Return the line along which entry k alone is moved."""
        v = np.zeros(self.x.size)
        v[k] = 1
        return Line(self, v, self.x[k], self.lengths[k])

    def draw_direction(self):
        """Return a direction that moves every entry, zeros too."""
        return self.sizes * steps.draw_factors(self.x.shape, self.rng)

    # Forward and backward

    def arguments(self, x):
        """Return the arguments of forward at x."""
        writeable = bool(self.edits)
        moved = iter(self.split(nested.handed_out(x, writeable)))
        arrays = (
            nested.handed_out(next(moved) if leaf.moved else leaf.array, writeable)
            for leaf in self.leaves
            if leaf.array is not None
        )
        return [nested.mapped(lambda _: next(arrays), value) for value in self.inputs]

    def run(self, x):
        """Return forward's output, as an array, and its cache."""
        given = self._call("forward", self.forward, lambda: self.arguments(x))
        if not isinstance(given, tuple) or len(given) != 2:
            raise TypeError(
                f"{name_of(self.forward, 'forward')} gave a {type(given).__name__}, "
                "but a forward gives (output, cache)"
            )
        output, cache = given
        return np.asarray(output), cache

    def run_backward(self, x, ulp_off=False):
        """Return the gradients at x: an array (or None) for each moved input.

        What backward is given (cotangent and cache) may be an ulp off.
        """

        def arguments():
            given = self.cotangent, self.run(x)[1]
            if ulp_off:
                given = nested.mapped(lambda a: steps.ulp_away(a, self.rng), given)
            cotangent, cache = given
            cache = cache if self.edits else nested.locked(cache)
            return nested.handed_out(np.asarray(cotangent), bool(self.edits)), cache

        given = self._call("backward", self.backward, arguments)
        found = list(nested.gradient_arrays(given))
        if len(found) > len(self.moved):
            found = [gradient for gradient in found if gradient is not None]
        if len(found) != len(self.moved):
            wanted = ", ".join(leaf.name for leaf in self.moved)
            raise ValueError(
                f"{name_of(self.backward, 'backward')} gave {len(found)} gradients, "
                f"but {len(self.moved)} are wanted, by {wanted}: wrt= says which "
                "inputs it differentiates by"
            )
        return found

    def _call(self, role, function, arguments):
        """Return what function gives; once an edit is noted it may write."""
        try:
            return function(*arguments())
        except ValueError as error:
            if self.edits or "read-only" not in str(error):
                raise
            line = traceback.extract_tb(error.__traceback__)[-1]
            where = f"in line {line.lineno}" + (f": `{line.line}`" if line.line else "")
            self.edits = (f"{role} edits an array it was given, {where}",)
        return function(*arguments())

    def look_again(self):
        """Call both once more at the inputs; note in `unsteady` what is not the same.

        An integer in the cache that is another one, such as a counter, is no piece.
        """
        output, cache = self.run(self.x)
        self.pieces = [
            (name, here if np.array_equal(here, again) else None)
            for name, here, again in self._beside_pieces(cache)
        ]
        name = name_of(self.forward, "forward")
        changes = [_change(f"{name} gave outputs", self.first, output)]
        name, given = name_of(self.backward, "backward"), self.run_backward(self.x)
        for leaf, first, again in zip(self.moved, self.gradients, given, strict=True):
            what = f"{name} gave gradients by {leaf.name}"
            changes.append(_change(what, first, again))
        self.unsteady = self.unsteady or tuple(filter(None, changes))

    def visit(self, x):
        """Return the output and what changed piece (or None) at x.

        The output is nan where forward raises: a step may leave its domain.
        """
        try:
            output, cache = self.run(x)
        except (ValueError, ArithmeticError):
            return np.full(self.output.shape, np.nan), None
        return self._live(output), self._changed_piece(cache)

    def gradient_at(self, x, ulp_off=False):
        """Return the gradient at x, nan outside of the domain."""
        try:
            return _in_a_row(self.run_backward(x, ulp_off))
        except (ValueError, ArithmeticError):
            return np.full(self.x.shape, np.nan)

    def _beside_pieces(self, cache):
        """Yield name, piece at the inputs, and what stands there in another cache."""
        others = nested.named_pieces(cache) if self.pieces else ()
        beside = zip(self.pieces, others, strict=False)
        return ((name, here, there) for (name, here), (_, there) in beside)

    def _changed_piece(self, cache):
        for name, here, there in self._beside_pieces(cache):
            alike = here is None or here.shape != there.shape
            if not alike and not np.array_equal(here, there):
                j = tuple(map(int, np.argwhere(here != there)[0]))
                return label_of(name, j), here[j], there[j]
        return None


class Line:
    """A pair at x + h v, visited once for each h.

    entry   the number that v moves, if it moves one alone, and the length of its vector
    """

    def __init__(self, pair, v, entry=0.0, length=1.0):
        self.pair, self.v, self.entry, self.length = pair, v, entry, length
        self.visit = functools.cache(lambda h: pair.visit(self.at(h)))

    def at(self, h):
        """Return x + h v."""
        return self.pair.x + h * self.v

    def anywhere(self, h):
        """Return the output, on whatever piece."""
        return self.visit(h)[0]

    def inside(self, h):
        """Return the output, nan if that is on another piece."""
        output, change = self.visit(h)
        return output if change is None else np.full(output.shape, np.nan)

    def imag(self, h, x=None):
        """Return the imaginary part of the output at x + i h v."""
        x = (self.pair.x if x is None else x) + 1j * h * self.v
        return np.where(self.pair.dead, 0.0, np.imag(self.pair.run(x)[0]))


def _in_a_row(arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


def _misfit(leaf, gradient):
    """Return a sentence about a gradient that does not fit its input, or None."""
    if gradient is None:
        return f"the gradient by {leaf.name} is None"
    if gradient.dtype.kind not in "biuf":
        return f"the gradient by {leaf.name} has type {gradient.dtype}"
    if gradient.shape != leaf.array.shape:
        has = f"has shape {gradient.shape}, but {leaf.name} has {leaf.array.shape}"
        return f"the gradient by {leaf.name} {has}"
    return None


def _change(what, first, second):
    """Return a sentence if two calls gave different arrays, or None."""
    if second is None or np.array_equal(first, second, equal_nan=True):
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
