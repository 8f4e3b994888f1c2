"""What other people's functions look like: tables, and nothing of how they are asked.

FAMILIES: by which names a function is recognised, what is handed to it, in the order of
trying, how arrays may lie, and the shape of its value. ROLES: what may be handed to it,
and by which names a parameter suggests that. Which it is, is found by asking
(engine/near.py), with sizes that cannot be confused.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from npsoftmax.checks.layers import CONTRACT

ROWS, COLUMNS, ONE_ROW = "rows", "columns", "one row"
ANY = (ROWS, ONE_ROW, COLUMNS)
GRADIENT = r"(backward|backprop|bwd|gradient|grad|derivative|deriv|prime)"


# ---------------------------------------------------------------------------- families


class Family(NamedTuple):
    """What belongs together: a value alone, its forward, its backward."""

    name: str
    names: str  # a regular expression
    takes: tuple[str, ...]  # roles, with blanks between
    views: tuple[str, ...]  # how arrays may lie
    shape: Callable | None  # shape(inputs) of the value; None for a number, a loss

    @property
    def is_loss(self):
        return self.shape is None

    @property
    def members(self):
        """The contract's names of the value alone, its forward, its backward."""
        names = self.name, f"{self.name}_forward", f"{self.name}_backward"
        return tuple(name if name in CONTRACT else None for name in names)

    @property
    def forward(self):
        return self.members[1] or self.name

    @property
    def backward(self):
        return self.members[2]


LOSS = (
    r"(average|mean|(sparse)?categorical|multiclass)?(softmax)?(and|with)?crossentropy"
    r"(and|with)?(logits|softmax)?(loss|cost)?|softmax(with)?(loss|cost)|nll(loss)?"
)
LABELLED = ("z y", "z t", "p y", "p t", "z Y", "p Y", "R X y", "q y", "q t", "q Y")
LINEAR = r"affine|linear|fc|dense|fullyconnected"
MARGIN = r"lsoftmax(linear)?|largemargin(softmax|innerproduct)?"


def as_(name):
    return lambda inputs: inputs[name].shape


def one_a_row(inputs):
    return inputs["z"].max(inputs.get("axis", -1)).shape


def outputs(inputs):
    return len(inputs["x"]), inputs["W"].shape[1]


FAMILIES = (
    Family("softmax", "softmax", ("z",), ANY, as_("z")),
    Family("log_softmax", "logsoftmax", ("z",), ANY, as_("z")),
    Family("logsumexp", "logsumexp", ("z",), ANY, one_a_row),
    Family("cross_entropy", LOSS, LABELLED, ANY, None),
    Family("linear", LINEAR, ("i W b", "x W b", "i W r", "x W r"), ANY[::2], outputs),
    Family("relu", "relu", ("h",), (ROWS,), as_("h")),
    Family("lsoftmax", MARGIN, ("x W y", "x V y"), (ROWS,), outputs),
)


def recognised(name):
    """Return the family that a function's or a class's name suggests, or None."""
    found = (each for each in FAMILIES if re.fullmatch(each.names, bare(name)))
    return next(found, None)


def family_of(name):
    """Return the same of a function or of the gradient of one."""
    return recognised(stem_of_gradient(name) or name)


# ------------------------------------------------------------------------------- roles


class Role(NamedTuple):
    """What a parameter may be: a thing of the contract, in the form that they want."""

    names: str  # what suggests it; the other orders are tried as well
    of: str = ""  # the thing of the contract, where it stands for one
    form: Callable | None = None  # form(inputs), where it is not as it is there
    words: str = ""  # what is said of it
    back: Callable | None = None  # the contract's gradient: back(theirs, inputs)


def probabilities(i):
    return CONTRACT["softmax"].expected({"z": i["z"], "axis": -1})["p"][0]


def by_logits(gradient, inputs):
    """Return the gradient by the logits of one by the probabilities."""
    p = probabilities(inputs)
    if gradient.shape != p.shape:
        return gradient
    return p * (gradient - (p * gradient).sum(axis=-1, keepdims=True))


def images(i):
    """Return x as images (N, 2, D/2), where D is even."""
    return i["x"] if i["x"].shape[1] % 2 else i["x"].reshape(len(i["x"]), 2, -1)


def by_rows(gradient, inputs):
    return gradient.reshape(len(gradient), -1)


def bias(i):
    return np.zeros(i["W"].shape[1]) if i["b"] is None else i["b"]


def logits_and_one_more(i):
    """Return weights of which `choosing` chooses the logits."""
    return np.concatenate([i["z"][::-1], 0 * i["z"][:1]])


def choosing(i):
    return np.eye(len(i["z"]) + 1)[-2::-1].copy()


LOGITS = r"x|z|a|logits?|scores?|inputs?|outputs?|preds?|predictions?|f"
P = r"p|probs?|probabilities|y_?hat|y_?pred|outputs?|softmax_out|a|preds?|predict"
LABELS = r"y|t|labels?|targets?|gt|y_?true"
X = r"x|a|inputs?|a_prev|features?|h"
WEIGHTS = r"w|weights?|theta"
BIAS = r"b|bias(es)?"
UPSTREAM = (
    r"d_?(a|h|l|p|y|z|out|outputs?|loss|values?|probs?)?|g|gb|.*grad.*|upstream"
    r"|delta|dist_?grad|dl_.*"
)
BY_P = "probabilities (N, C) with a gradient by them"

ROLES = {
    "z": Role(LOGITS, "z", None, "logits (N, C)"),
    "p": Role(P, "z", probabilities, "probabilities (N, C)"),
    "q": Role(P, "z", probabilities, BY_P, by_logits),
    "y": Role(LABELS, "y"),
    "t": Role(LABELS, "y", lambda i: np.eye(i["z"].shape[1])[i["y"]], "labels one-hot"),
    "Y": Role(LABELS, "y", lambda i: i["y"][:, None], "labels (N, 1)"),
    "x": Role(X, "x", None, "x (N, D)"),
    "i": Role(X, "x", images, "images (N, d1, .., dk)", by_rows),
    "W": Role(WEIGHTS, "W", None, "W (D, C)"),
    "V": Role(WEIGHTS, "W", lambda i: i["W"].T.copy(), "W (C, D)", lambda d, i: d.T),
    "b": Role(BIAS, "b", bias),
    "r": Role(BIAS, "b", lambda i: bias(i)[None], "b (1, C)", lambda d, i: d[0]),
    "h": Role("h", "h", None, "x of any shape"),
    "R": Role(WEIGHTS, "z", logits_and_one_more, "W (D, C)", lambda d, i: d[-2::-1]),
    "X": Role("x", "", choosing, "X (N, D)"),
    "d": Role(UPSTREAM),
    "cache": Role(r".*cache.*|ctx|result|saved|memory"),
    "out": Role(r"p|y|out(put)?s?|softmax_out(put)?|s|a|b|dist|probs?"),
}

# Numbers that are passed by their names, where a function or its class has them.
SETTINGS = {
    "m": r"m|margin",
    "lam": r"lam|lambda_?|lambd|beta",
    "reg": r"reg|regulari[sz]ation|reg_strength|l2",
    "axis": r"axis|dim",
    "name": r"name",
    "learning rate": r"lr|learning_rate",
}

# What is accepted beside the contract, and said.
EACH = "one loss a sample"
SUM = "a sum over the batch, not a mean"
INSIDE = "1/m inside dW and db"


# ------------------------------------------------------------------------------- names


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


def looks_like_one(name):
    """Return whether a name belongs to what is checked, so that it must be said."""
    hints = "softmax|crossentropy|relu|affine|logsumexp"
    return bool(
        re.search(hints, re.sub("[^a-z]", "", name.lower())) or recognised(name)
    )


# --------------------------------------------------------------------- how arrays lie


def laid_out(array, view):
    """Return an array of the contract as a view wants it: a sample in each column."""
    if view == ROWS or np.ndim(array) == 0:
        return array
    return array[0] if view == ONE_ROW else array.T.copy()


def back(array, view):
    """Return an array of theirs as the contract has it."""
    if view == COLUMNS:
        return array.T
    return array[None] if view == ONE_ROW else array


def words_of(roles, view):
    """Return what is said of what they are given: `logits (N, C), labels one-hot`."""
    words = ", ".join(ROLES[role].words for role in roles if ROLES[role].words)
    if view == ROWS:
        return words
    shape = r"(\2, \1)" if view == COLUMNS else r"(\2,), a row at a time"
    return re.sub(r"\((\w), (\w)\)", shape, words)
