"""Mistakes in the linear layer, as edits of the page."""

from functools import partial

from npsoftmax.checks.edits import edit, mistake
from npsoftmax.checks.generic import OWN, TYPES, VALUE

_value = partial(mistake, f"linear_forward {VALUE}")
_types = partial(mistake, f"linear_backward {TYPES}")
_gradient = partial(mistake, f"linear_backward {OWN}")
_z = partial(edit, "linear_forward", "z + b")
_sum = partial(edit, "linear_backward", "np.sum(dz, axis=0)")

MISTAKES = (
    _value("bias forgotten", "the bias b is not added",
            _z("z + 0 * b")),
    _value("bias subtracted", "the bias b is subtracted, not added",
            _z("z - b")),
    _gradient("last row missing", "dW leaves out the last row of the batch",
            edit("linear_backward", "x.T @ dz", "x[:-1].T @ dz[:-1]")),
    _types("wrong axis", "db sums along the rows, not over the batch",
            _sum("np.sum(dz, axis=1)")),
    _gradient("sum over everything", "db is the sum of all of dz, not of each column",
            _sum("np.sum(dz) + 0 * b")),
    _types("db forgotten", "db is None although there is a bias",
            _sum("None")),
    _types("dW before dx", "dW comes before dx",
            edit("linear_backward", "return dx, dW, db", "return dW, dx, db")),
)  # fmt: skip
