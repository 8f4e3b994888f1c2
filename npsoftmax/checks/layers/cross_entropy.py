"""Cross-entropy, the mean of -log p of the labels: all that the checks know of it."""

import numpy as np

from npsoftmax.checks.agree import agree
from npsoftmax.checks.contract import Function
from npsoftmax.checks.draws import repeated_labels
from npsoftmax.checks.generic import backward_of
from npsoftmax.checks.layers.softmax import (
    for_logits,
    further,
    further_wide,
    log_softmax_of,
    logit_rows,
    logits,
    sizes,
    slack_of,
    softmax_of,
    wide_logits,
)
from npsoftmax.checks.paper import g, sum_of

# --------------------------------------------------------------------- what is right


def log_p_of(z, y):
    """Return log p of each row's label."""
    return log_softmax_of(z)[np.arange(len(y)), y]


def cross_entropy(z, y):
    return ((-np.mean(log_p_of(z, y)), slack_of(z).max()),)  # (2)


def slack(z, y, dloss):
    return (abs(dloss) / len(y) * slack_of(z),)


# --------------------------------------------------------------------- what is drawn


def labelled(draw, of=logits):
    given = of(draw)
    return given | {"y": draw.labels(*given["z"].shape)}


def wide_labelled(draw):
    return labelled(draw, wide_logits)


def further_labelled(rng, i):
    return further(rng, i) | {"y": repeated_labels(rng)}


def further_wide_labelled(rng, i):
    """Of the labels of logits far below, none has such a logit itself if i = 2."""
    z = further_wide(rng, i)["z"]
    return {"z": z, "y": z.argmax(axis=1) if i == 2 else repeated_labels(rng)}


# --------------------------------------------------------------------- what is asked


def is_never_negative(f, z, y):
    loss = np.asarray(f(z=z, y=y))
    slack = slack_of(z).max()
    agree("loss", loss, np.maximum(loss, 0), slack, "the loss is negative")


def is_log_of_C(f, z, y):
    equal = np.full(z.shape, z[0, 0])
    agree("loss", f(z=equal, y=y), np.log(z.shape[1]), slack_of(equal).max())


def is_a_mean(f, z, y):
    twice = f(z=np.concatenate([z, z]), y=np.concatenate([y, y]))
    name, what = "loss of the batch twice", "the loss is not a mean"
    agree(name, twice, f(z=z, y=y), slack_of(z).max(), what)


# -------------------------------------------------------------------------- on paper


def forward_on_paper(where, index, z, y):
    log_p = log_p_of(z, y)
    total = sum_of(map(g, log_p))
    if total is None or (np.abs(z).max() > 20 and len(y) > 1):
        return None
    symbols = " + ".join(f"log p[{i}, {j}]" for i, j in enumerate(y))
    loss = g(-log_p.mean())
    if len(y) == 1:
        return f"loss = -{symbols} = -({total}) = {loss}"
    return f"loss = -({symbols}) / {len(y)} = -({total}) / {len(y)} = {loss}"


def backward_on_paper(where, index, z, y, dloss):
    i, j = index
    p = softmax_of(z[i])[j]
    rule, numbers, why = "p / N", g(p), "not the label's column"
    if y[i] == j:
        rule, numbers, why = "(p - 1) / N", f"({g(p)} - 1)", "its own label's column"
    if dloss != 1:
        rule, numbers = f"dloss {rule}", f"{g(dloss)} * {numbers}"
    value = g(dloss * (p - (y[i] == j)) / len(y))
    return f"{where} = {rule} = {numbers} / {len(y)} = {value}   ({why})"


# ----------------------------------------------------------------------- the records

EQUAL, TWICE = "is log of C for equal logits", "is the same for the batch twice"

CROSS_ENTROPY_FORWARD = Function(
    "cross_entropy_forward(z, y)",
    gives=("loss", "cache"),
    right=cross_entropy,
    rows=(
        *logit_rows(labelled, wide_labelled),
        ("invariants", "is never negative", is_never_negative, labelled),
        ("invariants", EQUAL, is_log_of_C, labelled),
        ("invariants", TWICE, is_a_mean, labelled),
    ),
    ordinary=further_labelled,
    dangerous=further_wide_labelled,
    shapes={"z": "NC", "y": "N", "loss": ""},
    paper=forward_on_paper,
    about=sizes,
    stub="""Return the mean loss of logits z and labels y, and a cache.

    z (N, C), y (N,) -> loss, one number; cache.

    (2)  loss = -(1/N) sum_i log p_{i, y_i}
    """,
    hint="""Each row has one entry that counts: the log-probability of its own label.
        Pick log p[0, y[0]], log p[1, y[1]], ... and take minus their mean. Start from
        log_softmax, not from log(softmax).

        rows = np.arange(len(y)); log_p[rows, y] picks one entry of each row, while
        log_p[:, y] picks whole columns. Try it on paper: equal logits and C classes
        give loss = log(C).""",
)

CROSS_ENTROPY_BACKWARD = backward_of(
    CROSS_ENTROPY_FORWARD,
    "cross_entropy_backward(dloss, cache)",
    gives=("dz",),
    slack=slack,
    **for_logits(labelled, wide_labelled),
    paper=backward_on_paper,
    stub="""Return dz, the gradient by the logits.

    dloss, one number, the cache of cross_entropy_forward -> dz (N, C).

    (3)  dloss/dz_ij = (p_ij - 1)/N for j = y_i,  p_ij/N for j != y_i
    """,
    hint="""The loss of row i is -z[i, y_i] + logsumexp(z[i]). The first part gives a -1
        in one entry; the second gives p. Mind the 1/N of the mean, and dloss.

        dz = p.copy(); dz[np.arange(N), y] -= 1; return dloss * dz / N. Try it on paper:
        z = [[0, 0]], y = [0] gives dz = [[-1/2, 1/2]], and every row of dz sums to 0.
        """,
)
