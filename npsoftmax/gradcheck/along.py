"""A pair of large arrays goes in; the same as a function of a few numbers comes out.

    x(t) = x + sum of t_i v_i,   df/dt_i = df/dx . v_i      at t = 0, v_i drawn

With k directions for each input a check takes as long as one of k entries. It sees
every large error, and most small ones, but not in which entry.
"""

import numpy as np

from npsoftmax import validate
from npsoftmax.gradcheck.nested import gradient_arrays
from npsoftmax.gradcheck.pair import LayerPair


def along_directions(pair, k):
    """Return the pair as a function of t (k,) for each input, and the directions.

    The directions of an input of n entries are (k, n). Raises ValueError unless k is an
    integer from 1.
    """
    validate.count("directions", k)
    drawn = np.array([pair.draw_direction() for _ in range(k)])
    v = [drawn[:, part] for part in pair.parts]

    def forward(*t):
        moves = [times @ each for times, each in zip(t, v, strict=True)]
        return pair.forward(*pair.arguments(pair.x + np.concatenate(moves)))

    def backward(d_output, cache):
        given = gradient_arrays(pair.backward(d_output, cache))
        found = [gradient for gradient in given if gradient is not None]
        return tuple(each @ g.ravel() for each, g in zip(v, found, strict=True))

    t = tuple(np.zeros(k) for _ in v)
    line = LayerPair(forward, backward, t, None, pair.cotangent, pair.rng)
    names = [f"{leaf.name} along v" for leaf in pair.moved]
    line.moved = [
        leaf._replace(name=name) for leaf, name in zip(line.moved, names, strict=True)
    ]
    return line, v


def what_is_unseen(pair, checks, v):
    """Yield for each input how large an error of one entry may be and stay unseen."""
    for leaf, check, directions in zip(pair.moved, checks, v, strict=True):
        k, entries = directions.shape
        if entries:
            sizes = np.abs(directions).max(axis=0)
            unseen = np.max(check.tolerance) / np.min(sizes, initial=np.inf)
            yield (
                f"along {k} directions, of {entries} entries of {leaf.name}: an error "
                f"of one entry below {unseen:.1g} is not seen, nor which entry is wrong"
            )
