"""What other people's functions look like: one table, and how each is asked.

A row says by which names a function is recognised, what is handed to it, in the order
of trying, and how arrays may lie. A letter is a thing of the contract, as they want it:

    z   logits (N, C)                    x, W, b, h, m, lam   as in the contract
    p   the probabilities of z           V   W as (C, D), a row for a class
    y   labels, whole numbers (N,)       R   the rows of z, chosen by X: W X y -> loss
    t   labels as one-hot rows (N, C)    X   a matrix that chooses them
    f   labels as floats                 Y   labels as (N, 1)

Which it is, is found by asking (engine/read.py), with sizes that cannot be confused.
"""

import re
from typing import NamedTuple

import numpy as np

from npsoftmax.checks.layers import CONTRACT

N, D, C = 3, 4, 5

ROWS, COLUMNS, ONE_ROW = "rows", "columns", "one row"
GRADIENT = r"(backward|backprop|bwd|gradient|grad|derivative|deriv|prime)"


class Convention(NamedTuple):
    """A row: names (a regular expression), what is handed over, how arrays lie."""

    family: str
    names: str
    takes: tuple[str, ...]
    views: tuple[str, ...]


ANY = (ROWS, ONE_ROW, COLUMNS)
LOSS = (
    r"(average|mean|(sparse)?categorical|multiclass)?(softmax)?(and|with)?crossentropy"
    r"(and|with)?(logits|softmax)?(loss|cost)?|softmax(with)?(loss|cost)|nll(loss)?"
)
LABELLED = ("z y", "z t", "p y", "p t", "z Y", "p Y", "R X y")
MARGIN = r"lsoftmax(linear)?|largemargin(softmax|innerproduct)?"

TABLE = (
    Convention("softmax", r"softmax", ("z",), ANY),
    Convention("log_softmax", r"logsoftmax", ("z",), ANY),
    Convention("logsumexp", r"logsumexp", ("z",), ANY),
    Convention("cross_entropy", LOSS, LABELLED, ANY),
    Convention(
        "linear", r"affine|linear|fc|dense|fullyconnected", ("x W b",), ANY[::2]
    ),
    Convention("relu", r"relu", ("h",), ANY[:1]),
    Convention("lsoftmax", MARGIN, ("x W y", "x V y", "x V f", "x W f"), ANY[:1]),
)

FAMILIES = {  # the value alone, the forward, the backward
    "softmax": ("softmax", "softmax_forward", "softmax_backward"),
    "log_softmax": ("log_softmax", "log_softmax_forward", "log_softmax_backward"),
    "logsumexp": ("logsumexp", "logsumexp", None),
    "cross_entropy": (None, "cross_entropy_forward", "cross_entropy_backward"),
    "linear": (None, "linear_forward", "linear_backward"),
    "relu": (None, "relu_forward", "relu_backward"),
    "lsoftmax": (None, "lsoftmax_forward", "lsoftmax_backward"),
}

ROLES = {
    "z": lambda i: i["z"],
    "p": lambda i: CONTRACT["softmax"].expected({"z": i["z"], "axis": -1})["p"][0],
    "y": lambda i: i["y"],
    "t": lambda i: np.eye(i["z"].shape[1])[i["y"]],
    "f": lambda i: i["y"].astype(float),
    "Y": lambda i: i["y"][:, None],
    "x": lambda i: i["x"],
    "W": lambda i: i["W"],
    "V": lambda i: i["W"].T.copy(),
    "b": lambda i: np.zeros(i["W"].shape[1]) if i["b"] is None else i["b"],
    "h": lambda i: i["h"],
    "R": lambda i: np.concatenate([i["z"][::-1], 0 * i["z"][:1]]),
    "X": lambda i: np.eye(len(i["z"]) + 1)[len(i["z"]) - 1 :: -1].copy(),
}

# What a name suggests; the other orders are tried as well.
SUGGESTS = {
    "z": r"x|z|a|logits?|scores?|inputs?|outputs?|preds?|predictions?|f",
    "p": r"p|probs?|probabilities|y_?hat|y_?pred|outputs?|softmax_out|a|preds?|predict",
    "y": r"y|t|labels?|targets?|gt|y_?true",
    "W": r"w|weights?|theta",
    "x": r"x|a|inputs?|a_prev|features?|h",
    "b": r"b|bias(es)?",
    "X": r"x",
    "cache": r".*cache.*|ctx|result|saved|memory",
    "out": r"p|y|out(put)?s?|softmax_out(put)?|s|a|b|dist|probs?",
    "d": r"d_?(a|h|l|p|y|z|out|outputs?|loss|values?|probs?)?|g|gb|.*grad.*|upstream"
    r"|delta|dist_?grad|dl_.*",
}
IS_THE = {"p": "z", "R": "z", "t": "y", "f": "y", "Y": "y", "V": "W"}
SUGGESTS |= {k: SUGGESTS[of] for k, of in IS_THE.items() if k not in "pR"}
SUGGESTS["R"] = SUGGESTS["W"]

# Numbers that are passed by their names, where a function or its class has them.
SETTINGS = {
    "m": r"m|margin",
    "lam": r"lam|lambda_?|lambd|beta",
    "reg": r"reg|regulari[sz]ation|reg_strength|l2",
    "axis": r"axis|dim",
    "name": r"name",
    "learning rate": r"lr|learning_rate",
}


def bare(name):
    """Return a name without case, marks, and what says only that it is a function."""
    name = re.sub(r"[^a-z]", "", name.lower())
    name = re.sub(r"^(activation|my|stable|numpy|np|compute|calc)+", "", name)
    ends = (
        "forward|fwd|layer|func|function|fn|op|stable|naive|vectorized|loop|error|numpy"
    )
    return re.sub(rf"({ends})+$", "", name)


def stem_of_gradient(name):
    """Return what a gradient is of, by its name, or None: `cost` of `cost_gradient`."""
    patterns = rf"(?P<of>.+?)_?{GRADIENT}", rf"(d|{GRADIENT})_(?P<of>.+)"
    found = (re.fullmatch(each, name, re.IGNORECASE) for each in patterns)
    return next((each["of"] for each in found if each), None)


def recognised(name):
    """Return the row of a function's or a class's name, or None."""
    rows = (row for row in TABLE if re.fullmatch(row.names, bare(name)))
    return next(rows, None)


def looks_like_one(name):
    """Return whether a name belongs to what is checked, so that it must be said."""
    hints = "softmax|crossentropy|relu|affine|logsumexp"
    return bool(re.search(hints, re.sub("[^a-z]", "", name.lower()))) or bool(
        recognised(name)
    )


# --------------------------------------------------------------------- how arrays lie

LAYOUTS = {
    ROWS: ("(N, C)", "(N, D)", "(D, C)"),
    COLUMNS: ("(C, N)", "(D, N)", "(C, D)"),
    ONE_ROW: ("(C,), a row at a time", "", ""),
}
OF = {
    "z": "logits {0}",
    "p": "probabilities {0}",
    "R": "X {1} and W {2}",
    "x": "x {1} and W {2}",
    "h": "x of any shape",
}
FORMS = {"t": "labels one-hot", "f": "labels as floats", "Y": "labels (N, 1)"}


def laid_out(role, array, view):
    """Return an array of the contract as a view wants it: a sample in each column."""
    if view != COLUMNS or np.ndim(array) == 0:
        return array
    return array[:, None] if role == "b" else array.T.copy()


def back(array, view):
    """Return an array of theirs as the contract has it."""
    return array.T if view == COLUMNS else array
