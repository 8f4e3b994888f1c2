"""In: the name of a layer and a few numbers. Out: a Trace, every intermediate of a
hand-sized example forward, and every gradient backward beside its finite difference.

What a Trace shows is read, not computed again: the forward's lines are the fields of
the layers' own caches, the backward's are what the layers' own backwards return. Only a
formula for each name is written here, with the numbers (1) to (10) of the modules.

    relative difference = max |gradient - numeric| / max(|gradient|, |numeric|)
"""

import html
import itertools
import math
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from npsoftmax.cross_entropy import cross_entropy_backward, cross_entropy_forward
from npsoftmax.gradcheck import central_difference, complex_step
from npsoftmax.linear import linear_backward, linear_forward
from npsoftmax.lsoftmax import (
    lsoftmax_backward,
    lsoftmax_forward,
    psi_backward,
    psi_forward,
)
from npsoftmax.precision import power_of_two
from npsoftmax.relu import relu_backward, relu_forward
from npsoftmax.softmax import softmax_backward, softmax_forward
from npsoftmax.validate import margin as check_margin
from npsoftmax.validate import non_negative

H = 2.0**-17  # the step of the differences
EPS = float(np.finfo(np.float64).eps)
CLOSE = 1e-6  # relative; differences with H are closer, unless a note says why not
WIDTH = 80  # columns of a terminal
LARGEST_NORM = 1e150  # the differences of larger ones leave float64


class Row(NamedTuple):
    """One line of a Trace: a name and its value, and for a gradient the numeric one."""

    equation: str  # "(1)" to "(10)", or empty
    name: str
    shape: tuple[int, ...]
    value: Any  # an array, or a number
    formula: str
    note: str = ""
    numeric: np.ndarray | None = None  # by differences, value's shape
    difference: float | None = None  # relative


@dataclass(frozen=True)
class Trace:
    """A forward and its backward, line by line; print it, or show it in a notebook."""

    title: str
    forward: tuple[Row, ...]
    backward: tuple[Row, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows, those of the forward first."""
        return self.forward + self.backward

    def __getitem__(self, name: str) -> Row:
        """Return the row of a name, such as trace["dz"]."""
        for row in self.rows:
            if row.name == name:
                return row
        names = ", ".join(row.name for row in self.rows)
        raise KeyError(f"{name} is not in this trace: {names}")

    def blocks(self, paint=lambda text, look: text) -> Iterator[str]:
        """Yield the text of the Trace, a row at a time, the headings with the first.

        paint(text, look): gives text a look, such as `npsoftmax.terminal.painter`.
        """
        heading = f"{paint(self.title, 'bold')}\n\n{paint(FORWARD_HEAD, 'bold')}\n"
        for row in self.forward:
            yield heading + _forward_block(row, paint)
            heading = ""
        heading = f"\n{paint(BACKWARD_HEAD, 'bold')}\n"
        for row in self.backward:
            yield heading + _backward_block(row, paint)
            heading = ""

    def __str__(self) -> str:
        return "\n".join(self.blocks())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the Trace as an HTML table, which a notebook shows."""
        heads = ("", "", "shape", "value", "by differences", "relative", "formula")
        head = "".join(f"<th style='text-align:left'>{cell}</th>" for cell in heads)
        lines = [f"<p><b>{html.escape(self.title)}</b></p><table><tr>{head}</tr>"]
        for part, rows in (("forward", self.forward), ("backward", self.backward)):
            lines.append(f"<tr><th colspan=7 style='text-align:left'>{part}</th></tr>")
            lines += [_html_row(row) for row in rows]
        return "\n".join([*lines, "</table>"])


# ------------------------------------------------------- the layers and their formulas


class CosCache(NamedTuple):
    """What the backward of the cosine needs."""

    theta: np.ndarray  # any shape, radians


def cos_forward(theta):
    """Return cos(theta) of angles in radians, and the cache."""
    theta = np.asarray(theta)
    return np.cos(theta), CosCache(theta)


def cos_backward(dcos, cache):
    """Return dtheta = -sin(theta) dcos."""
    return -np.sin(cache.theta) * dcos


class Layer(NamedTuple):
    """A pair of functions, their symbols, and for each symbol its equation and formula.

    {x} in a formula is the name that symbol x has in the trace, such as features.
    """

    forward: Callable
    backward: Callable
    inputs: tuple[str, ...]
    gradients: int  # so many of the inputs, from the first, have one
    output: str
    formulas: Mapping[str, tuple[str, str]]


SHIFTED = {
    "top": ("(1)", "the column of the largest z"),
    "d": ("(1)", "z - max z"),
    "e": ("(1)", "exp(d)"),
    "r": ("(1)", "sum of all e but the top's"),
}
COS = Layer(cos_forward, cos_backward, ("theta",), 1, "cos", {
    "theta": ("", "given, in radians"),
    "cos": ("", "cos(theta)"),
    "dtheta": ("(8)", "-sin(theta) dcos, which is -m |sin(m theta)|"),
})  # fmt: skip
SOFTMAX = Layer(softmax_forward, softmax_backward, ("z",), 1, "p", {
    "z": ("", "given"),
    **SHIFTED,
    "p": ("(1)", "e / (1 + r)"),
    "dp": ("", "given: the loss is the first p"),
    "dz": ("", "p (dp - sum of p dp)"),
})  # fmt: skip
CROSS_ENTROPY = Layer(
    cross_entropy_forward, cross_entropy_backward, ("z", "y"), 1, "loss", {
        "z": ("", "given"),
        "y": ("", "given: the labels"),
        **SHIFTED,
        "log_p_y": ("(1)", "d - log1p(r), at the label"),
        "loss": ("(2)", "-(1/N) sum of log_p_y"),
        "dloss": ("", "given"),
        "dz": ("(3)", "p / N; at the label -(1/N) times the sum of the other p"),
    },
)  # fmt: skip
PSI = Layer(psi_forward, psi_backward, ("cos", "m"), 1, "psi", {
    "cos": ("", "given"),
    "m": ("", "given: the margin"),
    "k": ("(8)", "how many knots lie above cos"),
    "sign": ("(5)", "(-1)^k"),
    "T": ("(7)", "cos(m theta)"),
    "U": ("(7)", "sin(m theta) / sin(theta)"),
    "psi": ("(5)", "(-1)^k T - 2k"),
    "dpsi": ("", "given"),
    "dcos": ("(8)", "(-1)^k m U dpsi"),
})  # fmt: skip
LSOFTMAX = Layer(
    lsoftmax_forward, lsoftmax_backward, ("x", "W", "y", "m", "lam"), 2, "z", {
        "x": ("", "given: the features"),
        "W": ("", "given: a column per class"),
        "y": ("", "given: the labels"),
        "m": ("", "given: the margin"),
        "lam": ("", "given: lambda"),
        "x_scale": ("", "a power of two: from here on {x} is {x} / x_scale"),
        "x_norm": ("(4)", "|{x}|"),
        "W_scale": ("", "powers of two: from here on {W} is {W} / W_scale"),
        "W_norm": ("(4)", "|W_c| of each class c"),
        "cos": ("(4)", "{x} . W_y / (|{x}| |W_y|)"),
        "k": ("(8)", "how many knots lie above cos"),
        "psi": ("(5)", "(-1)^k cos(m theta_y) - 2k"),
        "slope": ("(8)", "dpsi/dcos"),
        "g": ("(6)", "(lam cos + psi) / (1 + lam)"),
        "g_prime": ("(9)", "(lam + slope) / (1 + lam)"),
        "radial": ("(9)", "g - g' cos"),
        "z": ("(6)", "{x} {W}; label: |{x}| |W_y| g"),
        "dx": ("(9)", "dz {W}^T, where the label's W_y becomes "
               "g' W_y + radial |W_y| / |{x}| {x}"),
        "dW": ("(9)", "{x}^T dz, where for the label's column {x} becomes "
               "g' {x} + radial |{x}| / |W_y| W_y"),
    },
)  # fmt: skip
LINEAR = Layer(linear_forward, linear_backward, ("x", "W", "b"), 3, "z", {
    "x": ("", "given: the images"),
    "W": ("", "given"),
    "b": ("", "given"),
    "z": ("", "{x} {W} + {b}"),
    "dx": ("", "d{z} {W}^T"),
    "dW": ("", "{x}^T d{z}"),
    "db": ("", "sum of d{z} over the rows"),
})  # fmt: skip
RELU = Layer(relu_forward, relu_backward, ("h",), 1, "a", {
    "active": ("", "{h} > 0"),
    "a": ("", "max({h}, 0)"),
    "dh": ("", "d{a} where {h} > 0, else 0"),
})  # fmt: skip


# ----------------------------------------------------------------------- the examples


def trace(what, *, margin=None, angle=None, norms=None, lam=None, seed=None) -> Trace:
    """Return the Trace of a hand-sized example, in float64.

    what: "softmax", "cross-entropy", "psi", "l-softmax" or "mlp".

    margin: an integer, 1 to 100 (default 4); angle: degrees between the features and
    their class's weight, 0 to 180 (default 150); norms: |x| and |W_y|, 0 or 1e-150 to
    1e150 (default 2, 1); lam: from 0 (default 0); seed: draws the other numbers,
    instead of those chosen by hand. Raises ValueError or TypeError for an argument that
    is not one of these, or that this example does not have.
    """
    if what not in EXAMPLES:
        raise ValueError(f"there is no trace of {what!r}: {', '.join(EXAMPLES)}")
    options = {
        "margin": margin, "angle": angle, "norms": norms, "lam": lam, "seed": seed
    }  # fmt: skip
    draw, known = EXAMPLES[what]
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if name not in known:
            has = ", ".join(known)
            raise ValueError(f"{name} is {value}, but {what} has no {name}: only {has}")
    return draw(**{name: CHECKS[name](value) for name, value in given.items()})


def _softmax(seed=None):
    rng = np.random.default_rng(seed)
    z = [[2, 1, 0]] if seed is None else rng.integers(-3, 4, (1, 3))
    steps = _run([(SOFTMAX, np.array(z, float), (), {})])
    return _traced("softmax of one row of three logits", steps, np.array([[1.0, 0, 0]]))


def _cross_entropy(seed=None):
    rng = np.random.default_rng(seed)
    z = [[2, 1, 0], [0, 3, 0]] if seed is None else rng.integers(-3, 4, (2, 3))
    y = [0, 2] if seed is None else rng.integers(0, 3, 2)
    steps = _run([(CROSS_ENTROPY, np.array(z, float), (np.array(y),), {})])
    return _traced("cross-entropy of two rows of three logits", steps, 1.0)


def _psi(margin=4, angle=150.0):
    steps = _run([(COS, np.radians(angle), (), {}), (PSI, None, (margin,), {})])
    return _traced(f"psi of {angle:g} degrees, m = {margin}", steps, 1.0)


def _l_softmax(margin=4, angle=150.0, norms=(2.0, 1.0), lam=0.0, seed=None):
    rng, theta = np.random.default_rng(seed), np.radians(angle)
    x = norms[0] * np.array([[np.cos(theta), np.sin(theta)]])  # (1, 2)
    others = [[0, -1], [1, 1]] if seed is None else rng.integers(-2, 3, (2, 2))
    W = np.column_stack([[norms[1], 0.0], others])  # (2, 3)
    steps = _run([
        (LSOFTMAX, x, (W, np.array([0]), margin, lam), {}),
        (CROSS_ENTROPY, None, (np.array([0]),), {}),
    ])  # fmt: skip
    title = f"L-Softmax, m = {margin}, lam = {lam:g}, {angle:g} degrees from x to W_y"
    return _traced(title, steps, 1.0)


def _mlp(margin=4, lam=0.0, seed=0):
    rng = np.random.default_rng(seed)

    def tenths(*shape):
        return np.round(rng.normal(size=shape), 1)

    x, y = tenths(2, 2), rng.integers(0, 3, 2)  # (2, 2), (2,)
    one = {"x": "x", "W": "W1", "b": "b1", "z": "h1"}
    two = {"x": "a1", "W": "W2", "b": "b2", "z": "h2"}
    three = {"x": "a2", "W": "W3", "b": "b3", "z": "features"}
    steps = _run([
        (LINEAR, x, (tenths(2, 3), tenths(3)), one),
        (RELU, None, (), {"h": "h1", "a": "a1", "active": "active1"}),
        (LINEAR, None, (tenths(3, 3), tenths(3)), two),
        (RELU, None, (), {"h": "h2", "a": "a2", "active": "active2"}),
        (LINEAR, None, (tenths(3, 2), tenths(2)), three),
        (LSOFTMAX, None, (tenths(2, 3), y, margin, lam), {"x": "features", "W": "W4"}),
        (CROSS_ENTROPY, None, (y,), {}),
    ])  # fmt: skip
    title = f"the tiny MLP with two images of two pixels, m = {margin}, lam = {lam:g}"
    return _traced(title, steps, 1.0)


EXAMPLES = {
    "softmax": (_softmax, ("seed",)),
    "cross-entropy": (_cross_entropy, ("seed",)),
    "psi": (_psi, ("margin", "angle")),
    "l-softmax": (_l_softmax, ("margin", "angle", "norms", "lam", "seed")),
    "mlp": (_mlp, ("margin", "lam", "seed")),
}


def _check_angle(angle):
    angle = non_negative("angle", angle)
    if angle > 180:
        raise ValueError(f"angle is {angle:g}, but it must be 0 to 180 degrees")
    return angle


def _check_norms(norms):
    if isinstance(norms, str) or not isinstance(norms, Sequence) or len(norms) != 2:
        raise TypeError(f"norms is {norms}, but it must be two numbers, |x| and |W_y|")
    norms = tuple(non_negative("norms", norm) for norm in norms)
    for norm in norms:
        if norm and not 1 / LARGEST_NORM <= norm <= LARGEST_NORM:
            raise ValueError(
                f"norms is {norm:g}, but a trace is for 0 and {1 / LARGEST_NORM:g} to "
                f"{LARGEST_NORM:g}"
            )
    return norms


def _check_seed(seed):
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed is {seed}, but it must be an integer from 0")
    return seed


CHECKS = {
    "margin": check_margin,
    "angle": _check_angle,
    "norms": _check_norms,
    "lam": lambda lam: non_negative("lam", lam),
    "seed": _check_seed,
}


# --------------------------------------------------------- running and differentiating


class Step(NamedTuple):
    """A layer that has run: what went in, what came out, what it kept."""

    layer: Layer
    arguments: tuple
    names: Mapping[str, str]  # of the layer's symbols in this trace
    value: np.ndarray
    cache: NamedTuple

    def name(self, symbol):
        """Return the name of one of the layer's symbols, or of its gradient, d..."""
        if symbol[:1] == "d" and symbol[1:] in self.names:
            return "d" + self.names[symbol[1:]]
        return self.names.get(symbol, symbol)

    def row(self, symbol, value, **more):
        """Return the Row of a symbol with its equation and formula."""
        equation, formula = self.layer.formulas.get(symbol, ("", ""))
        symbols = dict.fromkeys(itertools.chain(self.layer.inputs, self.layer.formulas))
        formula = formula.format(**{name: self.name(name) for name in symbols})
        return Row(equation, self.name(symbol), np.shape(value), value, formula, **more)


def _run(layers):
    """Return a Step for each (layer, first argument, other arguments, names).

    A first argument of None is what the layer before gave.
    """
    steps, value = [], None
    for layer, first, others, names in layers:
        arguments = (value if first is None else first, *others)
        value, cache = layer.forward(*arguments)
        steps.append(Step(layer, arguments, names, value, cache))
    return steps


def _traced(title, steps, cotangent):
    return Trace(title, tuple(_forward(steps)), tuple(_backward(steps, cotangent)))


def _forward(steps):
    """Yield a Row for each input, field of a cache and output, every name once."""
    shown = set()
    for step in steps:
        inputs = dict(zip(step.layer.inputs, step.arguments, strict=True))
        kept = step.cache._asdict() | {step.layer.output: step.value}
        for symbol, value in (inputs | kept | inputs).items():
            if step.name(symbol) not in shown and not _is_no_scale(symbol, value):
                shown.add(step.name(symbol))
                yield step.row(symbol, value, note=_why(symbol, step))


def _is_no_scale(symbol, value):
    return symbol.endswith("_scale") and np.all(value == 1)


def _backward(steps, cotangent):
    """Yield a Row for each gradient, from the loss back to the first layer's inputs."""
    gradient = np.asarray(cotangent)
    last = steps[-1]
    yield last.row("d" + last.layer.output, gradient)
    for i in reversed(range(len(steps))):
        step = steps[i]
        gradients = step.layer.backward(gradient, step.cache)
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        for j, value in enumerate(gradients):
            numeric, note = _numeric(steps, i, j, cotangent, value)
            yield step.row(
                "d" + step.layer.inputs[j], value,
                numeric=numeric, difference=_relative(value, numeric), note=note,
            )  # fmt: skip
        gradient = gradients[0]


def _numeric(steps, i, j, cotangent, gradient):
    """Return the gradient by argument j of step i by differences, and a note on it."""

    def loss(argument):
        before, after = steps[i].arguments[:j], steps[i].arguments[j + 1 :]
        value = steps[i].layer.forward(*before, argument, *after)[0]
        for later in steps[i + 1 :]:
            value = later.layer.forward(value, *later.arguments[1:])[0]
        return np.sum(cotangent * value)

    argument, layer = np.asarray(steps[i].arguments[j]), steps[i].layer
    h = np.array(H)
    if layer is LSOFTMAX:  # a vector, a row of x or a column of W, may have any size
        h = H * power_of_two(np.abs(argument).max(axis=1 - j, keepdims=True))
    try:
        numeric = central_difference(loss, argument, h)
    except ValueError:
        numeric = complex_step(loss, argument)
        why = "a cosine ends here" if layer is PSI else "beside this number h is lost"
        return numeric, f"{why}: by the complex step instead"
    if _relative(gradient, numeric) < CLOSE:
        return numeric, ""
    return numeric, _doubt(steps, i, gradient, EPS * abs(loss(argument)) / h.min())


def _relative(gradient, numeric):
    """Return how far two gradients are apart, for the largest entry of both."""
    size = max(np.abs(gradient).max(), np.abs(numeric).max())
    return float(np.abs(gradient - numeric).max() / size) if size else 0.0


# ---------------------------------------------------------------------- notes on a row


def _why(symbol, step):
    """Return why a piece of psi or of ReLU is the one it is, or an empty string."""
    if symbol == "active" and _on_kink(step):
        return f"an entry of {step.name('h')} is 0, but for rounding: on the kink"
    if symbol != "k":
        return ""
    cache = step.cache
    cosines, pieces = np.atleast_1d(cache.cos), np.atleast_1d(cache.k)
    which = [f"row {i}: " if len(pieces) > 1 else "" for i in range(len(pieces))]
    angles = _no_angle(step) if step.layer is LSOFTMAX else np.zeros(len(pieces), bool)
    return "\n".join(
        name + (NO_ANGLE if none else _piece(cache.m, float(cos), int(k)))
        for name, none, cos, k in zip(which, angles, cosines, pieces, strict=True)
    )


NO_ANGLE = "a vector is 0, so no angle exists: z_y = 0, with the slope of m = 1 (10)"


def _no_angle(step):
    cache = step.cache
    return (cache.x_norm == 0) | (cache.W_norm[cache.y] == 0)


def _piece(m, cos, k):
    """Return in which piece of psi an angle lies, and why."""
    theta = math.degrees(math.acos(min(1.0, max(-1.0, cos))))
    if m == 1:
        return f"theta = {theta:.6g} degrees: m = 1 has one piece, the cosine itself"
    angles = [180 * j / m for j in range(1, m)]
    knots = [f"cos {a:g} = {math.cos(math.radians(a)):.4f}" for a in angles]
    above = f"no knot lies above cos = {cos:.4f}, not even {knots[0]}"
    if k > 0:
        lie = "knot lies" if k == 1 else "knots lie"
        named = knots[:k] if k < 4 else [knots[0], "...", knots[k - 1]]
        above = f"{k} {lie} above cos = {cos:.4f}: {', '.join(named)}"
    text = (
        f"theta = {theta:.6g} degrees is in [{180 * k / m:g}, {180 * (k + 1) / m:g}], "
        f"so k = {k}: {above}"
    )
    knot = _knot(m, theta)
    if knot:
        text += (
            f"; theta is the knot {180 * knot / m:g} itself, where the pieces "
            f"k = {knot - 1} and k = {knot} meet with the same value and slope"
        )
    return text


def _knot(m, theta):
    """Return which knot, from 1, theta is, in degrees and nearly; 0 for none."""
    nearest = round(theta * m / 180)
    close = math.isclose(theta, 180 * nearest / m, abs_tol=1e-3)
    return nearest if close and 0 < nearest < m else 0


def _on_kink(step):
    return step.layer is RELU and np.any(np.abs(step.arguments[0]) < 1e-4)


def _doubt(steps, i, gradient, noise):
    """Return why the differences of step i are off here, or an empty string."""
    for step in steps[i:]:
        if _on_kink(step):
            return f"{step.name('h')} is on a kink: differences see both its sides"
        if step.layer is LSOFTMAX and _no_angle(step).any():
            return "at a vector 0 the loss has a tip: differences see both its sides"
        if step.layer in (PSI, LSOFTMAX):
            theta = np.degrees(np.arccos(np.clip(step.cache.cos, -1, 1)))
            if any(_knot(step.cache.m, angle) for angle in np.atleast_1d(theta)):
                return "on a knot the slope has a kink: differences are off by about h"
    if noise > CLOSE * np.abs(gradient).max():
        return "the loss moves by less than its rounding: differences see nothing"
    return ""


# ------------------------------------------------------------------------------- layout

FORWARD_HEAD = "     forward   shape   value                        formula"
BACKWARD_HEAD = (
    "     backward  shape   formula\n"
    "     value                        by differences                rel. difference"
)


def _forward_block(row, paint):
    formula = textwrap.wrap(row.formula, WIDTH - 52) or [""]
    left = f"{row.equation:5}{row.name:10}{_shape(row):8}"
    lines = []
    for value, words in itertools.zip_longest(_lines(row.value), formula, fillvalue=""):
        lines.append(f"{left}{value:27}  {paint(words, 'faint')}".rstrip())
        left = " " * 23
    return "\n".join(lines + _note(row, paint))


def _backward_block(row, paint):
    left = f"{row.equation:5}{row.name:10}{_shape(row):8}"
    formula = textwrap.wrap(row.formula, WIDTH - 23) or [""]
    lines = [left + paint(formula[0], "faint")]
    lines += [" " * 23 + paint(words, "faint") for words in formula[1:]]
    numeric = [] if row.numeric is None else _lines(row.numeric)
    values = _lines(row.value)
    for value, beside in itertools.zip_longest(values, numeric, fillvalue=""):
        lines.append(f"     {value:27}  {beside:27}".rstrip())
    if row.difference is not None:
        look = "good" if row.difference < CLOSE else "faint" if row.note else "bad"
        lines[-1] = f"{lines[-1]:61}{paint(f'{row.difference:10.0e}', look)}"
    return "\n".join(lines + _note(row, paint))


def _note(row, paint):
    notes = [textwrap.wrap(note, WIDTH - 9) for note in row.note.splitlines()]
    return [paint(f"       > {line}", "faint") for line in itertools.chain(*notes)]


def _shape(row):
    return str(row.shape) if isinstance(row.value, np.ndarray | np.generic) else ""


def _lines(value):
    """Return a line for each row of an array, its entries in columns of 9."""
    rows = np.atleast_2d(value)
    return ["".join(f" {_entry(entry):>8}" for entry in row) for row in rows]


def _entry(entry):
    """Return a number with 4 decimals, or in powers of ten where those say little."""
    if isinstance(entry, np.bool_):
        return "yes" if entry else "no"
    if isinstance(entry, np.integer):
        return str(entry)
    if entry == 0:
        return "0.0000"  # also -0.0
    return f"{entry:.4f}" if 5e-4 <= abs(entry) < 1e4 else f"{entry:.1e}"


def _html_row(row):
    def block(value):
        text = "" if value is None else html.escape("\n".join(_lines(value)))
        return f"<pre style='margin:0'>{text}</pre>"

    difference = "" if row.difference is None else f"{row.difference:.0e}"
    words = html.escape(row.formula)
    if row.note:
        words += f"<br><i>{html.escape(row.note).replace(chr(10), '<br>')}</i>"
    cells = (
        row.equation, f"<code>{row.name}</code>", _shape(row),
        block(row.value), block(row.numeric), difference, words,
    )  # fmt: skip
    cells = "".join(f"<td style='text-align:left'>{cell}</td>" for cell in cells)
    return f"<tr>{cells}</tr>"
