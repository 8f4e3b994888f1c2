"""One wrong entry of the smallest input, worked out as one would on paper.

In goes the function's name, the inputs, and the result and index of the first wrong
entry; out comes a line such as `dz[1, 0] = (p - 1) / N = (0.5 - 1) / 2 = -0.25`, or
None where a line does not hold it.
"""

import math

import numpy as np

from npsoftmax.checks.strategies import cosine

MOST_TERMS = 4


def on_paper(function, inputs, result, index):
    """Return the line for the entry `result[index]` of a function's result, or None."""
    line = _LINES.get(function)
    try:
        return line and line(inputs, result, index)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError):
        return None  # an input that is not the function's own: an invariant's


def g(number):
    """Return a number with the digits that paper needs."""
    number = float(number)
    return f"{0.0 if number == 0 else number:.6g}"


def _entry(result, index):
    return f"{result}[{', '.join(map(str, index))}]" if index else result


def _sum(terms):
    """Return a sum as text, and None where it is too long."""
    terms = list(terms)
    if len(terms) > MOST_TERMS:
        return None
    return " + ".join(terms).replace("+ -", "- ")


# ------------------------------------------------------------------------ softmaxes


def _row(inputs, index):
    """Return the row of logits of an entry, and its place in that row."""
    z, axis = inputs["z"], inputs.get("axis", -1)
    where = list(index)
    j = where[axis]
    where[axis] = slice(None)
    return z[tuple(where)], j


def _p_of(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def _exponentials(z):
    """Return the sum of exponentials of a row as text, shifted where it is large."""
    shift = z.max() if np.abs(z).max() > 20 else 0.0
    return _sum(f"e^{g(v - shift)}" for v in z), float(shift)


def _softmax(inputs, result, index):
    z, j = _row(inputs, index)
    total, shift = _exponentials(z)
    if total is None:
        return None
    over = f"({total})" if z.size > 1 else total
    p = f"e^{g(z[j] - shift)} / {over} = {g(_p_of(z)[j])}"
    less = f", with {g(shift)} taken off every logit" if shift else ""
    return f"{_entry(result, index)} = {p}{less}"


def _log_softmax(inputs, result, index):
    z, j = _row(inputs, index)
    total, shift = _exponentials(z)
    value = z[j] - z.max() - math.log(np.exp(z - z.max()).sum())
    if total is None:
        return None
    words = f"{g(z[j] - shift)} - log({total}) = {g(value)}"
    less = f", with {g(shift)} taken off every logit" if shift else ""
    return f"{_entry(result, index)} = {words}{less}"


def _logsumexp(inputs, result, index):
    z = np.moveaxis(inputs["z"], inputs["axis"], -1)[index]
    total, shift = _exponentials(z)
    value = z.max() + math.log(np.exp(z - z.max()).sum())
    if total is None:
        return None
    before = f"{g(shift)} + " if shift else ""
    return f"{_entry(result, index)} = {before}log({total}) = {g(value)}"


def _softmax_backward(inputs, result, index):
    i, j = index
    p, dp = _p_of(inputs["z"][i]), inputs["dp"][i]
    inside = f"{g(dp[j])} - {g(p @ dp)}".replace("- -", "+ ")
    value = p[j] * (dp[j] - p @ dp)
    words = f"p (dp - sum of p dp) = {g(p[j])} ({inside})"
    return f"{_entry(result, index)} = {words} = {g(value)}"


def _log_softmax_backward(inputs, result, index):
    i, j = index
    p, given = _p_of(inputs["z"][i]), inputs["dlog_p"][i]
    words = f"{g(given[j])} - {g(p[j])} * {g(given.sum())}"
    value = given[j] - p[j] * given.sum()
    rule = "dlog_p - p (sum of dlog_p)"
    return f"{_entry(result, index)} = {rule} = {words} = {g(value)}"


def _cross_entropy(inputs, result, index):
    z, y = inputs["z"], inputs["y"]
    if np.abs(z).max() > 20 and len(y) > 1:
        return None
    log_p = [
        float(row[j] - row.max() - np.log(np.exp(row - row.max()).sum()))
        for row, j in zip(z, y, strict=True)
    ]
    total = _sum(g(v) for v in log_p)
    if total is None:
        return None
    N = len(y)
    symbols = " + ".join(f"log p[{i}, {j}]" for i, j in enumerate(y))
    loss = -sum(log_p) / N
    if N == 1:
        return f"loss = -{symbols} = -({total}) = {g(loss)}"
    return f"loss = -({symbols}) / {N} = -({total}) / {N} = {g(loss)}"


def _cross_entropy_backward(inputs, result, index):
    i, j = index
    p, N = _p_of(inputs["z"][i])[j], len(inputs["y"])
    is_label = inputs["y"][i] == j
    dloss = inputs["dloss"]
    times = f"{g(dloss)} * " if dloss != 1 else ""
    value = dloss * (p - is_label) / N
    if is_label:
        words = f"(p - 1) / N = {times}({g(p)} - 1) / {N}"
        why = "its own label's column"
    else:
        words, why = f"p / N = {times}{g(p)} / {N}", "not the label's column"
    before = "dloss " if dloss != 1 else ""
    return f"{_entry(result, index)} = {before}{words} = {g(value)}   ({why})"


# ------------------------------------------------------------------ linear and ReLU


def _products(a, b):
    return _sum(
        f"{g(s)}*{g(t)}".replace("*-", "*(-") + ")" * bool(t < 0)
        for s, t in zip(a, b, strict=True)
    )


def _linear(inputs, result, index):
    i, j = index
    x, W, b = inputs["x"], inputs["W"], inputs["b"]
    words = _products(x[i], W[:, j])
    bias = 0.0 if b is None else b[j]
    plus = f" + {g(bias)}".replace("+ -", "- ") if b is not None else ""
    if words is None:
        return None
    return f"{_entry(result, index)} = {words}{plus} = {g(x[i] @ W[:, j] + bias)}"


def _linear_backward(inputs, result, index):
    x, W, dz = inputs["x"], inputs["W"], inputs["dz"]
    if result == "db":
        words, value = _sum(g(v) for v in dz[:, index[0]]), dz[:, index[0]].sum()
        rule = "sum of dz over the rows"
    elif result == "dx":
        words, value = _products(dz[index[0]], W[index[1]]), dz[index[0]] @ W[index[1]]
        rule = "sum_j dz_ij W_dj"
    else:
        a, b = x[:, index[0]], dz[:, index[1]]
        words, value, rule = _products(a, b), a @ b, "sum_i x_id dz_ij"
    return words and f"{_entry(result, index)} = {rule} = {words} = {g(value)}"


def _relu(inputs, result, index):
    h = inputs["h"][index]
    return f"{_entry(result, index)} = max({g(h)}, 0) = {g(max(h, 0))}"


def _relu_backward(inputs, result, index):
    h, da = inputs["h"][index], inputs["da"][index]
    if h > 0:
        return f"h = {g(h)} > 0, so {_entry(result, index)} = da = {g(da)}"
    return f"h = {g(h)} <= 0, so {_entry(result, index)} = 0"


# ------------------------------------------------------------------------------ psi


def piece_in_words(degrees, m):
    """Return k and the words for the piece of an angle: `piece k = 1, 45 to 90 ...`."""
    k = min(int(m * degrees / 180 + 1e-9), m - 1)
    return k, f"piece k = {k}, {g(180 * k / m)} to {g(180 * (k + 1) / m)} degrees"


def _psi_at(degrees, m):
    k, words = piece_in_words(degrees, m)
    value = (-1) ** k * cosine(m * degrees) - 2 * k
    sign = "-" if k % 2 else ""
    return words, f"{sign}cos({g(m * degrees)} degrees) - {2 * k} = {g(value)}"


def _degrees(inputs, index):
    if "theta" in inputs:
        return round(float(np.rad2deg(inputs["theta"][index])), 9)
    return round(math.degrees(math.acos(max(-1, min(1, inputs["cos"][index])))), 6)


def _psi(inputs, result, index):
    degrees, m = _degrees(inputs, index), inputs["m"]
    words, sum_ = _psi_at(degrees, m)
    return f"{g(degrees)} degrees, m = {m}: {words}; psi = {sum_}"


def _psi_prime(inputs, result, index):
    degrees, m = _degrees(inputs, index), inputs["m"]
    value = -m * abs(cosine(m * degrees - 90))
    return (
        f"{g(degrees)} degrees, m = {m}: -m |sin(m theta)| = "
        f"-{m} |sin({g(m * degrees)} degrees)| = {g(value)}"
    )


def _psi_backward(inputs, result, index):
    degrees, m = _degrees(inputs, index), inputs["m"]
    sin, times = cosine(degrees - 90), inputs["dpsi"][index]
    if not sin:
        return (
            f"{g(degrees)} degrees, m = {m}: the slope by cos is m^2 = {m * m}; "
            f"{g(times)} * {m * m} = {g(times * m * m)}"
        )
    slope = m * abs(cosine(m * degrees - 90)) / sin
    return (
        f"{g(degrees)} degrees, m = {m}: {g(times)} * m |sin(m theta)| / sin(theta) = "
        f"{g(times)} * {g(slope)} = {g(times * slope)}"
    )


# ------------------------------------------------------------------------ L-Softmax


def geometry(x, w):
    """Return |x|, |w| and the angle between them in degrees, or None for no angle."""
    x_norm, w_norm = math.hypot(*x), math.hypot(*w)
    if not x_norm or not w_norm:
        return x_norm, w_norm, None
    x, w = x / np.abs(x).max(), w / np.abs(w).max()
    cos = float(x @ w) / (math.hypot(*x) * math.hypot(*w))
    return x_norm, w_norm, round(math.degrees(math.acos(max(-1, min(1, cos)))), 5)


def _lsoftmax(inputs, result, index):
    i, j = index
    x, w, m, lam = inputs["x"][i], inputs["W"][:, j], inputs["m"], inputs["lam"]
    if inputs["y"][i] != j:
        words = _products(x, w)
        where = f"not the label's column: {_entry(result, index)} = W_j . x"
        return words and f"{where} = {words} = {g(x @ w)}"
    x_norm, w_norm, degrees = geometry(x, w)
    if degrees is None:
        return f"{_entry(result, index)} = 0: a vector of zeros has no angle"
    k, _ = piece_in_words(degrees, m)
    psi = (-1) ** k * cosine(m * degrees) - 2 * k
    g_y = (lam * cosine(degrees) + psi) / (1 + lam)
    words = f"g = psi({g(degrees)} degrees) = {g(psi)}"
    if lam:
        mix = f"({g(lam)}*{g(cosine(degrees))} + ({g(psi)})) / {g(1 + lam)}"
        words = f"g = {mix} = {g(g_y)}"
    value = x_norm * w_norm * g_y
    return (
        f"k = {k}: {words}; {_entry(result, index)} = |W_y| |x| g = "
        f"{g(w_norm)} * {g(x_norm)} * {g(g_y)} = {g(value)}"
    )


def _lsoftmax_backward(inputs, result, index):
    """Only for one row, and one class, is this short enough for a line."""
    x, W, m, lam = inputs["x"], inputs["W"], inputs["m"], inputs["lam"]
    if x.shape[0] != 1 or W.shape[1] != 1:
        return None
    x_norm, w_norm, degrees = geometry(x[0], W[:, 0])
    if degrees is None or not cosine(degrees - 90):
        return None
    k, _ = piece_in_words(degrees, m)
    psi = (-1) ** k * cosine(m * degrees) - 2 * k
    slope = m * abs(cosine(m * degrees - 90)) / cosine(degrees - 90)
    c = cosine(degrees)
    g_y, g_prime = (lam * c + psi) / (1 + lam), (lam + slope) / (1 + lam)
    of_x = result == "dx"
    norm = f"|W_y| = {g(w_norm)}" if of_x else f"|x| = {g(x_norm)}"
    formula = "|W_y| (g xh + g' (wh - c xh))" if of_x else "|x| (g wh + g' (xh - c wh))"
    return (
        f"{result} = dz {formula} with {norm}, g = {g(g_y)}, g' = {g(g_prime)}, "
        f"c = {g(c)}"
    )


_LINES = {
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "softmax_forward": _softmax,
    "softmax_backward": _softmax_backward,
    "log_softmax_forward": _log_softmax,
    "log_softmax_backward": _log_softmax_backward,
    "cross_entropy_forward": _cross_entropy,
    "cross_entropy_backward": _cross_entropy_backward,
    "linear_forward": _linear,
    "linear_backward": _linear_backward,
    "relu_forward": _relu,
    "relu_backward": _relu_backward,
    "psi": _psi,
    "psi_prime": _psi_prime,
    "psi_forward": _psi,
    "psi_backward": _psi_backward,
    "lsoftmax_forward": _lsoftmax,
    "lsoftmax_backward": _lsoftmax_backward,
}
