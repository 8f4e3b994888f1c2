"""Softmax, its logarithm and log sum exp, alone and in pairs: what the checks know.

Values are (1) as it stands, so that npsoftmax itself can be compared with them.
Gradients are those of npsoftmax, whose own are compared with the complex step.
"""

import numpy as np

from npsoftmax.checks.agree import agree
from npsoftmax.checks.contract import STUDENT, Function
from npsoftmax.checks.draws import C, N
from npsoftmax.checks.generic import backward_of, has_default, right_value, value_rows
from npsoftmax.checks.paper import counted, g, sum_of

# --------------------------------------------------------------------- what is right


def slack_of(z, axis=-1):
    """Return C + max |z|: exp turns an absolute error of z into a relative one of p."""
    return z.shape[axis] + np.abs(z).max(axis=axis, keepdims=True)


def logsumexp(z, axis=-1):
    top = z.max(axis=axis, keepdims=True)
    lse = top + np.log(np.exp(z - top).sum(axis=axis, keepdims=True))  # (1)
    return ((lse.squeeze(axis), slack_of(z, axis).squeeze(axis)),)


def softmax(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    p = e / e.sum(axis=axis, keepdims=True)  # (1)
    return ((p, p * slack_of(z, axis)),)


def log_softmax(z, axis=-1):
    d = z - z.max(axis=axis, keepdims=True)
    log_p = d - np.log(np.exp(d).sum(axis=axis, keepdims=True))  # (1)
    return ((log_p, slack_of(z, axis)),)


def softmax_of(z):
    [(p, _)] = softmax(z)
    return p


def log_softmax_of(z):
    [(log_p, _)] = log_softmax(z)
    return log_p


def softmax_slack(z, dp):
    return (softmax_of(z) * np.abs(dp).max(axis=1, keepdims=True) * slack_of(z),)


def log_softmax_slack(z, dlog_p):
    return (np.abs(dlog_p).sum(axis=1, keepdims=True) * slack_of(z),)


# --------------------------------------------------------------------- what is drawn


def logits(draw):
    """z (N, C): small integers, or anything from -3 to 3."""
    return {"z": draw.numbers(draw.size(4), draw.size(5))}


def any_axis(draw):
    """z of one to three dimensions, and the axis along which the classes lie."""
    z = draw.numbers(*(draw.size(4) for _ in range(draw.size(3))))
    return {"z": z, "axis": draw.choice((0, -1, 1, 2)[: z.ndim + 1])}


def logits_in_three_dimensions():
    """Return inputs of three axes that no draw may miss: each axis, and a lone row."""
    small = np.arange(24) * 7 % 24 / 4 - 3  # 24 numbers, all different
    cube = [{"z": small.reshape(2, 3, 4), "axis": axis} for axis in (0, 1, -1)]
    return ({"z": small[:6].reshape(2, 1, 3), "axis": -1}, *cube)


def wide_logits(draw):
    """z (N, C) up to 10,000: each row has an offset and a scale of its own."""
    rows, classes = draw.size(3), draw.size(4)
    offsets = draw.array((0, 1000, -1000, 5000, -5000), rows, 1)
    scales = draw.array((1, 40, 500, 2500), rows, 1)
    return {"z": offsets + scales * draw.array((0, 1, -1, 2, -2), rows, classes)}


any_axis.always = logits_in_three_dimensions()


def shifted(draw):
    return any_axis(draw) | {"shift": draw.choice((1.0, -2.0, 10.0, -100.0))}


def wide_last_axis(draw):
    return wide_logits(draw) | {"axis": -1}


def further(rng, i):
    return {"z": rng.normal(size=(N, C)) * (1 + i)}


def further_wide(rng, i):
    """Rows with offsets of their own; confident rows; logits far below the others."""
    z = rng.normal(size=(N, C))
    if i == 0:
        return {"z": 3 * z + 1000.0 * rng.permutation(np.arange(N) - N // 2)[:, None]}
    if i == 1:
        return {"z": 40 * z}
    two_a_row = rng.permuted(np.tile(np.arange(C), (N, 1)), axis=1) < 2
    return {"z": z - 4000 * two_a_row}


def along_an_axis(of):
    return lambda rng, i: of(rng, i) | {"axis": (-1, 0, 1, -1)[i]}


# --------------------------------------------------------------------- what is asked

UP_TO_10000 = "for logits up to 10000"


def whole_logits(f, **inputs):
    """The logits were whole numbers of NumPy's own integer type."""
    right_value(f, **inputs | {"z": np.rint(inputs["z"]).astype(np.int64)})


def same_row_by_row(f, **inputs):
    together = f(**inputs)
    for i in range(len(together)):
        row = {name: value[i : i + 1] for name, value in inputs.items()}
        what = f"row {i} depends on the other rows"
        slack = slack_of(row["z"]).max()
        agree(f"row {i} alone", f(**row)[0], together[i], slack, what)


def logit_rows(draws, wide):
    """Return the rows of a function of logits that must bear wide ones."""
    whole = ("value", "takes whole numbers", whole_logits, draws)
    return (*value_rows(draws, ((UP_TO_10000, wide),)), whole)


def for_logits(inside, wide):
    """Return what is drawn for a backward that must bear wide logits, and its rows."""
    right = f"gives the right gradient {UP_TO_10000}"
    rows = (("gradient", right, right_value, wide, STUDENT),)
    return {"inside": inside, "extremes": ((UP_TO_10000, wide),), "rows": rows}


def sums_to_one(f, z, axis):
    sum_is_one(f(z=z, axis=axis), z, axis, "the probabilities do not sum to 1")


def exponentials_sum_to_one(f, z, axis):
    sum_is_one(np.exp(f(z=z, axis=axis)), z, axis, "the exp(log_p) do not sum to 1")


def sum_is_one(p, z, axis, what):
    agree("sum of p", p.sum(axis), 1.0, z.shape[axis] + np.ptp(z), what)


def ignores_a_shift(f, z, axis, shift, moves_by=0.0):
    right = f(z=z, axis=axis) + moves_by
    name = f"{f.function.gives[0]}(z + {shift:g})"
    slack = slack_of(z, axis).max() + abs(shift)
    agree(name, f(z=z + shift, axis=axis), right, slack)


def moves_with_a_shift(f, z, axis, shift):
    ignores_a_shift(f, z, axis, shift, moves_by=shift)


def is_near_max(f, z, axis):
    above = f(z=z, axis=axis) - z.max(axis)
    within = np.clip(above, 0, np.log(z.shape[axis]))
    what = "lse is not within log(C) of the max"
    agree("lse - max z", above, within, slack_of(z, axis).max(), what)


# -------------------------------------------------------------------------- on paper


def of_a_row(words):
    """Return the function that has an entry on paper; words(z, j, shift, total) says
    what entry j is by its row z, the sum of whose exponentials is `total`, with
    `shift` taken off every logit.
    """

    def on_paper(where, index, z, axis=-1):
        rows, others, j = np.moveaxis(z, axis, -1), list(index), None
        if len(others) == z.ndim:
            j = others.pop(axis)
        row = rows[tuple(others)]
        shift = float(row.max()) if np.abs(row).max() > 20 else 0.0
        total = sum_of(f"e^{g(v - shift)}" for v in row)
        less = f", with {g(shift)} taken off every logit" if shift else ""
        return total and f"{where} = {words(row, j, shift, total)}{less}"

    return on_paper


@of_a_row
def softmax_on_paper(z, j, shift, total):
    over = f"({total})" if z.size > 1 else total
    return f"e^{g(z[j] - shift)} / {over} = {g(softmax_of(z)[j])}"


@of_a_row
def log_softmax_on_paper(z, j, shift, total):
    return f"{g(z[j] - shift)} - log({total}) = {g(log_softmax_of(z)[j])}"


@of_a_row
def logsumexp_on_paper(z, j, shift, total):
    before = f"{g(shift)} + " if shift else ""
    return f"{before}log({total}) = {g(logsumexp(z)[0][0])}"


def softmax_backward_on_paper(where, index, z, dp):
    i, j = index
    p, dp = softmax_of(z[i]), dp[i]
    inside = f"{g(dp[j])} - {g(p @ dp)}".replace("- -", "+ ")
    words = f"p (dp - sum of p dp) = {g(p[j])} ({inside})"
    return f"{where} = {words} = {g(p[j] * (dp[j] - p @ dp))}"


def log_softmax_backward_on_paper(where, index, z, dlog_p):
    i, j = index
    p, given, total = softmax_of(z[i])[j], dlog_p[i, j], dlog_p[i].sum()
    words = f"{g(given)} - {g(p)} * {g(total)} = {g(given - p * total)}"
    return f"{where} = dlog_p - p (sum of dlog_p) = {words}"


def sizes(inputs):
    rows, classes = inputs["z"].shape
    return (f"{counted(rows, 'sample')}, {counted(classes, 'class')}",)


# ----------------------------------------------------------------------- the records


def of_any_axis(*rows):
    """Return what the functions of an axis share, and their rows."""
    default = ("value", "has the axis -1 by default", has_default(axis=-1), any_axis)
    return {
        "rows": (*logit_rows(any_axis, wide_last_axis), default, *rows),
        "ordinary": along_an_axis(further),
        "dangerous": along_an_axis(further_wide),
        "shapes": {"z": "NCK"},
    }


FOR_ROWS = {
    "rows": (
        *logit_rows(logits, wide_logits),
        ("invariants", "treats every row by itself", same_row_by_row, logits),
    ),
    "ordinary": further,
    "dangerous": further_wide,
    "shapes": {"z": "NC", "p": "NC", "log_p": "NC"},
    "about": sizes,
}


LOGSUMEXP = Function(
    "logsumexp(z, axis=-1)",
    gives=("lse",),
    right=logsumexp,
    paper=logsumexp_on_paper,
    stub="""Return the logarithm of the sum of exp(z) along an axis.

    z: any shape -> z's shape without `axis`.

    (1)  logsumexp(z) = log(sum_j exp(z_j)) = max z + log(sum_j exp(z_j - max z))
    """,
    hint="""exp(1000) is too large for a float, and so is the sum. Which number can be
        taken off every logit of a row and put back after the logarithm, so that the
        largest exponential is exactly 1?

        top = the largest logit along the axis, with keepdims=True. Then log(sum exp(z))
        = top + log(sum exp(z - top)). Take the axis of length 1 away at the end:
        np.squeeze(..., axis=axis).""",
    **of_any_axis(
        ("invariants", "moves with a shift of all logits", moves_with_a_shift, shifted),
        ("invariants", "lies between max and max plus log of C", is_near_max, any_axis),
    ),
)

SOFTMAX = Function(
    "softmax(z, axis=-1)",
    gives=("p",),
    right=softmax,
    paper=softmax_on_paper,
    stub="""Return the probabilities p along an axis.

    z: any shape -> the same shape; along `axis`, p sums to 1.

    (1)  p_j = exp(z_j) / sum_l exp(z_l)
    """,
    hint="""softmax(z) = softmax(z - any number), row by row: the number cancels in the
        fraction. Which number makes every exponent 0 or negative?

        e = np.exp(z - top) with top = z.max(axis=axis, keepdims=True), the largest of
        each row and not of the whole batch; then divide e by its sum along the same
        axis, with keepdims=True again.""",
    **of_any_axis(
        ("invariants", "sums to one", sums_to_one, any_axis),
        ("invariants", "ignores a shift of all logits", ignores_a_shift, shifted),
    ),
)

SUM = "has exponentials that sum to one"

LOG_SOFTMAX = Function(
    "log_softmax(z, axis=-1)",
    gives=("log_p",),
    right=log_softmax,
    paper=log_softmax_on_paper,
    stub="""Return the logarithms of the probabilities along an axis.

    z: any shape -> the same shape.

    (1)  log p_j = z_j - logsumexp(z)
    """,
    hint="""Do not take the logarithm of softmax: for [1000, 0] the second probability
        rounds to 0, and log(0) is -inf. Take the logarithm on paper first: what is
        log(e_j / sum e)?

        d = z - top along the axis; log p = d - log(sum exp(d)). An eps inside the
        logarithm is not needed: the sum is never below 1. For [1000, 0] this gives [0,
        -1000].""",
    **of_any_axis(
        ("invariants", SUM, exponentials_sum_to_one, any_axis),
        ("invariants", "ignores a shift of all logits", ignores_a_shift, shifted),
    ),
)

SOFTMAX_FORWARD = Function(
    "softmax_forward(z)",
    gives=("p", "cache"),
    right=softmax,
    paper=softmax_on_paper,
    stub="""Return the probabilities p of each row, and a cache.

    z (N, C) -> p (N, C), cache.
    """,
    hint="""This is softmax along the last axis, and something to remember. What does
        the Jacobian p_l (1 - p_j), -p_l p_j need?

        p = softmax(z); return p, (p,). The backward needs p and nothing else.""",
    **FOR_ROWS,
)

SOFTMAX_BACKWARD = backward_of(
    SOFTMAX_FORWARD,
    "softmax_backward(dp, cache)",
    gives=("dz",),
    slack=softmax_slack,
    **for_logits(logits, wide_logits),
    paper=softmax_backward_on_paper,
    stub="""Return dz, the gradient by the logits.

    dp (N, C), the cache of softmax_forward -> dz (N, C).

         p_l changes with z_j by p_l (1 - p_j) for l = j, by -p_l p_j for l != j
    """,
    hint="""Every logit moves every probability of its row, so dz_j is a sum over l of
        dp_l times dp_l/dz_j. Write that sum down for one row, once for l = j and once
        for the others: what do all terms share?

        dz_j = p_j (dp_j - sum_l p_l dp_l). The sum runs along a row: axis=1 with
        keepdims=True. Try it on paper: z = [0, 0], dp = [1, 0] gives dz = [1/4, -1/4].
        """,
)

LOG_SOFTMAX_FORWARD = Function(
    "log_softmax_forward(z)",
    gives=("log_p", "cache"),
    right=log_softmax,
    paper=log_softmax_on_paper,
    stub="""Return log p of each row, and a cache.

    z (N, C) -> log_p (N, C), cache.
    """,
    hint="""This is log_softmax along the last axis, and something to remember: the
        backward needs the probabilities, or something they can be had from.

        log_p = log_softmax(z); return log_p, (log_p,). In the backward p is
        np.exp(log_p).""",
    **FOR_ROWS,
)

LOG_SOFTMAX_BACKWARD = backward_of(
    LOG_SOFTMAX_FORWARD,
    "log_softmax_backward(dlog_p, cache)",
    gives=("dz",),
    slack=log_softmax_slack,
    **for_logits(logits, wide_logits),
    paper=log_softmax_backward_on_paper,
    stub="""Return dz, the gradient by the logits.

    dlog_p (N, C), the cache of log_softmax_forward -> dz (N, C).

         log p_l changes with z_j by 1 - p_j for l = j, by -p_j for l != j
    """,
    hint="""log p_l = z_l - logsumexp(z): z_j moves its own log p directly, and all log
        p of its row through logsumexp. The derivative of logsumexp(z) by z_j is p_j.

        dz_j = dlog_p_j - p_j (sum of dlog_p along the row): axis=1 with keepdims=True.
        Try it on paper: z = [0, 0], dlog_p = [1, 0] gives dz = [1/2, -1/2].""",
)
