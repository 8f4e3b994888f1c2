"""Mistakes in the cross-entropy, as edits of the page. Those of the softmax inside it
are in softmax.py.
"""

from functools import partial

from npsoftmax.checks.edits import POSITIVE, edit, mistake

_VALUE = "cross_entropy_forward gives the right value"
_WIDE = "cross_entropy_forward is right for logits up to 10000"
_GRADIENT = "cross_entropy_backward is the gradient of its own forward"

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
    mistake("no softmax", "the logits themselves are used where p belongs", _VALUE,
            _log_p("np.log(z)"),
            _log_p("z")),
    mistake("softmax twice", "softmax is applied twice", _VALUE,
            _log_p("log_softmax(e / e_sum)")),
    mistake("one-hot in column y[0]",
            "every row takes the probability of label y[0], not of its own label",
            _VALUE,
            _log_p_y("log_p[:, y[0]]")),
    mistake("all labels' columns", "z[:, y] takes all the labels' columns in every row",
            _VALUE,
            _log_p_y("log_p[:, y]"),
            (_log_p_y("log_p[:, y]"), _mean("np.sum(log_p_y) / len(y)"))),
    mistake("cross-entropy of two classes",
            "log(1 - p) of the other classes is added, which is for two classes only",
            _VALUE,
            _log_p_y(_OF_TWO),
            _log_p_y(f"np.sum({_OF_TWO}, axis=1)")),
    mistake("0 times log 0",
            "0 is multiplied by the logarithm of a p that has become 0: nan", _WIDE,
            _log_p_y(f"np.sum({_MASK} * np.log(e / e_sum), axis=1)")),
    mistake("factor N", "the sum over the batch is taken, not the mean", _VALUE,
            _mean("np.sum(log_p_y)")),
    mistake("last row missing", "the last row is left out", _VALUE,
            _mean("np.mean(log_p_y[:-1])"),
            _mean("np.sum(log_p_y[:-1]) / len(y)")),
    mistake("first row only", "only the first row is used", _VALUE,
            _mean("log_p_y[0]"),
            _mean("log_p_y[0] / len(y)")),
    mistake("all classes",
            "the logarithms of all classes are added, not of the label's alone", _VALUE,
            _mean("np.mean(log_p)"),
            _mean("np.sum(log_p) / len(y)")),
    mistake("// for /", "// rounds down to a whole number", _VALUE,
            _mean("np.sum(log_p_y) // len(y)"),
            edit(_BACKWARD, "/ N", "// N")),
    # ----------------------------------------------------------- cross_entropy_backward
    mistake("clipped", "the probabilities are cut off", _GRADIENT,
            _p("np.clip(e / e_sum, eps, 1 - eps)", eps=POSITIVE)),
    mistake("wrong axis", "softmax runs over the batch, not over each row", _GRADIENT,
            edit("cross_entropy_backward log_softmax_backward", "e / e_sum",
                 "softmax(z_max + d, 0)")),
    mistake("one-hot in column y[0]", "the 1 is subtracted in column y[0] of every row",
            _GRADIENT,
            _onehot("y[0] == np.arange(C)")),
    mistake("all labels' columns", "z[:, y] takes all the labels' columns in every row",
            _GRADIENT,
            _onehot("np.isin(np.arange(C), y)")),
    mistake("one-hot missing", "the 1 is not subtracted in the label's column",
            _GRADIENT,
            _dz("dloss * p / N")),
    mistake("1 added", "the 1 is added in the label's column, not subtracted",
            _GRADIENT,
            _dz("dloss * (p + onehot) / N")),
    mistake("1 subtracted twice", "the 1 is subtracted twice in the label's column",
            _GRADIENT,
            _dz("dloss * (p - 2 * onehot) / N")),
    mistake("labels subtracted", "the labels are subtracted as numbers: p - y",
            _GRADIENT,
            _dz("dloss * (p - y[:, None]) / N")),
    mistake("1 not divided by N", "p is divided by N before the 1 is subtracted",
            _GRADIENT,
            _dz("dloss * (p / N - onehot)"),
            _dz("dloss * p / N - onehot")),
    mistake("factor N", "the gradient is not divided by N", _GRADIENT,
            _dz("dloss * (p - onehot)")),
    mistake("dloss forgotten", "dloss is not multiplied in", _GRADIENT,
            _dz("(p - onehot) / N"),
            _dz("p - onehot")),
    mistake("log p for p", "log p is used where p belongs", _GRADIENT,
            _dz("dloss * (log_p - onehot) / N")),
    mistake("no softmax", "the logits themselves are used where p belongs", _GRADIENT,
            _dz("dloss * (z_max + d - onehot) / N")),
)  # fmt: skip
