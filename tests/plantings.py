"""Mistakes planted in right writings, never in the page whose edits name them.

A planting is a change of a line or two: the function that must be found wrong, and the
name that must be given, None where no honest name exists. Most are mistakes that
students, courses and public implementations have really made.
"""

from pathlib import Path
from typing import NamedTuple

SOLUTIONS = Path(__file__).parent / "solutions"
LOOPS, HOT = "loops.py", "one_hot.py"
PLANTED = {}  # by the name of the function: the further fields of each Planting


class Planting(NamedTuple):
    function: str
    mistake: str | None
    writing: str
    right: str
    wrong: str


def wrong_source(planting):
    """Return the source of the writing with the change; its text stands once in it."""
    source = (SOLUTIONS / planting.writing).read_text(encoding="utf-8")
    assert source.count(planting.right) == 1, f"{planting.right!r} must stand once"
    return source.replace(planting.right, planting.wrong)


def planted(function, mistake):
    """Return the source of a writing in which one function has a mistake."""
    return next(
        wrong_source(each)
        for each in PLANTINGS
        if (each.function, each.mistake) == (function, mistake)
    )


SUM, MAX = "sum(axis=axis, keepdims=True)", "z.max(axis=axis, keepdims=True)"
SHIFT = f"shift = {MAX}"
SUM_E = "np.exp(z - shift).sum(axis=axis)"
LSE_ROW = "return top + math.log(sum(math.exp(value - top) for value in row))"

PLANTED["logsumexp"] = (
    ("no shift", HOT, SHIFT, f"{SHIFT} * 0"),
    ("max over the whole batch", HOT, SHIFT, f"{SHIFT} * 0 + z.max()"),
    ("a shift that is not the max", HOT, SHIFT, SHIFT.replace("z", "abs(z)")),
    ("shift not added back", HOT, "shift.squeeze(axis) + np.log", "np.log"),
    ("mean, not sum", HOT, SUM_E, "np.exp(z - shift).mean(axis=axis)"),
    ("eps in the logarithm", LOOPS, LSE_ROW, f"{LSE_ROW[:-1]} + 1e-8)"),
    ("another base", LOOPS, LSE_ROW, LSE_ROW.replace("log", "log2")),
    (None, HOT, SUM_E, "np.exp(z - shift).sum(axis=0)"),
    (None, HOT, SHIFT, f"{SHIFT}\n    return shift + np.log(np.exp(z - shift).{SUM})"),
)  # fmt: skip

P = "return np.exp(log_softmax(z, axis))"
P_ROW = "return [value / math.fsum(e) for value in e]"
P_ALONG = "return along(softmax_of_row, z, axis)"


def p_of(e, summed=f"e.{SUM}"):
    return f"e = {e}\n    return e / {summed}"


SHIFTED = p_of(f"np.exp(z - {MAX})")
PLANTED["softmax"] = (
    ("no shift", HOT, P, p_of("np.exp(z)")),
    ("max over the whole batch", HOT, P, p_of("np.exp(z - z.max())")),
    ("max(0, max)", HOT, P, p_of(f"np.exp(z - np.maximum({MAX}, 0))")),
    ("a shift that is not the max", HOT, P, SHIFTED.replace("max", "mean")),
    ("shift in the numerator only", HOT, P,
     p_of(f"np.exp(z - {MAX})", f"np.exp(z).{SUM}")),
    ("shift in one place only", HOT, P, p_of("np.exp(z)", f"np.exp(z - {MAX}).{SUM}")),
    ("clipped", LOOPS, "math.exp(value - max(row)) for",
     "math.exp(min(max(value, -50), 50)) for"),
    ("powers of two", LOOPS, "math.exp(value - max(row)) for",
     "2 ** (value - max(row)) for"),
    ("wrong axis", LOOPS, P_ALONG, "return along(softmax_of_row, z, -1)"),
    ("wrong axis", LOOPS, P_ALONG, "return along(softmax_of_row, z, 0)"),
    ("wrong axis", HOT, P, SHIFTED.replace("sum(axis=axis", "sum(axis=-1")),
    ("wrong axis", HOT, P, SHIFTED.replace("sum(axis=axis", "sum(axis=0")),
    ("wrong axis", HOT, P, SHIFTED.replace("max(axis=axis", "max(axis=-1")),
    ("sum over everything", HOT, P, p_of("np.exp(z - z.max())", "e.sum()")),
    ("not normalised", LOOPS, P_ROW, "return e"),
    ("eps in the denominator", LOOPS, P_ROW,
     "return [value / (math.fsum(e) + 1e-8) for value in e]"),
    ("clipped", HOT, P, f"{P}.clip(1e-7, 1 - 1e-7)"),
    ("logarithm", HOT, P, "return log_softmax(z, axis)"),
    ("// for /", LOOPS, P_ROW, P_ROW.replace("/", "//")),
    ("float32 inside", HOT, P,
     "return np.exp(log_softmax(z.astype(np.float32), axis)).astype(z.dtype)"),
    ("in-place edit", HOT, f"shifted = z - {MAX}", f"z -= {MAX}\n    shifted = z"),
    (None, HOT, P, p_of(f"np.exp(z - {MAX})", "e.sum(axis=axis)")),
)  # fmt: skip

LOG_P = f"""shifted = z - {MAX}
    return shifted - np.expand_dims(logsumexp(shifted, axis), axis)"""
LOG_P_ROW = "return [value - top - log_sum for value in row]"
LOG_SUM = "log_sum = math.log(sum(math.exp(value - top) for value in row))"
LOG_P_PAIR = "return log_softmax(z), (z,)"
LOG_P_ALONG = "return along(log_softmax_of_row, z, axis)"

PLANTED["log_softmax"] = (
    ("no shift", HOT, LOG_P, f"return z - np.log(np.exp(z).{SUM})"),
    ("max over the whole batch", HOT, LOG_P,
     f"shifted = z - z.max()\n    return shifted - np.log(np.exp(shifted).{SUM})"),
    ("wrong axis", LOOPS, LOG_P_ALONG, "return along(log_softmax_of_row, z, -1)"),
    ("log of softmax", LOOPS, LOG_P_ALONG, "return np.log(softmax(z, axis))"),
    ("eps in the logarithm", LOOPS, LOG_P_ALONG,
     "return np.log(softmax(z, axis) + 1e-12)"),
    ("eps in the logarithm", LOOPS, LOG_SUM, f"{LOG_SUM[:-1]} + 1e-8)"),
    ("clipped", LOOPS, LOG_P_ALONG, "return np.log(softmax(z, axis).clip(1e-7))"),
    ("shift in one place only", HOT, "return shifted - np", "return z - np"),
    ("another base", LOOPS, LOG_SUM, LOG_SUM.replace("math.log", "math.log10")),
    ("another base", LOOPS, LOG_P_ROW,
     "return [(value - top - log_sum) / math.log(2) for value in row]"),
    ("no logarithm", LOOPS, LOG_P_ALONG, P_ALONG),
    (None, LOOPS, LOG_P_ROW,
     "return [value - top - log_sum + 1e-8 * math.sin(value) for value in row]"),
)  # fmt: skip
PLANTED["log_softmax_forward"] = (
    ("wrong axis", LOOPS, LOG_P_PAIR, "return log_softmax(z, 0), (z,)"),
    ("log of softmax", HOT, "return log_softmax(z)", "return np.log(softmax(z))"),
    ("no logarithm", LOOPS, LOG_P_PAIR, "return softmax(z), (z,)"),
    (None, LOOPS, LOG_P_PAIR, "return (z,), log_softmax(z)"),
)  # fmt: skip

DLOG_P = "return dlog_p - cache.p * dlog_p.sum(axis=1, keepdims=True)"
DLOG_P_ENTRY = "row[j] - p[i, j] * sum(row)"

PLANTED["log_softmax_backward"] = (
    ("row sum missing", LOOPS, DLOG_P_ENTRY, "row[j] - p[i, j]"),
    ("row sum missing", HOT, DLOG_P, "return dlog_p * (1 - cache.p)"),
    ("log p for p", HOT, DLOG_P, DLOG_P.replace("cache.p", "np.log(cache.p)")),
    ("wrong axis", HOT, DLOG_P, DLOG_P.replace("axis=1", "axis=0")),
    ("sum over everything", HOT, DLOG_P, "return dlog_p - cache.p * dlog_p.sum()"),
    ("mean, not sum", LOOPS, DLOG_P_ENTRY, f"{DLOG_P_ENTRY} / len(row)"),
    ("softmax part missing", LOOPS, DLOG_P_ENTRY, "row[j]"),
    ("clipped", HOT, DLOG_P, DLOG_P.replace("cache.p", "cache.p.clip(1e-7, 1 - 1e-7)")),
)  # fmt: skip

DZ_OF_P = "dp[i, c] * p[i, c] * ((c == j) - p[i, j])"
DZ_EINSUM = 'return np.einsum("nj,njc->nc", dp, jacobian)'

PLANTED["softmax_forward"] = (
    ("wrong axis", LOOPS, "p = softmax(z)\n", "p = softmax(z, 0)\n"),
    ("last row missing", HOT, "return p, Cache(p=p)",
     "p[-1] = 0\n    return p, Cache(p=p)"),
    ("float32 inside", LOOPS, "return p, (z, p)",
     "return p.astype(np.float32), (z, p)"),
    (None, HOT, "return p, Cache(p=p)", "return np.squeeze(p), Cache(p=p)"),
    (None, LOOPS, "return p, (z, p)", "return p"),
    (None, LOOPS, "return p, (z, p)", "cache = z, p"),
    (None, LOOPS, "return p, (z, p)", "return p.tolist(), (z, p)"),
)  # fmt: skip
PLANTED["softmax_backward"] = (
    ("diagonal only", LOOPS, DZ_OF_P, "dp[i, c] * p[i, c] * (c == j) * (1 - p[i, j])"),
    ("row sum missing", LOOPS, DZ_OF_P, "dp[i, c] * p[i, c] * (c == j)"),
    ("wrong axis", HOT, DZ_EINSUM,
     "return cache.p * (dp - (dp * cache.p).sum(axis=0))"),
    ("sum over everything", HOT, DZ_EINSUM,
     "return cache.p * (dp - (dp * cache.p).sum())"),
    ("dp not weighted", LOOPS, DZ_OF_P, "dp[i, c] * ((c == j) * p[i, c] - p[i, j])"),
    ("factor p missing", HOT, DZ_EINSUM,
     "return dp - (dp * cache.p).sum(axis=1, keepdims=True)"),
    ("factor p twice", HOT, DZ_EINSUM,
     "return cache.p * (dp - cache.p * (dp * cache.p).sum(axis=1, keepdims=True))"),
    ("first row's p", HOT, DZ_EINSUM,
     "p = cache.p[:1]\n    return p * (dp - (dp * p).sum(axis=1, keepdims=True))"),
    ("dp returned", LOOPS, DZ_OF_P, "dp[i, c] * (c == j)"),
    ("factor 1/N", HOT, DZ_EINSUM, f"{DZ_EINSUM} / len(dp)"),
    ("last row missing", LOOPS, "for i in range(N):", "for i in range(N - 1):"),
    ("in-place edit", HOT, DZ_EINSUM,
     "dp -= (dp * cache.p).sum(axis=1, keepdims=True)\n    return dp * cache.p"),
)  # fmt: skip

LOSS = "loss = -np.sum(one_hot * log_softmax(z)) / N"
LOSS_ROW = "log_softmax(row)[label]"
LOSS_MEAN = "return loss / len(y), (z, y)"
LOSS_ROWS = "zip(z, y, strict=True)"

PLANTED["cross_entropy_forward"] = (
    ("no shift", LOOPS, LOSS_ROW, "(row - np.log(np.exp(row).sum()))[label]"),
    ("wrong axis", HOT, LOSS, LOSS.replace("(z)", "(z, 0)")),
    ("log of softmax", LOOPS, LOSS_ROW, "np.log(softmax(row)[label])"),
    ("eps in the logarithm", LOOPS, LOSS_ROW, "np.log(softmax(row)[label] + 1e-12)"),
    ("eps in the denominator", LOOPS, f"loss -= float({LOSS_ROW})",
     "e = np.exp(row - row.max())\n"
     "        loss -= float(np.log(e[label] / (e.sum() + 1e-8)))"),
    ("clipped", LOOPS, LOSS_ROW, "np.log(softmax(row)[label].clip(1e-7, 1))"),
    ("clipped", LOOPS, LOSS_ROW,
     "np.log(np.maximum(softmax(row)[label], np.finfo(np.float32).tiny))"),
    ("another base", LOOPS, LOSS_MEAN, "return loss / len(y) / math.log(2), (z, y)"),
    ("no logarithm", LOOPS, LOSS_ROW, "softmax(row)[label]"),
    ("no softmax", LOOPS, LOSS_ROW, "row[label]"),
    ("softmax twice", HOT, LOSS, LOSS.replace("(z)", "(softmax(z))")),
    ("one-hot in column y[0]", LOOPS, LOSS_ROW, "log_softmax(row)[y[0]]"),
    ("all labels' columns", HOT, LOSS, "loss = -log_softmax(z)[:, y].mean()"),
    ("cross-entropy of two classes", HOT, LOSS,
     "loss = -np.mean(np.log(np.where(one_hot, softmax(z), 1 - softmax(z))))"),
    ("0 times log 0", HOT, LOSS, LOSS.replace("log_softmax(z)", "np.log(softmax(z))")),
    ("last row missing", LOOPS, LOSS_ROWS, "zip(z[:-1], y[:-1], strict=True)"),
    ("first row only", LOOPS, LOSS_ROWS, "zip(z[:1], y[:1], strict=True)"),
    ("all classes", HOT, LOSS, "loss = -np.sum(log_softmax(z)) / N"),
    ("// for /", LOOPS, LOSS_MEAN, "return loss // len(y), (z, y)"),
    ("factor N", LOOPS, LOSS_MEAN, "return loss, (z, y)"),
    ("factor 1/N", LOOPS, LOSS_MEAN, "return loss / len(y) ** 2, (z, y)"),
    ("factor 1/C", HOT, LOSS, LOSS.replace("/ N", "/ z.size")),
    (None, HOT, LOSS, "loss = -np.sum(one_hot * log_softmax(z), axis=1)"),
)  # fmt: skip

DZ = "return dloss * (cache.p - cache.one_hot) / len(cache.p)"
DZ_ENTRY = "float(dloss) * (p[j] - target) / len(y)"
TARGET = "target = 1 if j == label else 0"

PLANTED["cross_entropy_backward"] = (
    ("wrong axis", HOT, "softmax(z), one_hot", "softmax(z, 0), one_hot"),
    ("clipped", LOOPS, "p = softmax(z[i])",
     "p = np.clip(softmax(z[i]), 1e-7, 1 - 1e-7)"),
    ("one-hot missing", LOOPS, TARGET, "target = 0"),
    ("one-hot in column y[0]", LOOPS, TARGET, "target = 1 if j == y[0] else 0"),
    ("all labels' columns", LOOPS, TARGET, "target = 1 if j in y else 0"),
    ("1 added", HOT, DZ, DZ.replace("-", "+")),
    ("1 subtracted twice", HOT, DZ, DZ.replace("- ", "- 2 * ")),
    ("labels subtracted", LOOPS, TARGET, "target = label"),
    ("1 not divided by N", LOOPS, DZ_ENTRY, "float(dloss) * (p[j] / len(y) - target)"),
    ("dloss forgotten", HOT, DZ, DZ.replace("dloss * ", "")),
    ("log p for p", HOT, DZ, DZ.replace("(cache.p -", "(np.log(cache.p) -")),
    ("no softmax", LOOPS, DZ_ENTRY, DZ_ENTRY.replace("p[j]", "z[i, j]")),
    ("// for /", HOT, DZ, DZ.replace("/", "//")),
    ("factor N", LOOPS, DZ_ENTRY, "float(dloss) * (p[j] - target)"),
    ("factor 1/N", HOT, DZ, f"{DZ} ** 2"),
    ("1/C for 1/N", HOT, DZ, DZ.replace("len(cache.p)", "cache.p.shape[1]")),
    ("last row missing", LOOPS, DZ_ENTRY, f"{DZ_ENTRY} * (i + 1 < len(y))"),
    ("cache changed in place", HOT, DZ,
     "cache.p -= cache.one_hot\n    return dloss * cache.p / len(cache.p)"),
)  # fmt: skip

BIAS, DB = "z + b[None, :]", "(None if cache.b is None else dz.sum(0))"

PLANTED["linear_forward"] = (
    ("bias forgotten", HOT, BIAS, "z"),
    ("bias subtracted", HOT, BIAS, "z - b"),
    ("float32 inside", HOT, '"nd,dc->nc", x, W', '"nd,dc->nc", np.float32(x), W'),
    (None, HOT, BIAS, "z + b[:, None]"),
    (None, HOT, "nd,dc->nc", "nd,cd->nc"),
    (None, HOT, "z if b is None else", "z if not b else"),
)  # fmt: skip
PLANTED["linear_backward"] = (
    ("wrong axis", HOT, "dz.sum(0)", "dz.sum(1)"),
    ("sum over everything", HOT, "dz.sum(0)", "dz.sum() + 0 * cache.b"),
    ("db forgotten", HOT, DB, "None"),
    ("last row missing", LOOPS, "dz[i, c] * x[i]",
     "dz[i, c] * x[i] * (i + 1 < len(x))"),
    ("dW before dx", LOOPS, "return dx, dW, db", "return dW, dx, db"),
    ("factor 1/N", HOT, "dz.sum(0)", "dz.mean(0)"),
    ("factor 1/N", LOOPS, "dz[i, c] * x[i]", "dz[i, c] * x[i] / len(x)"),
    ("transposed", HOT, "nd,nc->dc", "nd,nc->cd"),
    (None, HOT, "dz.sum(0)", "dz.sum(0, keepdims=True)"),
    (None, HOT, "nc,dc->nd", "nc,cd->nd"),
    (None, LOOPS, "return dx, dW, db", "return dx, dW"),
)  # fmt: skip

A, DH = "np.where(mask, h, np.zeros_like(h))", "dh[cache[0] <= 0] = 0"

PLANTED["relu_forward"] = (
    ("absolute value", LOOPS, "a = h.copy()", "a = np.abs(h)"),
    ("smaller of two", HOT, A, "np.where(mask, np.zeros_like(h), h)"),
    ("a leak", LOOPS, "a[a < 0] = 0", "a[a < 0] *= 0.01"),
    ("h returned", HOT, A, "np.where(mask, h, h)"),
    ("mask returned", HOT, A, "1.0 * mask"),
    ("clipped", LOOPS, "a[a < 0] = 0", "a = np.clip(a, 0, 6)"),
    ("in-place edit", LOOPS, "a = h.copy()", "a = h"),
    (None, LOOPS, "return a, (h,)", "return a.astype(int), (h,)"),
)  # fmt: skip
PLANTED["relu_backward"] = (
    ("mask forgotten", LOOPS, DH, "dh[da <= 0] += 0"),
    ("mask of da", LOOPS, DH, "dh[da <= 0] = 0"),
    ("mask turned round", LOOPS, DH, "dh[cache[0] >= 0] = 0"),
    ("a leak", LOOPS, DH, "dh[cache[0] <= 0] *= 0.01"),
    ("da forgotten", LOOPS, "dh = da.copy()", "dh = np.ones_like(da)"),
    ("h for da", LOOPS, "dh = da.copy()", "dh = cache[0].copy()"),
    ("in-place edit", LOOPS, "dh = da.copy()", "dh = da"),
)  # fmt: skip

PIECE_K = "    return k\n\n\ndef psi_at"
WALK = "while k < m - 1 and theta > (k + 1) * math.pi / m"
PSI_ROW = "return (-1) ** k * math.cos(m * theta) - 2 * k"
PSI_VALUES = "values = [(-1) ** k * np.cos(m * theta) - 2 * k for k in range(m)]"
SLOPE = "return -((-1) ** piece(angle, m)) * m * math.sin(m * angle)"
SLOPES = "slopes = [-((-1) ** k) * m * np.sin(m * theta) for k in range(m)]"

PLANTED["psi"] = (
    ("k rounded", LOOPS, PIECE_K,
     PIECE_K.replace("return k", "return min(round(m * theta / math.pi), m - 1)")),
    ("k always 0", LOOPS, WALK, WALK.replace("m - 1", "0")),
    ("knots in the wrong places", LOOPS, WALK, WALK.replace("/ m", "/ (m + 1)")),
    ("pieces of a fixed width", LOOPS, WALK, WALK.replace("/ m", "/ 2")),
    ("last piece missing", LOOPS, WALK, WALK.replace("m - 1", "m - 2")),
    ("only the first knot", LOOPS, WALK, WALK.replace("m - 1", "min(m - 1, 1)")),
    ("k one too large", LOOPS, PIECE_K,
     PIECE_K.replace("return k", "return min(k + 1, m - 1)")),
    ("sign (-1)^k missing", LOOPS, PSI_ROW, "return math.cos(m * theta) - 2 * k"),
    ("-2k missing", HOT, PSI_VALUES, PSI_VALUES.replace(" - 2 * k", "")),
    ("k for 2k", HOT, PSI_VALUES, PSI_VALUES.replace("2 * k", "k")),
    ("+2k", HOT, PSI_VALUES, PSI_VALUES.replace("- 2", "+ 2")),
    ("cos^m", LOOPS, PSI_ROW, "return math.cos(theta) ** m"),
    ("m cos", LOOPS, PSI_ROW, "return m * math.cos(theta)"),
    ("m cos", LOOPS, PSI_ROW, "return (-1) ** k * m * math.cos(theta) - 2 * k"),
    ("m fixed", LOOPS, "k = piece(theta, m)", "m = 4\n    k = piece(theta, m)"),
    ("m fixed", LOOPS, "k = piece(theta, m)", "m = 2\n    k = piece(theta, m)"),
    ("degrees", LOOPS, "k = piece(theta, m)",
     "theta = math.radians(theta)\n    k = piece(theta, m)"),
    ("degrees", LOOPS, PSI_ROW, PSI_ROW.replace("m *", "math.pi / 180 * m *")),
    ("sin for cos", LOOPS, PSI_ROW, PSI_ROW.replace("cos", "sin")),
    ("no margin", LOOPS, PSI_ROW, "return math.cos(theta)"),
    (None, LOOPS, PSI_ROW,
     "t, c = math.cos(theta), math.cos(m * theta)\n"
     "    return (-1) ** k * (3 * t**3 - 3 * t if m == 3 else c) - 2 * k"),
)  # fmt: skip
PLANTED["psi_prime"] = (
    ("k always 0", LOOPS, SLOPE, "return -m * math.sin(m * angle)"),
    ("m forgotten", LOOPS, SLOPE, SLOPE.replace("m * math", "math")),
    ("derivative by cos", HOT, SLOPES,
     "slopes = [(-1) ** k * m * np.sin(m * theta) / np.sin(theta) for k in range(m)]"),
    ("cos for sin", LOOPS, SLOPE, "return -m * abs(math.cos(m * angle))"),
    ("m fixed", LOOPS, SLOPE, "return -4 * abs(math.sin(4 * angle))"),
)  # fmt: skip

ACOS = "math.acos(min(1.0, max(-1.0, cos)))"
PSI_OF_COS = "return sign * cos_of_multiple(cos, m) - 2 * k, Cache(slope=slope)"
PSI_EACH = "return each(lambda c: psi_at(angle_of(c), m), cos), (cos, m)"
SLOPE_OF_COS = "slope = sign * slope_of_multiple(cos, m)"
SLOPE_AT = "return m * m\n    return m * abs(math.sin(m * theta)"
BY_SIN = "theta = np.arccos(cos.clip(-1, 1))\n    slope = m * abs(np.sin(m * theta))"

PLANTED["psi_forward"] = (
    ("arccos without a bound", HOT, PSI_OF_COS,
     "return psi(np.arccos(cos), m), Cache(slope=slope)"),
    ("clipped", LOOPS, ACOS, "math.acos(min(1 - 1e-7, max(1e-7 - 1, cos)))"),
    ("cos for the angle", HOT, PSI_OF_COS, "return psi(cos, m), Cache(slope=slope)"),
    ("degrees", LOOPS, ACOS, f"math.degrees({ACOS})"),
    ("cos^m", HOT, PSI_OF_COS, "return cos**m, Cache(slope=slope)"),
    ("k rounded", LOOPS, PIECE_K,
     PIECE_K.replace("return k", "return min(round(m * theta / math.pi), m - 1)")),
    ("k always 0", HOT, PSI_OF_COS,
     "return cos_of_multiple(cos, m), Cache(slope=slope)"),
    ("m fixed", LOOPS, PSI_EACH, PSI_EACH.replace("m)", "4)", 1)),
    ("float32 inside", LOOPS, ACOS, ACOS.replace("cos))", "float(np.float32(cos))))")),
    ("in-place edit", HOT, "k = knots_above(cos, m)",
     "np.clip(cos, -1, 1, out=cos)\n    k = knots_above(cos, m)"),
    (None, HOT, PSI_OF_COS, "return abs(cos_of_multiple(cos, m)), Cache(slope=slope)"),
)  # fmt: skip
PLANTED["psi_backward"] = (
    ("k always 0", HOT, SLOPE_OF_COS, "slope = slope_of_multiple(cos, m)"),
    ("m forgotten", HOT, SLOPE_OF_COS, f"{SLOPE_OF_COS} / m"),
    ("m fixed", LOOPS, "slope_at(angle_of(c), m)", "slope_at(angle_of(c), 4)"),
    ("cos for sin", HOT, SLOPE_OF_COS,
     BY_SIN.replace("np.sin", "np.cos") + " / np.sin(theta)"),
    ("U_m for U_{m-1}", LOOPS, SLOPE_AT,
     SLOPE_AT.replace("m * m", "m * (m + 1)").replace("sin(m", "sin((m + 1)")),
    ("derivative by theta", HOT, SLOPE_OF_COS, BY_SIN),
    ("division by sin(theta) = 0", HOT, SLOPE_OF_COS, f"{BY_SIN} / np.sin(theta)"),
    ("eps beside sin", HOT, SLOPE_OF_COS, f"{BY_SIN} / (np.sin(theta) + 1e-6)"),
    ("dpsi forgotten", HOT, "return dpsi * cache.slope", "return +cache.slope"),
)  # fmt: skip

Z = "z = np.where(one_hot, x_length * w_length * g, x @ W)"
F_Y = "z[i, label] = size * (lam * cos + margin) / (1 + lam)"
MARGIN = "margin = psi_at(angle_of(cos), m)"
HATS = "x_hat, w_hat = x / never_zero(x_length), W_y / never_zero(w_length)"
COS = "cos = (x_hat * w_hat).sum(axis=1, keepdims=True)"
X_LENGTH = "x_length = np.sqrt((x**2).sum(1, keepdims=True))"
PLAIN_LOOP = """enumerate(y):
        for c in range(W.shape[1]):
            z[i, c] = np.dot(x[i], W[:, c])
        size"""

PLANTED["lsoftmax_forward"] = (
    ("eps in the norm", HOT, X_LENGTH, f"{X_LENGTH} + 1e-10"),
    ("eps in the norm", HOT, X_LENGTH, f"{X_LENGTH[:-1]} + 1e-8)"),
    ("eps in the norm", HOT, HATS,
     "x_hat, w_hat = x / (x_length + 1e-7), W_y / (w_length + 1e-7)"),
    ("division by a norm of 0", HOT, "x / never_zero(x_length)", "x / x_length"),
    ("division by a norm of 0", HOT, "W_y / never_zero(w_length)", "W_y / w_length"),
    ("arccos without a bound", HOT, PSI_OF_COS,
     "return psi(np.arccos(cos), m), Cache(slope=slope)"),
    ("lam forgotten", LOOPS, F_Y, "z[i, label] = size * margin"),
    ("1 + lam forgotten", LOOPS, F_Y, "z[i, label] = size * (lam * cos + margin)"),
    ("cos and psi change places", LOOPS, F_Y,
     "z[i, label] = size * (cos + lam * margin) / (1 + lam)"),
    ("norm of W_y forgotten", HOT, Z, Z.replace("w_length * ", "")),
    ("norm of x forgotten", HOT, Z, Z.replace("x_length * ", "")),
    ("wrong axis", HOT, Z, Z.replace("w_length", "np.linalg.norm(W, axis=1)[y, None]")),
    ("margin on every class", LOOPS, f"for i, label in {PLAIN_LOOP}",
     "for i, label in np.ndindex(z.shape):\n        size"),
    ("lam/(1+lam) on the other classes", HOT, Z,
     Z.replace("x @ W", "x @ W * lam / (1 + lam)")),
    ("W normalised", HOT, "W_y = W[:, y].T",
     "W = W / np.linalg.norm(W, axis=0)\n    W_y = W[:, y].T"),
    ("one-hot in column y[0]", HOT, "one_hot_rows(y, W.shape[1])",
     "one_hot_rows(y[:1], W.shape[1])"),
    ("all labels' columns", HOT, Z, Z.replace("one_hot", "one_hot.any(axis=0)")),
    ("all labels' columns", HOT, Z,
     "z = x @ W\n    z[:, y] = (x_length * w_length * g)[:, 0]"),
    ("m fixed", LOOPS, MARGIN, "margin = psi_at(angle_of(cos), 4)"),
    ("k always 0", LOOPS, MARGIN, "margin = math.cos(m * angle_of(cos))"),
    ("cos^m", LOOPS, MARGIN, "margin = cos**m"),
    ("no margin", HOT, Z, "z = x @ W"),
    (None, HOT, COS,
     "squares = (x**2).sum(1, keepdims=True) * (W_y**2).sum(1, keepdims=True)\n"
     "    cos = (x * W_y).sum(1, keepdims=True) / np.sqrt(never_zero(squares))\n"
     "    cos = np.clip(cos, -1, 1)"),
)  # fmt: skip

F_X = "f_x = w_length * (g * x_hat + g_prime * (w_hat - cos * x_hat))"
F_W = "f_w = x_length * (g * w_hat + g_prime * (x_hat - cos * w_hat))"
NO_ANGLE = "if x_length == 0 or w_length == 0"
SLOPE_G = "g_prime = (lam + slope_at(theta, m)) / (1 + lam)"
OTHERS = "others = dz * ~one_hot"
RETURN = "return others @ cache.W.T + dx_y, cache.x.T @ others + dw_y.T @ one_hot"
RETURN_LOOPS = "return dx, dW\n\n\ndef target"

PLANTED["lsoftmax_backward"] = (
    ("division by a norm of 0", LOOPS, NO_ANGLE, "if w_length == 0"),
    ("division by a norm of 0", LOOPS, NO_ANGLE, "if x_length == 0"),
    ("lam forgotten", LOOPS, SLOPE_G, "g_prime = slope_at(theta, m)"),
    ("1 + lam forgotten", LOOPS, SLOPE_G, "g_prime = lam + slope_at(theta, m)"),
    ("norm of W_y forgotten", LOOPS, F_X, F_X.replace("w_length * ", "")),
    ("lam/(1+lam) on the other classes", LOOPS, "f_x, f_w = W[:, c], x[i]",
     "f_x, f_w = W[:, c] * lam / (1 + lam), x[i] * lam / (1 + lam)"),
    ("radial part missing in dx", LOOPS, F_X, F_X.replace("g * x_hat + ", "")),
    ("radial part missing in dW", LOOPS, F_W, F_W.replace("g * w_hat + ", "")),
    ("tangential part missing in dx", LOOPS, F_X, "f_x = w_length * g * x_hat"),
    ("tangential part missing in dW", LOOPS, F_W, "f_w = x_length * g * w_hat"),
    ("sign of the tangential part", LOOPS, F_X, F_X.replace("+ g", "- g")),
    ("projection forgotten", LOOPS, F_X, F_X.replace("(w_hat - cos * x_hat)", "w_hat")),
    ("norms change places", LOOPS, F_W, F_W.replace("x_length", "w_length")),
    ("x for x/|x|", LOOPS, F_X, F_X.replace("g * x_hat", "g * x")),
    ("label's class twice", HOT, OTHERS, "others = dz"),
    ("other classes missing", HOT, RETURN, RETURN.replace("others @ cache.W.T + ", "")),
    ("other classes missing", HOT, RETURN, RETURN.replace("cache.x.T @ others + ", "")),
    ("label's class missing", HOT, RETURN, RETURN.replace(" + dx_y", "")),
    ("gradient of the plain product", LOOPS, "if c == label:", "if c < 0:"),
    ("gradient of the plain product", HOT, RETURN,
     RETURN.replace("others @ cache.W.T + dx_y", "dz @ cache.W.T")),
    ("repeated labels kept once", HOT, RETURN,
     "dW = cache.x.T @ others\n    dW[:, one_hot.argmax(axis=1)] += dw_y.T\n"
     "    return others @ cache.W.T + dx_y, dW"),
    ("last row missing", HOT, "dw_y.T @ one_hot", "dw_y[:-1].T @ one_hot[:-1]"),
    ("dW before dx", LOOPS, RETURN_LOOPS, RETURN_LOOPS.replace("dx, dW", "dW, dx")),
    ("k always 0", HOT, SLOPE_OF_COS, "slope = slope_of_multiple(cos, m)"),
    ("factor 1/N", LOOPS, RETURN_LOOPS, RETURN_LOOPS.replace("dW", "dW / len(x)")),
    ("in-place edit", HOT, OTHERS, "dz *= ~one_hot\n    others = dz"),
    (None, LOOPS, SLOPE_G, f"{SLOPE_G} * (-1 if cos < 0 else 1)"),
)  # fmt: skip

PLANTINGS = [Planting(name, *row) for name, rows in PLANTED.items() for row in rows]
