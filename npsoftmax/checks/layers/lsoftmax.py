"""L-Softmax, logits with a margin, and its gradients: all that the checks know of it.

    z_j = W_j . x for j != y,      z_y = |W_y| |x| g                               (6)
    g = (lam cos(theta_y) + psi(theta_y)) / (1 + lam)

The equations have the numbers of npsoftmax.textbook.
"""

import itertools
import math

import numpy as np

from npsoftmax.checks.agree import agree
from npsoftmax.checks.contract import REFERENCE, STUDENT, Function
from npsoftmax.checks.draws import (
    GRID,
    NONZERO,
    SMALL,
    C,
    D,
    N,
    cosine,
    one_of,
    repeated_labels,
    sine,
)
from npsoftmax.checks.generic import backward_of, has_default, right_value, value_rows
from npsoftmax.checks.layers.psi import (
    MARGINS,
    degrees_anywhere,
    degrees_inside,
    psi_of,
    psi_of_degrees,
    slope_by_cos,
    terms,
)
from npsoftmax.checks.paper import g, products
from npsoftmax.piece import piece_at

# --------------------------------------------------------------------- what is right


def lsoftmax(x, W, y, m, lam):
    x_norm, W_norm, cos = norms_and_cosines(x, W)
    g = (lam * cos + psi_of(np.arccos(cos), m)) / (1 + lam)  # (N, C) (6)
    label = y[:, None] == np.arange(W.shape[1])  # (N, C)
    z = np.where(label, W_norm * (x_norm * g), x @ W)  # (N, C) (6), (10)
    slack = np.where(label, m * m + terms(m), 1) * len(W)
    return ((z, W_norm * x_norm * slack),)


def norms_and_cosines(x, W):
    """Return |x| (N, 1), |W_c| (1, C) and cos of the angles (N, C) (4), 0 for none.

    All are scaled first, so that no square can overflow.
    """
    x_size, W_size = (
        abs(x).max(axis=1, keepdims=True),
        abs(W).max(axis=0, keepdims=True),
    )
    x, W = x / np.where(x_size > 0, x_size, 1), W / np.where(W_size > 0, W_size, 1)
    x_norm = np.linalg.norm(x, axis=1, keepdims=True)
    W_norm = np.linalg.norm(W, axis=0, keepdims=True)
    norms = x_norm * W_norm
    cos = np.clip(x @ W / np.where(norms > 0, norms, 1), -1, 1)
    return x_size * x_norm, W_size * W_norm, cos


def slacks(x, W, y, m, lam, dz):
    """Where x = 0 or W_y = 0 there is no angle: a student's gradient need be finite."""
    x_norm, W_norm, _ = norms_and_cosines(x, W)
    size = (sum(W.shape) + len(x)) * (m * m + m * terms(m))
    for_dx = np.abs(dz) @ W_norm.T * size  # (N, 1)
    for_dW = x_norm.T @ np.abs(dz) * size  # (1, C)
    no_angle = (x_norm[:, 0] == 0) | (W_norm[0, y] == 0)  # (N,)
    for_dx[no_angle], for_dW[:, y[no_angle]] = np.inf, np.inf
    return for_dx, for_dW


# --------------------------------------------------------------------- what is drawn

MIXES = (0.0, 1.0, 0.5, 4.0)  # lam
NORMS = (1.0, 2.0, 3.0, 0.5)
LONG = (4.0, 7.0)  # divided by its norm, it is longer than 1: its square is 1 + 2e-16
SIZES = tuple(itertools.product((1, 1e-100, 1e100), repeat=2))  # of x and of W
HUGE_SIZES = ((1e-300, 1), (1e300, 1), (1e-300, 1e300), (1e150, 1e150))
HUGE_SIZES += tuple((b, a) for a, b in HUGE_SIZES)


def features(draw, degrees=degrees_anywhere):
    """x (N, D), W (D, C), y, m, lam: x has a drawn angle to the weights of its class.

    All lie in the plane of the first two coordinates; `features_in_space` has the rest.
    """
    m, lam = draw.choice(MARGINS), draw.choice(MIXES)
    rows, size, classes = draw.size(3), draw.choice((2, 2, 3)), draw.size(3)
    y = draw.labels(rows, classes)
    directions = draw.array(range(0, 360, GRID), classes)
    W = _in_the_plane(directions, draw.array(NORMS, classes), size).T
    theta = np.array(degrees(draw, m, rows)) * draw.choice((1, -1))
    x = _in_the_plane(directions[y] + theta, draw.array(NORMS, rows), size)
    return {"x": x, "W": np.ascontiguousarray(W), "y": y, "m": m, "lam": lam}


def _in_the_plane(degrees, norms, size):
    vectors = np.zeros((len(norms), size))
    vectors[:, 0] = norms * cosine(degrees)
    vectors[:, 1] = norms * sine(degrees)
    return vectors


def features_inside(draw):
    """Where finite differences can be trusted: no angle near a knot or an end."""
    return features(draw, degrees_inside)


def features_in_space(draw):
    """The same of small integers, no vector of them zero."""
    rows, size, classes = draw.size(3), draw.size(4), draw.size(4)
    x, W = draw.array(SMALL, rows, size), draw.array(SMALL, size, classes)
    x[:, -1] = np.where(x.any(axis=1), x[:, -1], 1)
    W[-1] = np.where(W.any(axis=0), W[-1], 1)
    y, m, lam = draw.labels(rows, classes), draw.choice(MARGINS), draw.choice(MIXES)
    return {"x": x, "W": W, "y": y, "m": m, "lam": lam}


def parallel_features(draw):
    """The same with x = s W_y, s one of 1, -1, 2, ...: theta is 0 or 180 degrees."""
    given = features_in_space(draw)
    W, y = given["W"], given["y"]
    if len(W) > 1 and draw.choice((False, True)):
        W[:, y[0]] = np.pad(LONG, (0, len(W) - 2))
    return given | {"x": draw.array(NONZERO, len(y), 1) * W.T[y], "W": W}


def features_of_any_norm(draw, sizes=SIZES):
    """The same with tiny and huge norms, and with zero vectors."""
    given = features(draw)
    x_size, W_size = draw.choice(sizes)
    x_mask = draw.array((1, 1, 1, 0), len(given["x"]), 1)
    W_mask = draw.array((1, 1, 1, 1, 1, 0), given["W"].shape[1])
    x, W = given["x"] * x_size * x_mask, given["W"] * W_size * W_mask
    return given | {"x": x, "W": W}


def huge_norms(draw):
    return features_of_any_norm(draw, HUGE_SIZES)


ordinary_features = one_of(features, features_in_space)
any_features = one_of(features, features_in_space, parallel_features)


def further(rng, i):
    """Seven rows whose angles to their weights go through all the pieces."""
    m, lam = ((3, 2.5), (4, 0.7), (2, 0.0), (5, 2.5))[i]
    W, y = rng.normal(size=(D + 2 * (i > 1), C)), repeated_labels(rng)
    w_hat = W.T[y] / np.linalg.norm(W.T[y], axis=1, keepdims=True)
    across = rng.normal(size=(N, len(W)))
    across -= (across * w_hat).sum(axis=1, keepdims=True) * w_hat
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    steps = np.arange(N) + rng.uniform(0.2, 0.8, N)
    theta = rng.permutation(steps)[:, None] * np.pi / N
    x = rng.uniform(0.5, 3, (N, 1)) * (np.cos(theta) * w_hat + np.sin(theta) * across)
    return {"x": x, "W": W, "y": y, "m": m, "lam": lam}


def parallel_and_zero(rng, i):
    given = further(rng, i)
    x, W, y = given["x"], given["W"], given["y"]
    if i < 3:
        x[:] = rng.choice([-2.0, -1, 1, 3], size=(N, 1)) * W.T[y]
    else:
        x[0], W[:, y[1]] = 0, 0
    return given


# --------------------------------------------------------------------- what is asked


def plain_for_m_1(f, x, W, y, m, lam):
    agree("z", f(x=x, W=W, y=y, m=1, lam=lam), x @ W, _size_of_products(x, W))


def only_the_label(f, x, W, y, m, lam):
    z, plain, rows = f(x=x, W=W, y=y, m=m, lam=lam), x @ W, np.arange(len(y))
    plain[rows, y] = z[rows, y]
    what = "the margin changes columns that are not the label's"
    agree("z", z, plain, _size_of_products(x, W), what)


def _size_of_products(x, W):
    return np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(W, axis=0) * 8


def euler_for_x(f, x, dz, **others):
    """f is homogeneous of degree 1 in x, so that x . df/dx = f, row by row."""
    dx, _ = f(x=x, dz=dz, **others)
    _is_z_dz("x . dx", (x * dx).sum(axis=1), 1, f, dz, x=x, **others)


def euler_for_W(f, W, dz, **others):
    """f_c is homogeneous of degree 1 in W_c, so that W_c . df/dW_c = f_c."""
    _, dW = f(W=W, dz=dz, **others)
    _is_z_dz("W . dW", (W * dW).sum(axis=0), 0, f, dz, W=W, **others)


def _is_z_dz(name, yours, axis, f, dz, **given):
    z_dz = f.of("lsoftmax_forward")(**given) * dz
    m, size = given["m"], _size_of_products(given["x"], given["W"]).max()
    slack = dz.size * np.abs(dz).max() * size * (m * m + m * terms(m))
    what = f"{name} differs from the sum of z dz (Euler)"
    agree(name, yours, z_dz.sum(axis), slack, what)


# -------------------------------------------------------------------------- on paper


def degrees_between(x, w):
    """Return |x|, |w| and the angle between them in degrees, or None for no angle."""
    x_norm, w_norm, cos = (v.item() for v in norms_and_cosines(x[None], w[:, None]))
    degrees = round(math.degrees(math.acos(cos)), 5) if x_norm and w_norm else None
    return x_norm, w_norm, degrees


def forward_on_paper(where, index, x, W, y, m, lam):
    i, j = index
    x, w = x[i], W[:, j]
    if y[i] != j:
        words, start = products(x, w), f"not the label's column: {where} = W_j . x"
        return words and f"{start} = {words} = {g(x @ w)}"
    x_norm, w_norm, degrees = degrees_between(x, w)
    if degrees is None:
        return f"{where} = 0: a vector of zeros has no angle"
    words, g_y = _g_on_paper(degrees, m, lam)
    sizes, value = f"{g(w_norm)} * {g(x_norm)}", x_norm * w_norm * g_y
    return f"{words}; {where} = |W_y| |x| g = {sizes} * {g(g_y)} = {g(value)}"


def _g_on_paper(degrees, m, lam):
    """Return how g (6) comes about, and g."""
    k = piece_at(degrees, m).k
    cos, psi = cosine(degrees), psi_of_degrees(degrees, m)
    g_y = (lam * cos + psi) / (1 + lam)
    if not lam:
        return f"k = {k}: g = psi({g(degrees)} degrees) = {g(psi)}", g_y
    mix = f"({g(lam)}*{g(cos)} + ({g(psi)})) / {g(1 + lam)}"
    return f"k = {k}: g = {mix} = {g(g_y)}", g_y


def backward_on_paper(where, index, x, W, y, m, lam, dz):
    """Only for one row, and one class, is this short enough for a line."""
    if x.shape[0] != 1 or W.shape[1] != 1:
        return None
    x_norm, w_norm, degrees = degrees_between(x[0], W[:, 0])
    if degrees is None or not sine(degrees):
        return None
    _, g_y = _g_on_paper(degrees, m, lam)
    g_prime = (lam + slope_by_cos(degrees, m)) / (1 + lam)
    rule = {
        "dx": f"dx = dz |W_y| (g xh + g' (wh - c xh)) with |W_y| = {g(w_norm)}",
        "dW": f"dW = dz |x| (g wh + g' (xh - c wh)) with |x| = {g(x_norm)}",
    }[where[:2]]
    return f"{rule}, g = {g(g_y)}, g' = {g(g_prime)}, c = {g(cosine(degrees))}"


def about(inputs):
    """Return the angle and the norms of each row, and how many rows are left out."""
    x, W, y = inputs["x"], inputs["W"], inputs["y"]
    lines = []
    for i, y_i in enumerate(y[:3]):
        x_norm, w_norm, degrees = degrees_between(x[i], W[:, y_i])
        angle = "no angle" if degrees is None else f"theta = {g(degrees)} degrees"
        row = f"row {i}: " if len(y) > 1 else ""
        lines.append(f"{row}{angle}, |x| = {g(x_norm)}, |W_y| = {g(w_norm)}")
    return [*lines, f"and {len(y) - 3} more rows"] if len(y) > 3 else lines


def keeps(inputs, smaller):
    """Return whether no vector has become zero, nor has the plane of an angle gone."""
    if smaller["x"].shape[1] == inputs["x"].shape[1]:
        return True
    rows = np.array_equal(inputs["x"].any(axis=1), smaller["x"].any(axis=1))
    columns = np.array_equal(inputs["W"].any(axis=0), smaller["W"].any(axis=0))
    return smaller["x"].shape[1] > 1 and rows and columns


# ----------------------------------------------------------------------- the records

EXTREMES = (
    ("for parallel vectors", parallel_features),
    ("for any norm and for zero vectors", features_of_any_norm),
)
HUGE = "is right for norms from 1e-300 to 1e300"
RIGHT_FOR_ANY = "gives the right gradient for any norm"

LSOFTMAX_FORWARD = Function(
    "lsoftmax_forward(x, W, y, m, lam=0.0)",
    gives=("z", "cache"),
    right=lsoftmax,
    rows=(
        *value_rows(ordinary_features, EXTREMES),
        ("value", "has lam = 0 by default", has_default(lam=0.0), ordinary_features),
        ("stability", HUGE, right_value, huge_norms, REFERENCE),
        ("invariants", "is the plain product for m = 1", plain_for_m_1, any_features),
        ("invariants", "changes the label's column only", only_the_label, any_features),
    ),
    ordinary=further,
    dangerous=parallel_and_zero,
    shapes={"x": "ND", "W": "DC", "y": "N", "z": "NC"},
    paper=forward_on_paper,
    about=about,
    keeps=keeps,
    stub="""Return the logits with the margin m in the label's column, and a cache.

    x (N, D) features, W (D, C) weights, y (N,) labels, m the margin, lam >= 0 how much
    of the plain cosine is mixed in -> z (N, C), cache.

    (4)  W_c . x = |W_c| |x| cos(theta_c)
    (6)  z_j = W_j . x for j != y;   z_y = f_y = |W_y| |x| g,
         g = (lam cos(theta_y) + psi(theta_y)) / (1 + lam)
    (10) x = 0 or W_y = 0: there is no angle, and z_y = 0
    """,
    hint="""Start from z = x @ W: only one entry of each row changes, z[i, y_i]. For
        that one: norms of x_i and of W's column y_i, the cosine between them, then psi,
        then g.

        W_y = W[:, y].T is (N, D). x_norm = np.linalg.norm(x, axis=1); divide x and W_y
        by their norms first (by 1 where a norm is 0) and multiply after: the product of
        two tiny norms is 0. z[np.arange(N), y] = w_norm * x_norm * g. Prediction needs
        none of this: argmax(x @ W).""",
)

LSOFTMAX_BACKWARD = backward_of(
    LSOFTMAX_FORWARD,
    "lsoftmax_backward(dz, cache)",
    gives=("dx", "dW"),
    slack=slacks,
    inside=features_inside,
    anywhere=any_features,
    extremes=EXTREMES,
    rows=(
        ("invariants", "has x dx equal to z dz", euler_for_x, features_inside),
        ("invariants", "has W dW equal to z dz", euler_for_W, features_inside),
        ("gradient", RIGHT_FOR_ANY, right_value, features_of_any_norm, STUDENT),
    ),
    paper=backward_on_paper,
    stub="""Return the gradients by x and W.

    dz (N, C), the cache of lsoftmax_forward -> dx (N, D), dW (D, C).

    (9)  with xh = x/|x|, wh = W_y/|W_y|, c = xh . wh, g' = (lam + dpsi/dcos)/(1 + lam):
         df_y/dx   = |W_y| (g xh + g' (wh - c xh))
         df_y/dW_y = |x|   (g wh + g' (xh - c wh))
    (10) x = 0 or W_y = 0: df_y/dx = W_y and df_y/dW_y = x
    """,
    hint="""Two kinds of logits: the other classes are linear, so dx has dz_ij W_j and
        dW has dz_ij x_i. Only the label's entry takes (9): a radial part along xh, with
        g, and a tangential part at right angles to it, with g'.

        others = dz.copy(); others[rows, y] = 0. Then dx = others @ W.T + dz_y df_dx and
        dW = x.T @ others, to which each row adds dz_y df_dw in its own label's column:
        np.add.at(dW.T, y, ...), since dW[:, y] += ... keeps only one row of a label
        that comes twice. With x = 0 or W_y = 0 set g' = 1.""",
)
