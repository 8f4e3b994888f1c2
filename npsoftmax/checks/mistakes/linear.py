"""Mistakes in the linear layer, as edits of the page."""

from functools import partial

from npsoftmax.checks.edits import edit, mistake

_VALUE = "linear_forward gives the right value"
_TYPES = "linear_backward gives the right types and shapes"
_GRADIENT = "linear_backward is the gradient of its own forward"
_z = partial(edit, "linear_forward", "z + b")
_sum = partial(edit, "linear_backward", "np.sum(dz, axis=0)")

MISTAKES = (
    mistake("bias forgotten", "the bias b is not added", _VALUE,
            _z("z + 0 * b")),
    mistake("bias subtracted", "the bias b is subtracted, not added", _VALUE,
            _z("z - b")),
    mistake("last row missing", "dW leaves out the last row of the batch", _GRADIENT,
            edit("linear_backward", "x.T @ dz", "x[:-1].T @ dz[:-1]")),
    mistake("wrong axis", "db sums along the rows, not over the batch", _TYPES,
            _sum("np.sum(dz, axis=1)")),
    mistake("sum over everything", "db is the sum of all of dz, not of each column",
            _GRADIENT,
            _sum("np.sum(dz) + 0 * b")),
    mistake("db forgotten", "db is None although there is a bias", _TYPES,
            _sum("None")),
    mistake("dW before dx", "dW comes before dx", _TYPES,
            edit("linear_backward", "return dx, dW, db", "return dW, dx, db")),
)  # fmt: skip
