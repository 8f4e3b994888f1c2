"""Mistakes in the cross-entropy, as edits of the page. Those of the softmax inside it
are in softmax.py.
"""

from functools import partial

from npsoftmax.checks.edits import POSITIVE, edit, mistake
from npsoftmax.checks.generic import OWN, VALUE

_value = partial(mistake, f"cross_entropy_forward {VALUE}")
_wide = partial(mistake, "cross_entropy_forward is right for logits up to 10000")
_gradient = partial(mistake, f"cross_entropy_backward {OWN}")

_FORWARD, _BACKWARD = "cross_entropy_forward", "cross_entropy_backward"
_log_p = partial(edit, _FORWARD, "d - np.log(e_sum)")
_log_p_y = partial(edit, _FORWARD, "log_p[np.arange(len(y)), y]")
_mean = partial(edit, _FORWARD, "np.mean(log_p_y)")
_p = partial(edit, _BACKWARD, "e / e_sum")
_onehot = partial(edit, _BACKWARD, "y[:, None] == np.arange(C)")
_dz = partial(edit, _BACKWARD, "dloss * (p - onehot) / N")

_MASK = "(y[:, None] == np.arange(e.shape[1]))"
_OF_TWO = "np.log(np.abs(e / e_sum - (y[:, None] != np.arange(e.shape[1]))))"

MISTAKES = (
    # ------------------------------------------------------------ cross_entropy_forward
    _value("no softmax", "the logits themselves are used where p belongs",
            _log_p("np.log(z)"),
            _log_p("z")),
    _value("softmax twice", "softmax is applied twice",
            _log_p("log_softmax(e / e_sum)")),
    _value("one-hot in column y[0]",
            "every row takes the probability of label y[0], not of its own label",
            _log_p_y("log_p[:, y[0]]")),
    _value("all labels' columns", "z[:, y] takes all the labels' columns in every row",
            _log_p_y("log_p[:, y]"),
            (_log_p_y("log_p[:, y]"), _mean("np.sum(log_p_y) / len(y)"))),
    _value("cross-entropy of two classes",
            "log(1 - p) of the other classes is added, which is for two classes only",
            _log_p_y(_OF_TWO),
            _log_p_y(f"np.sum({_OF_TWO}, axis=1)")),
    _wide("0 times log 0",
            "0 is multiplied by the logarithm of a p that has become 0: nan",
            _log_p_y(f"np.sum({_MASK} * np.log(e / e_sum), axis=1)")),
    _value("factor N", "the sum over the batch is taken, not the mean",
            _mean("np.sum(log_p_y)")),
    _value("last row missing", "the last row is left out",
            _mean("np.mean(log_p_y[:-1])"),
            _mean("np.sum(log_p_y[:-1]) / len(y)")),
    _value("first row only", "only the first row is used",
            _mean("log_p_y[0]"),
            _mean("log_p_y[0] / len(y)")),
    _value("all classes",
            "the logarithms of all classes are added, not of the label's alone",
            _mean("np.mean(log_p)"),
            _mean("np.sum(log_p) / len(y)")),
    _value("// for /", "// rounds down to a whole number",
            _mean("np.sum(log_p_y) // len(y)"),
            edit(_BACKWARD, "/ N", "// N")),
    # ----------------------------------------------------------- cross_entropy_backward
    _gradient("clipped", "the probabilities are cut off",
            _p("np.clip(e / e_sum, eps, 1 - eps)", eps=POSITIVE)),
    _gradient("wrong axis", "softmax runs over the batch, not over each row",
            edit("cross_entropy_backward log_softmax_backward", "e / e_sum",
                 "softmax(z_max + d, 0)")),
    _gradient("one-hot in column y[0]",
            "the 1 is subtracted in column y[0] of every row",
            _onehot("y[0] == np.arange(C)")),
    _gradient("all labels' columns",
            "z[:, y] takes all the labels' columns in every row",
            _onehot("np.isin(np.arange(C), y)")),
    _gradient("one-hot missing", "the 1 is not subtracted in the label's column",
            _dz("dloss * p / N")),
    _gradient("1 added", "the 1 is added in the label's column, not subtracted",
            _dz("dloss * (p + onehot) / N")),
    _gradient("1 subtracted twice", "the 1 is subtracted twice in the label's column",
            _dz("dloss * (p - 2 * onehot) / N")),
    _gradient("labels subtracted", "the labels are subtracted as numbers: p - y",
            _dz("dloss * (p - y[:, None]) / N")),
    _gradient("1 not divided by N", "p is divided by N before the 1 is subtracted",
            _dz("dloss * (p / N - onehot)"),
            _dz("dloss * p / N - onehot")),
    _gradient("factor N", "the gradient is not divided by N",
            _dz("dloss * (p - onehot)")),
    _gradient("dloss forgotten", "dloss is not multiplied in",
            _dz("(p - onehot) / N"),
            _dz("p - onehot")),
    _gradient("log p for p", "log p is used where p belongs",
            _dz("dloss * (log_p - onehot) / N")),
    _gradient("no softmax", "the logits themselves are used where p belongs",
            _dz("dloss * (z_max + d - onehot) / N")),
)  # fmt: skip
