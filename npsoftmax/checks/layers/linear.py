"""The linear layer, z = x W + b, and its gradients: all that the checks know of it."""

import numpy as np

from npsoftmax.checks.agree import agree
from npsoftmax.checks.contract import Function
from npsoftmax.checks.draws import SMALL, C, D, N
from npsoftmax.checks.generic import backward_of, has_default, value_rows
from npsoftmax.checks.paper import g, products, sum_of

# --------------------------------------------------------------------- what is right


def linear(x, W, b):
    b = np.zeros(W.shape[1]) if b is None else b
    return ((x @ W + b, np.abs(x) @ np.abs(W) * W.shape[0] + np.abs(b)),)


def slacks(x, W, b, dz):
    x, W, dz = np.abs(x), np.abs(W), np.abs(dz) * sum(dz.shape)
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)


# --------------------------------------------------------------------- what is drawn


def linear_inputs(draw):
    """x (N, D), W (D, C), and b (C,) or None."""
    rows, features, classes = (draw.size(4) for _ in range(3))
    x, W = draw.numbers(rows, features), draw.numbers(features, classes)
    b = draw.array(SMALL, classes) if draw.choice((False, True)) else None
    return {"x": x, "W": W, "b": b}


def further(rng, i):
    b = rng.normal(size=C) if i != 3 else None
    return {"x": rng.normal(size=(N, D)), "W": rng.normal(size=(D, C)), "b": b}


# --------------------------------------------------------------------- what is asked


def bias_where_x_is_zero(f, x, W, b):
    bias = np.zeros(W.shape[1]) if b is None else b
    agree("z", f(x=0 * x, W=W, b=b), np.broadcast_to(bias, (len(x), W.shape[1])))


# -------------------------------------------------------------------------- on paper


def forward_on_paper(where, index, x, W, b):
    i, j = index
    bias = 0.0 if b is None else b[j]
    plus = "" if b is None else f" + {g(bias)}".replace("+ -", "- ")
    words = products(x[i], W[:, j])
    return words and f"{where} = {words}{plus} = {g(x[i] @ W[:, j] + bias)}"


def backward_on_paper(where, index, x, W, dz, b=None):
    i, j = index[0], index[-1]
    match where[:2]:
        case "db":
            rule, a, b = "sum of dz over the rows", dz[:, i], np.ones(len(dz))
        case "dx":
            rule, a, b = "sum_j dz_ij W_dj", dz[i], W[j]
        case _:
            rule, a, b = "sum_i x_id dz_ij", x[:, i], dz[:, j]
    words = sum_of(map(g, a)) if where[:2] == "db" else products(a, b)
    return words and f"{where} = {rule} = {words} = {g(a @ b)}"


# ----------------------------------------------------------------------- the records

BIAS = "is the bias where x is zero"

LINEAR_FORWARD = Function(
    "linear_forward(x, W, b=None)",
    gives=("z", "cache"),
    right=linear,
    rows=(
        *value_rows(linear_inputs),
        ("value", "has no b by default", has_default(b=None), linear_inputs),
        ("invariants", BIAS, bias_where_x_is_zero, linear_inputs),
    ),
    ordinary=further,
    shapes={"x": "ND", "W": "DC", "b": "C", "z": "NC"},
    paper=forward_on_paper,
    stub="""Return z = x W + b, and a cache.

    x (N, D), W (D, C), b (C,) or None for no bias -> z (N, C), cache.
    """,
    hint="""One matrix product. Which axis of z does b belong to, rows or columns? And b
        may be missing.

        z = x @ W; if b is not None: z = z + b (NumPy lays b along each row). Not z += b
        where z may be somebody else's array, and not `if b:`, which an array cannot
        answer. Keep x, W and whether there was a b.""",
)

LINEAR_BACKWARD = backward_of(
    LINEAR_FORWARD,
    "linear_backward(dz, cache)",
    gives=("dx", "dW", "db"),
    slack=slacks,
    inside=linear_inputs,
    paper=backward_on_paper,
    stub="""Return the gradients by x, W and b.

    dz (N, C), the cache of linear_forward -> dx (N, D), dW (D, C), db (C,); db is None
    where b was None.
    """,
    hint="""z_ic = sum_d x_id W_dc + b_c. Ask for each of x_id, W_dc, b_c: which entries
        of z does it move, and by how much? Shapes help: dx is (N, D), made of dz (N, C)
        and W (D, C).

        dx = dz @ W.T, dW = x.T @ dz, db = dz.sum(axis=0): every row of the batch has
        used the same b. No mean here: the 1/N is already in dz. db is None where b was
        None.""",
)
