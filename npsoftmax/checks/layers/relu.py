"""ReLU, a = max(h, 0), and its slope: all that the checks know of it."""

import numpy as np

from npsoftmax.checks.agree import agree
from npsoftmax.checks.contract import Function
from npsoftmax.checks.draws import NONZERO, D, N
from npsoftmax.checks.generic import backward_of, value_rows
from npsoftmax.checks.paper import g

# --------------------------------------------------------------------- what is right


def relu(h):
    return ((np.maximum(h, 0), np.abs(h)),)


def slack(h, da):
    return (np.abs(da),)


# --------------------------------------------------------------------- what is drawn

UP_TO_10 = tuple(sorted(range(-10, 11), key=abs))


def activations(draw, options=UP_TO_10):
    """h (N, H)."""
    return {"h": draw.array(options, draw.size(4), draw.size(4))}


def off_the_kink(draw):
    """h (N, H) without 0, where a slope is a choice."""
    return activations(draw, NONZERO)


def further(rng, i):
    return {"h": rng.normal(size=(N, D)) * 5}


# --------------------------------------------------------------------- what is asked


def nothing_changes_twice(f, h):
    agree("a", f(h=f(h=h)), f(h=h), 0)


# -------------------------------------------------------------------------- on paper


def forward_on_paper(where, index, h):
    return f"{where} = max({g(h[index])}, 0) = {g(max(h[index], 0))}"


def backward_on_paper(where, index, h, da):
    if h[index] > 0:
        return f"h = {g(h[index])} > 0, so {where} = da = {g(da[index])}"
    return f"h = {g(h[index])} <= 0, so {where} = 0"


# ----------------------------------------------------------------------- the records

TWICE = "changes nothing when done twice"

RELU_FORWARD = Function(
    "relu_forward(h)",
    gives=("a", "cache"),
    right=relu,
    rows=(
        *value_rows(activations),
        ("invariants", TWICE, nothing_changes_twice, activations),
    ),
    ordinary=further,
    shapes={"h": "NH", "a": "NH"},
    paper=forward_on_paper,
    stub="""Return a = max(h, 0), and a cache.

    h: any shape -> a, of the same shape; cache.
    """,
    hint="""An entry above 0 stays, any other becomes 0. The backward must know which
        entries stayed: remember that, not the values.

        active = h > 0; return np.maximum(h, 0), (active,). Not h[h < 0] = 0: that
        changes the array of whoever called.""",
)

RELU_BACKWARD = backward_of(
    RELU_FORWARD,
    "relu_backward(da, cache)",
    gives=("dh",),
    slack=slack,
    inside=off_the_kink,
    paper=backward_on_paper,
    stub="""Return dh, the gradient by h.

    da: h's shape, the cache of relu_forward -> dh, of the same shape.
    """,
    hint="""Where h was above 0, a moves as h does; elsewhere a does not move at all.
        The question is about h, not about da.

        dh = da * active, with the mask that the forward remembered. At h = 0 either
        side's slope is accepted.""",
)
