"""A pair of large arrays goes in; the same as a function of a few numbers comes out.

    x(t) = x + sum of t_i v_i,   df/dt_i = df/dx . v_i      at t = 0, v_i drawn

With k directions for each input a check takes as long as one of k entries. It sees
every large error, and most small ones, but not in which entry.
"""

import numpy as np

from npsoftmax.gradcheck.nested import gradient_arrays, with_arrays
from npsoftmax.gradcheck.steps import draw_direction


def along_directions(pair, k, rng):
    """Return forward, backward and inputs (k,) for each moved leaf, and the directions.

    The directions (k, ...) have the leaf's shape in their other axes.
    """
    leaves = [pair.leaves[i] for i in pair.moved]
    v = [np.array([draw_direction(a, rng) for _ in range(k)]) for a in leaves]

    def forward(*t):
        arrays = list(pair.leaves)
        for n, i in enumerate(pair.moved):
            arrays[i] = arrays[i] + np.tensordot(t[n], v[n], 1)
        each = iter(arrays)
        return pair.forward(*(with_arrays(value, each) for value in pair.inputs))

    def backward(d_output, cache):
        given = gradient_arrays(pair.backward(d_output, cache))
        found = [gradient for gradient in given if gradient is not None]
        return tuple(
            np.tensordot(directions, gradient, gradient.ndim)
            for directions, gradient in zip(v, found, strict=True)
        )

    return forward, backward, tuple(np.zeros(k) for _ in v), v


def what_is_unseen(pair, checks, v):
    """Yield for each input how large an error of one entry may be and stay unseen."""
    for i, check, directions in zip(pair.moved, checks, v, strict=True):
        sizes = np.abs(directions).reshape(len(directions), -1).max(axis=0)
        if sizes.size and len(check.tolerance):
            unseen = np.max(check.tolerance) / np.min(sizes, initial=np.inf)
            yield (
                f"along {len(directions)} directions, of {sizes.size} entries of "
                f"{pair.names[i]}: an error of one entry below {unseen:.1g} is not "
                "seen, nor which entry is wrong"
            )
