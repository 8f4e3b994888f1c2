"""psi, the cosine with a margin m, and its slope: all that the checks know of them.

    psi(theta) = (-1)^k cos(m theta) - 2k     for theta in [k pi/m, (k+1) pi/m]    (5)
    dpsi/dtheta = -m |sin(m theta)|           dpsi/dcos = m |sin(m theta)/sin(theta)|

The equations have the numbers of npsoftmax.textbook.
"""

import math

import numpy as np

from npsoftmax.checks.agree import agree
from npsoftmax.checks.contract import Function
from npsoftmax.checks.draws import GRID, N, cosine, sine
from npsoftmax.checks.generic import backward_of, value_rows
from npsoftmax.checks.paper import g
from npsoftmax.piece import piece_at

# --------------------------------------------------------------------- what is right


def terms(m):
    """Return the size of the terms in the paper's own sum for cos(m theta) (7).

    Sum over n of C(m, 2n) c^(m-2n) (1 - c^2)^n <= (1 + sqrt 2)^m: they cancel to 1. An
    angle m theta is itself off by m pi eps.
    """
    return (1 + math.sqrt(2)) ** m + math.pi * m


def psi_of(theta, m):
    k = np.minimum(np.floor(m * theta / np.pi), m - 1)
    return (-1.0) ** k * np.cos(m * theta) - 2 * k  # (5)


def psi(theta, m):
    return ((psi_of(theta, m), terms(m)),)


def psi_prime(theta, m):
    return ((-m * np.abs(np.sin(m * theta)), m * terms(m)),)  # (8)


def psi_of_cos(cos, m):
    """By the angle; what arccos is off by near 0 and pi, psi is too flat to notice.

    A cosine that rounding has carried past 1 or -1 stands for 1 or -1.
    """
    return ((psi_of(angle_of(cos), m), m * terms(m)),)


def angle_of(cos):
    return np.arccos(np.clip(cos, -1, 1))


def slack(cos, m, dpsi):
    """Near the ends the angle has lost its digits, and sin(m theta)/sin(theta) with it.

    An arccos that is off by eps theta gives a slope off by m^2 eps theta / sin(theta);
    at the ends themselves the limit m^2 is known, and asked to 9 digits.
    """
    sin = np.sqrt(np.maximum((1 - cos) * (1 + cos), 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return (np.abs(dpsi) * m * m * np.where(sin == 0, 2.0**20, terms(m) / sin),)


# --------------------------------------------------------------------- what is drawn

MARGINS = (1, 2, 3, 4, 5, 6)
FURTHER_M = (3, 4, 2, 5)  # of the further inputs, one after the other
PAST_1 = float(np.nextafter(1, 2))  # a cosine as rounding may leave it


def degrees_anywhere(draw, m, size):
    """Draw angles from 0 to 180 degrees: on the grid, on a knot, in each piece of psi.

    The pieces are drawn themselves: angles drawn freely hardly reach the last ones.
    """
    grid = range(0, 181, GRID)
    knots = tuple(180 * k / m for k in range(m + 1))  # the ends among them
    inside = tuple((k + t / 20) * 180 / m for k in range(m) for t in range(1, 20))
    kinds = draw.choices((grid, knots, inside, inside), size)
    return [float(draw.choice(kind)) for kind in kinds]


def degrees_inside(draw, m, size):
    """Draw angles well inside a piece: where finite differences can be trusted."""
    fractions = (0.5, 1 / 3, 2 / 3, 0.2, 0.8)
    return draw.choices([(k + t) * 180 / m for k in range(m) for t in fractions], size)


def angles(draw):
    """theta in radians, of one or two dimensions, and the margin m."""
    m = draw.choice(MARGINS)
    return {"theta": np.deg2rad(_some_of(draw, degrees_anywhere, m)), "m": m}


def cosines(draw, degrees=degrees_anywhere):
    """cos(theta), of one or two dimensions, and the margin m."""
    m = draw.choice(MARGINS)
    return {"cos": cosine(_some_of(draw, degrees, m)), "m": m}


def _some_of(draw, degrees, m):
    shape = [draw.size(4) for _ in range(draw.choice((1, 1, 1, 2)))]
    return np.reshape(degrees(draw, m, math.prod(shape)), shape)


def cosines_inside(draw):
    return cosines(draw, degrees_inside)


def past_the_ends(draw):
    """cos(theta) at 1 and -1 or, as rounding may leave it, an ulp beyond; and m."""
    cos = draw.array((1.0, PAST_1, -1.0, -PAST_1), draw.size(3))
    return {"cos": cos, "m": draw.choice(MARGINS)}


def margin(draw):
    return {"m": draw.choice(MARGINS)}


def margin_and_degrees(draw):
    return margin(draw) | {"degrees": draw.choices(range(181), draw.size(5, least=2))}


def margin_and_knot(draw):
    return margin(draw) | {"k": draw.choice(range(1, 6))}


def further_angles(rng, i):
    steps = np.arange(4 * N) + rng.uniform(0.1, 0.9, 4 * N)
    return {"theta": rng.permutation(steps) * np.pi / (4 * N), "m": FURTHER_M[i]}


def further_cosines(rng, i):
    given = further_angles(rng, i)
    return {"cos": np.cos(given["theta"]), "m": given["m"]}


def the_ends(rng, i):
    return {"theta": np.array([0, np.pi, np.pi / 2]), "m": FURTHER_M[i]}


def cosines_of_the_ends(rng, i):
    return {"cos": np.array([1, PAST_1, 0.5, -PAST_1, -1]), "m": FURTHER_M[i]}


# --------------------------------------------------------------------- what is asked


def one_at_0(f, m):
    agree("psi", _psi_at(f, [0], m), [1.0], m)


def one_minus_2m_at_180(f, m):
    agree("psi", _psi_at(f, [180], m), [1.0 - 2 * m], m * terms(m))


def never_rises(f, m, degrees):
    rise = np.maximum(np.diff(_psi_at(f, sorted(degrees), m)), 0)
    agree("rise of psi", rise, 0 * rise, m * terms(m), "psi rises with the angle")


def no_jump(f, m, k):
    knot = 180 * min(k, m) / m
    below, above = _psi_at(f, [max(knot - 1e-6, 0), min(knot + 1e-6, 180)], m)
    jump = np.array([above - below])
    agree("jump of psi", jump, [0.0], m * terms(m), f"psi jumps at {knot:g} degrees")


def below_the_cosine(f, m, degrees):
    psi = _psi_at(f, degrees, m)
    below = np.minimum(psi, cosine(degrees))
    agree("psi", psi, below, m * terms(m), "psi is above the cosine")


def _psi_at(f, degrees, m):
    if f.function.takes[0] == "theta":
        return f(theta=np.deg2rad(degrees), m=m)
    return f(cos=cosine(degrees), m=m)


def never_positive(f, theta, m):
    slope = f(theta=theta, m=m)
    agree("slope", slope, np.minimum(slope, 0), m * m, "the slope is positive")


def psi_rows(draws, extremes=()):
    """Return the rows of psi, whether it takes the angle or its cosine."""
    return (
        *value_rows(draws, extremes),
        ("invariants", "is 1 at 0 degrees", one_at_0, margin),
        ("invariants", "is 1 minus 2m at 180 degrees", one_minus_2m_at_180, margin),
        ("invariants", "never rises", never_rises, margin_and_degrees),
        ("invariants", "has no jump at its knots", no_jump, margin_and_knot),
        ("invariants", "lies below the cosine", below_the_cosine, margin_and_degrees),
    )


# -------------------------------------------------------------------------- on paper


def psi_of_degrees(degrees, m):
    """Return psi (5), exact where the cosine is."""
    k = piece_at(degrees, m).k
    return (-1) ** k * cosine(m * degrees) - 2 * k


def slope_by_cos(degrees, m):
    """Return dpsi/dcos (8), and its limit where sin(theta) is 0."""
    sin = sine(degrees)
    return m * abs(sine(m * degrees)) / sin if sin else m * m


def forward_on_paper(where, index, m, **given):
    degrees = degrees_of(**given)[index]
    piece = piece_at(degrees, m)
    words = f"{'-' * (piece.k % 2)}cos({g(m * degrees)} degrees) - {2 * piece.k}"
    return _at(degrees, m, f"{piece}; psi = {words} = {g(psi_of_degrees(degrees, m))}")


def prime_on_paper(where, index, theta, m):
    degrees = degrees_of(theta)[index]
    words = f"-m |sin(m theta)| = -{m} |sin({g(m * degrees)} degrees)|"
    return _at(degrees, m, f"{words} = {g(-m * abs(sine(m * degrees)))}")


def backward_on_paper(where, index, cos, m, dpsi):
    degrees, dpsi = degrees_of(cos=cos)[index], dpsi[index]
    slope = slope_by_cos(degrees, m)
    product = f"{g(dpsi)} * {g(slope)} = {g(dpsi * slope)}"
    if not sine(degrees):
        return _at(degrees, m, f"the slope by cos is m^2 = {m * m}; {product}")
    return _at(degrees, m, f"{g(dpsi)} * m |sin(m theta)| / sin(theta) = {product}")


def _at(degrees, m, words):
    return f"{g(degrees)} degrees, m = {m}: {words}"


def degrees_of(theta=None, cos=None):
    """Return the angles in degrees, rounded as much as their cosines are."""
    if cos is None:
        return np.round(np.rad2deg(theta), 9)
    return np.round(np.rad2deg(angle_of(cos)), 6)


def about(inputs):
    """Return a line with the angles in degrees, where there are any."""
    if "theta" in inputs:
        return (f"theta in degrees: {_listed(theta=inputs['theta'])}",)
    if "cos" in inputs:
        return (f"that is cos of {_listed(cos=inputs['cos'])} degrees",)
    return ()


def _listed(**angles):
    return ", ".join(g(round(float(a), 6)) for a in np.ravel(degrees_of(**angles)))


# ----------------------------------------------------------------------- the records

SHAPES = {"theta": "AB", "cos": "AB", "psi": "AB"}

PSI = Function(
    "psi(theta, m)",
    gives=("psi",),
    right=psi,
    rows=psi_rows(angles),
    ordinary=further_angles,
    dangerous=the_ends,
    shapes=SHAPES,
    paper=forward_on_paper,
    about=about,
    stub="""Return psi of an angle: cos(m theta), unfolded so that it always falls.

    theta: angles in radians from 0 to pi, any shape; m: a whole number from 1, the
    margin -> the same shape.

    (5)  psi(theta) = (-1)^k cos(m theta) - 2k   for theta in [k pi/m, (k+1) pi/m],
                                                 k = 0, 1, .. m-1
    """,
    hint="""In half a turn cos(m theta) has m pieces, down and up by turns. psi lets it
        go down only: every piece between two knots k pi/m is turned upright by (-1)^k
        and hung on the end of the piece before by -2k. First find k, the number of the
        piece.

        k = floor(m theta / pi), and at theta = pi, where this gives m, the last piece k
        = m - 1: np.minimum(..., m - 1). Round down, do not round. Then (-1)**k cos(m
        theta) - 2k. Try it on paper, m = 2: psi(0) = 1, psi(90 degrees) = -1, psi(180
        degrees) = -3.""",
)

PSI_PRIME = Function(
    "psi_prime(theta, m)",
    gives=("slope",),
    right=psi_prime,
    rows=(
        *value_rows(angles),
        ("invariants", "is never positive", never_positive, angles),
    ),
    ordinary=further_angles,
    dangerous=the_ends,
    shapes=SHAPES,
    paper=prime_on_paper,
    about=about,
    stub="""Return the derivative of psi by the angle.

    theta: angles in radians from 0 to pi, any shape; m: the margin -> the same shape.

    (8)  the derivative of (5), piece by piece
    """,
    hint="""The derivative of (-1)^k cos(m theta) - 2k on one piece is short. psi falls
        everywhere: what does that say about the sign of (-1)^k sin(m theta)?

        -m (-1)^k sin(m theta) with psi's own k. Since (-1)^k is the sign that sin(m
        theta) has on piece k, the same is -m |sin(m theta)|, with no piece to find.""",
)

PSI_FORWARD = Function(
    "psi_forward(cos, m)",
    gives=("psi", "cache"),
    right=psi_of_cos,
    rows=psi_rows(cosines, [("for a cosine rounded past 1", past_the_ends)]),
    ordinary=further_cosines,
    dangerous=cosines_of_the_ends,
    shapes=SHAPES,
    paper=forward_on_paper,
    about=about,
    stub="""Return psi of the angle with this cosine, and a cache.

    cos: cosines, any shape; rounding may leave one a little outside [-1, 1]; m: the
    margin -> psi, of the same shape; cache.

    (5)  psi(theta) with theta = arccos(cos)
    (7)  or without any angle: cos(2 theta) = 2 cos^2 - 1, and so on for each m
    """,
    hint="""The angle is np.arccos(cos), and psi you have. But a cosine that is the
        product of two rounded vectors may be 1.0000000000000002, and arccos of that is
        nan.

        theta = np.arccos(np.clip(cos, -1, 1)); return psi(theta, m), (theta, m). Exact
        bounds: 1 - 1e-7 would turn every angle below 0.026 degrees into that one. Or no
        angle at all: cos(m theta) = 2 c cos((m-1) theta) - cos((m-2) theta), and k =
        how many of cos(j pi/m), j = 1 .. m-1, lie above cos.""",
)

PSI_BACKWARD = backward_of(
    PSI_FORWARD,
    "psi_backward(dpsi, cache)",
    gives=("dcos",),
    slack=slack,
    inside=cosines_inside,
    anywhere=cosines,
    extremes=[("at every angle", cosines)],
    paper=backward_on_paper,
    stub="""Return dcos, the gradient by the cosine.

    dpsi: cos's shape, the cache of psi_forward -> dcos, of the same shape.

    (8)  dpsi/dcos = m |sin(m theta) / sin(theta)|; its limit is m^2 at 0 and at pi
    """,
    hint="""By the chain rule dpsi/dcos = (dpsi/dtheta) (dtheta/dcos), and dcos/dtheta
        is -sin(theta). What is left at theta = 0 and pi, where that is 0/0?

        dcos = dpsi m |sin(m theta)| / sin(theta); where sin(theta) is 0, or below 1e-7,
        the quotient is m^2 instead. Divide by 1 there and choose with np.where, rather
        than adding an eps everywhere.""",
)
