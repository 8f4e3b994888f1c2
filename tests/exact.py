"""Exact values: the equations of the layers once more, in decimals of 60 digits.

In go arrays or lists of integers and floats, each converted without rounding; out
come lists of `Decimal` of the same shape, right to more than 40 digits. Nothing here
is written as in the package: psi is the binomial sum of the paper, its pieces come
from pi itself, norms are plain square roots.

Equation numbers are those of npsoftmax/textbook.py; (7) is written as in the paper:

(7)  cos(m theta)            = sum_n (-1)^n C(m, 2n)   cos^(m-2n)   (1 - cos^2)^n
     sin(m theta)/sin(theta) = sum_n (-1)^n C(m, 2n+1) cos^(m-2n-1) (1 - cos^2)^n
"""

from decimal import Decimal, getcontext
from functools import lru_cache
from itertools import compress
from math import comb, inf

import numpy as np

getcontext().prec = 60


def decimals(a):
    """Return the numbers of `a`, of any shape, as nested lists of exact decimals."""
    if isinstance(a, np.ndarray | np.generic):
        a = a.tolist()
    return [decimals(t) for t in a] if isinstance(a, list | tuple) else Decimal(a)


def ulps(computed, exact):
    """Return the largest error of `computed`, in units in the last place of `exact`.

    The unit is the spacing of the floats of `computed` around the exact value: 2^-52
    for 1 <= |exact| < 2 in float64, 5e-324 below 2e-308. Where `computed` is not finite
    the error is 0 if `exact` overflows to it, else inf.
    """
    computed, exact = np.ravel(computed), flat(exact)
    limits = np.finfo(computed.dtype)
    with np.errstate(over="ignore", under="ignore"):
        nearest = np.array([float(t) for t in exact]).astype(computed.dtype)
    finite = np.isfinite(computed) & np.isfinite(nearest)
    if not np.array_equal(computed[~finite], nearest[~finite]):
        return inf
    size = np.maximum(abs(nearest[finite]), limits.tiny).astype(float)
    unit = np.ldexp(float(limits.eps), np.frexp(size)[1] - 1)
    kept = compress(exact, finite)
    terms = zip(computed[finite].tolist(), kept, unit.tolist(), strict=True)
    errors = (float(abs(Decimal(a) - b) / Decimal(u)) for a, b, u in terms)
    return max(errors, default=0.0)


def flat(nested):
    """Return the decimals of nested lists in one list."""
    if isinstance(nested, Decimal):
        return [nested]
    return [t for part in nested for t in flat(part)]


# Softmax and cross-entropy. A row of logits z is a list; a batch is a list of rows.


def shifted_exponentials(z):
    """Return max z, all e_j, and r, the sum of all e_j but one largest: (1)."""
    return exponentials_of_row(tuple(decimals(z)))


@lru_cache(maxsize=256)  # the hard rows of all tests, each with its 1000 exponentials
def exponentials_of_row(z):
    top = max(z)
    e = [(t - top).exp() for t in z]
    first = z.index(top)
    return top, e, sum(e[:first] + e[first + 1 :], Decimal(0))


def log1p(r):
    """Return ln(1 + r); the sum 1 + r would lose the digits of a small r."""
    if r > Decimal("1e-10"):
        return (1 + r).ln()
    return sum(((-1) ** (n + 1) * r**n / n for n in range(2, 7)), r)


def logsumexp(z):
    top, _, r = shifted_exponentials(z)
    return top + log1p(r)  # (1)


def softmax(z):
    _, e, r = shifted_exponentials(z)
    return [t / (1 + r) for t in e]  # (1)


def log_softmax(z):
    top, _, r = shifted_exponentials(z)
    log_sum = log1p(r)
    return [(t - top) - log_sum for t in decimals(z)]  # (1)


def cross_entropy(z, y):
    log_p_y = [log_softmax(row)[c] for row, c in zip(z, y, strict=True)]
    return -sum(log_p_y) / len(z)  # (2)


def cross_entropy_gradient(z, y):
    dz = []
    for row, c in zip(z, y, strict=True):
        p = softmax(row)
        p[c] = -sum(p[:c] + p[c + 1 :], Decimal(0))  # (3)
        dz.append([t / len(z) for t in p])
    return dz


def softmax_gradient(z, dp):
    """Return dz of one row, and the size of what it is summed of: (1a)

    dz_j = p_j sum_l p_l (dp_j - dp_l), for sum_l p_l = 1.
    """
    p, dp = softmax(z), decimals(dp)
    terms = [[q * (t - s) for q, s in zip(p, dp, strict=True)] for t in dp]
    return times_each(p, map(sum, terms)), times_each(p, map(total_size, terms))


def log_softmax_gradient(z, dlog_p):
    """Return dz of one row, and the size of what it is summed of: (1b)

    dz_j = (1 - p_j) dlog_p_j - p_j sum_{l != j} dlog_p_l.
    """
    p, dlog_p = softmax(z), decimals(dlog_p)
    terms = []
    for j, t in enumerate(dlog_p):
        own = sum(p[:j] + p[j + 1 :], Decimal(0)) * t
        terms.append([own, *times(-p[j], dlog_p[:j] + dlog_p[j + 1 :])])
    return list(map(sum, terms)), list(map(total_size, terms))


def total_size(terms):
    return sum(map(abs, terms))


def times_each(a, b):
    return [s * t for s, t in zip(a, b, strict=True)]


# psi, by the angle and by its cosine.


def arctan_of_inverse(n):
    """Return arctan(1/n) for an integer n > 1, by its power series."""
    terms = (
        (-1) ** i / (Decimal(2 * i + 1) * Decimal(n) ** (2 * i + 1)) for i in range(60)
    )
    return sum(terms)


PI = 16 * arctan_of_inverse(5) - 4 * arctan_of_inverse(239)  # Machin, 1706


def cos(t):
    """Return cos(t) for 0 <= t <= 4, by its power series."""
    term, total = Decimal(1), Decimal(1)
    for n in range(1, 50):
        term *= -t * t / ((2 * n - 1) * (2 * n))
        total += term
    return total


def piece_of_angle(theta, m):
    return min(m - 1, int(m * theta / PI))  # k of (5)


def psi(theta, m):
    theta = decimals(theta)
    k = piece_of_angle(theta, m)
    return cos(m * theta - k * PI) - 2 * k  # (5), for (-1)^k cos(t) = cos(t - k pi)


def psi_prime(theta, m):
    theta = decimals(theta)
    k = piece_of_angle(theta, m)
    return -m * abs(cos(PI / 2 - (m * theta - k * PI)))  # (8), sin(t) = cos(pi/2 - t)


def binomial_sum(c, m, odd):
    """Return (7): cos(m theta) if odd is 0, sin(m theta)/sin(theta) if odd is 1."""
    sin2 = 1 - c * c
    return sum(
        (-1) ** n * comb(m, 2 * n + odd) * power(c, m - 2 * n - odd) * power(sin2, n)
        for n in range((m - odd) // 2 + 1)
    )


def power(base, n):
    return base**n if n else Decimal(1)  # Decimal has no 0**0


@lru_cache
def knots(m):
    return [cos(j * PI / m) for j in range(1, m)]


def piece_of_cos(c, m):
    return sum(knot > c for knot in knots(m))  # k: how many knots lie above c


def psi_of_cos(c, m):
    c = decimals(c)
    k = piece_of_cos(c, m)
    return (-1) ** k * binomial_sum(c, m, 0) - 2 * k  # (5), (7)


def slope_of_cos(c, m):
    c = decimals(c)
    return (-1) ** piece_of_cos(c, m) * m * binomial_sum(c, m, 1)  # (8)


# L-Softmax. x holds rows; W is (D, C), so its classes are columns.


def columns(W):
    return [list(column) for column in zip(*decimals(W), strict=True)]


def dot(a, b):
    return sum((s * t for s, t in zip(a, b, strict=True)), Decimal(0))


def norm(a):
    return dot(a, a).sqrt()


def distance(computed, exact):
    """Return |computed - exact| of an array and its exact values."""
    return norm([a - b for a, b in zip(decimals(computed), exact, strict=True)])


def times(s, a):
    return [s * t for t in a]


def plus(*vectors):
    return [sum(parts) for parts in zip(*vectors, strict=True)]


def mix(c, m, lam):
    """Return g and g' of (6) and (9) at the cosine c."""
    lam = decimals(lam)
    g = (lam * c + psi_of_cos(c, m)) / (1 + lam)
    return g, (lam + slope_of_cos(c, m)) / (1 + lam)


def target_logit(x, w, m, lam):
    size = norm(x) * norm(w)
    if not size:
        return Decimal(0)  # (10)
    return size * mix(dot(x, w) / size, m, lam)[0]  # (4) (6)


def target_gradient(x, w, m, lam):
    """Return df_y/dx and df_y/dW_y."""
    if not norm(x) * norm(w):
        return w, x  # (10)
    xh, wh = times(1 / norm(x), x), times(1 / norm(w), w)
    c = dot(xh, wh)
    g, g_prime = mix(c, m, lam)
    df_dx = plus(times(g - g_prime * c, xh), times(g_prime, wh))
    df_dw = plus(times(g - g_prime * c, wh), times(g_prime, xh))
    return times(norm(w), df_dx), times(norm(x), df_dw)  # (9)


def lsoftmax(x, W, y, m, lam=0.0):
    """Return the logits, (N, C)."""
    z = []
    for row, label in zip(decimals(x), y, strict=True):
        z.append([dot(row, w) for w in columns(W)])
        z[-1][label] = target_logit(row, columns(W)[label], m, lam)  # (6)
    return z


def logit_gradients(x, W, y, m, lam):
    """Return for each row i a list of the pairs df_ij/dx_i and df_ij/dW_j."""
    W, pairs = columns(W), []
    for row, label in zip(decimals(x), y, strict=True):
        pairs.append([(w, row) for w in W])
        pairs[-1][label] = target_gradient(row, W[label], m, lam)
    return pairs


def lsoftmax_gradient(x, W, y, m, lam, dz):
    """Return dx, (N, D), and dW, (D, C), for the gradient dz of the logits, (N, C)."""
    pairs, dz = logit_gradients(x, W, y, m, lam), decimals(dz)
    N, C = len(dz), len(dz[0])
    dx = [plus(*(times(dz[i][j], pairs[i][j][0]) for j in range(C))) for i in range(N)]
    dW = [plus(*(times(dz[i][j], pairs[i][j][1]) for i in range(N))) for j in range(C)]
    return dx, [list(d) for d in zip(*dW, strict=True)]  # (9)
