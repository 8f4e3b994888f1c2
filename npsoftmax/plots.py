"""Every figure of the project: data and an Axes go in, the Axes comes back, drawn on.

One style for all, `STYLE`, is in force while a function decorated with `styled` draws.
`new_figure` gives the Axes; nothing here needs a display or keeps a global state.
"""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from npsoftmax.cross_entropy import cross_entropy_backward, cross_entropy_forward
from npsoftmax.lsoftmax import lsoftmax_backward, lsoftmax_forward, psi, psi_prime
from npsoftmax.softmax import log_softmax, logsumexp, naive_softmax, softmax

INK, SOFT_INK, FAINT = "#22252b", "#6b7280", "#d9dce2"

# Any two are 0.12 or more apart in OKLab, also as people with protanopia, deuteranopia
# or tritanopia see them (simulated after Machado, Oliveira and Fernandes, 2009).
CLASS_COLOURS = (
    "#3450c9", "#fd890e", "#5da49f", "#650e7c", "#7dd0fe",
    "#bc5a1a", "#264c35", "#ac74f7", "#cdd998", "#856387",
)  # fmt: skip

# For curves: M. Okabe and K. Ito, "Color Universal Design" (2008).
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
GOOD, BAD = LINES[0], LINES[1]
EPS = float(np.finfo(np.float64).eps)
LOSS_LOOKS = (
    {"color": GOOD, "linewidth": 6, "alpha": 0.35},
    {"color": LINES[2], "linewidth": 2.4},
    {"color": BAD, "linewidth": 1.4, "linestyle": "--"},
)

STYLE = {
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "legend.frameon": False,
    "savefig.dpi": 200,
    "text.color": INK,
    "xtick.color": SOFT_INK,
    "ytick.color": SOFT_INK,
}

styled = matplotlib.rc_context(STYLE)


def style():
    """Return a context in which what you draw yourself has the one style, too."""
    return matplotlib.rc_context(STYLE)


@styled
def new_figure(rows=1, columns=1, size=(6.4, 4.0)):
    """Return a Figure in the one style, of `size` in inches, and its Axes (2-D array)."""
    figure = Figure(figsize=size)
    return figure, figure.subplots(rows, columns, squeeze=False)


class Features(NamedTuple):
    """Features of one network on one set of images, ready to be drawn."""

    x: np.ndarray  # (N, 2)
    y: np.ndarray  # (N,)
    W: np.ndarray  # (2, C)
    title: str


def class_colours(C):
    """Return C colours, those of the ten digits first, then an even round of hues."""
    if C <= len(CLASS_COLOURS):
        return CLASS_COLOURS[:C]
    rainbow = matplotlib.colormaps["turbo"]
    return [matplotlib.colors.to_hex(rainbow(c / (C - 1))) for c in range(C)]


@styled
def draw_features(axes, features):
    """Draw Features: each a dot in its class's colour, each class weight a ray.

    Returns the Axes. The rays show directions only: all end on one circle, each with
    its class beside it.
    """
    x, y, W, title = features
    C = W.shape[1]
    reach = 1.06 * np.sqrt((x**2).sum(axis=1)).max() or 1.0
    for c, colour in enumerate(class_colours(C)):
        direction = W[:, c] / (np.hypot(*W[:, c]) or 1.0)  # (2,)
        ray = np.outer([0, reach], direction)  # (2, 2)
        axes.plot(*ray.T, color=colour, linewidth=1.0, alpha=0.85, zorder=1)
        axes.text(
            *(1.09 * reach * direction), str(c), color=colour, weight="bold",
            size=9, ha="center", va="center",
        )  # fmt: skip
    order = np.random.default_rng(0).permutation(len(x))  # no class on top of all others
    colours = np.array(class_colours(C))[y[order]]
    axes.scatter(*x[order].T, s=7, c=colours, linewidths=0, alpha=0.75, zorder=2)
    axes.set(xlim=(-1.2 * reach, 1.2 * reach), ylim=(-1.2 * reach, 1.2 * reach))
    axes.set(aspect="equal", xticks=[], yticks=[], title=title)
    axes.spines[:].set_visible(False)
    return axes


@styled
def figure_of_features(train: Sequence[Features], test: Sequence[Features], note=""):
    """Return a Figure, the paper's figure 2: train row over test row, a column per m.

    train, test: as many Features each. note: one line below, such as the source. Source
    of the figure: Liu, Wen, Yu and Yang, ICML 2016, figure 2.
    """
    columns = len(train)
    figure, axes = new_figure(2, columns, size=(0.5 + 2.9 * columns, 6.6))
    for row, (part, name) in enumerate(((train, "train"), (test, "test"))):
        axes[row, 0].set_ylabel(name)
        for column, features in enumerate(part):
            draw_features(axes[row, column], features)
    C = train[0].W.shape[1]
    handles = [
        Line2D([], [], color=colour, marker="o", linewidth=1.0, label=str(c))
        for c, colour in enumerate(class_colours(C))
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=10)
    if note:
        figure.supxlabel(note, size=8, color=SOFT_INK)
    return figure


# ---------------------------------------------------------------- softmax and its loss


@styled
def overflow(dtypes=(np.float32, np.float64), ax=None):
    """Draw where naive softmax overflows and underflows, a panel for each type.

    The row [z, z - 1] has the same probabilities for every z; what is drawn is the naive
    p_0 against z. dtypes: floating types. ax: an Axes for each type. Returns them.
    """
    panels = _panels(ax, len(dtypes), size=(7.4, 3.4), sharey=True)
    for panel, dtype in zip(panels, map(np.dtype, dtypes), strict=True):
        limits = np.finfo(dtype)
        top, subnormal, bottom = np.log(
            np.array([limits.max, limits.tiny, limits.smallest_subnormal], np.longdouble)
        ).astype(float)
        z = np.linspace(1.35 * bottom, 1.5 * top, 6000).astype(dtype)  # (6000,)
        with np.errstate(all="ignore"):
            p = naive_softmax(np.stack([z, z - 1], axis=1))[:, 0]  # (6000,)
        true_p = softmax(np.array([1, 0], dtype))[0]
        panel.axhline(true_p, color=GOOD, linewidth=5, alpha=0.35, label="softmax")
        panel.plot(z, p, color=BAD, linewidth=1.6, label="naive")
        for low, high, words in (
            (z[0], bottom, "0/0\nnan"), (top, z[-1], "inf/inf\nnan")
        ):  # fmt: skip
            panel.axvspan(low, high, color=BAD, alpha=0.12, linewidth=0)
            _words(panel, (low + high) / 2, 0.35, words, color=BAD, ha="center")
        panel.axvspan(bottom, subnormal, color=FAINT, alpha=0.6, linewidth=0)
        panel.set_xticks([bottom, subnormal, 0, top], [f"{bottom:.0f}", "", "0", f"{top:.2f}"])
        panel.set(xlim=(z[0], z[-1]), ylim=(0, 1.05), title=dtype.name, xlabel="logit z")
    panels[0].set_ylabel("p of the first entry of [z, z - 1]")
    panels[-1].legend(loc="lower center")
    return _given(panels)


@styled
def loss_against_gap(ax=None):
    """Draw the loss of a row of two logits against their gap, computed in three ways.

    The row is [gap, 0] with the label first, in float64: naively, as the logarithm of
    softmax, and by log-sum-exp. ax: two Axes, for wrong answers (gap < 0, the loss on a
    linear scale) and right ones (gap > 0, on a logarithmic scale). Returns them.
    """
    panels = _panels(ax, 2, size=(7.4, 3.6))
    for panel, gap in zip(
        panels, (np.linspace(-1000, 0, 2001), np.linspace(0, 1000, 2001)), strict=True
    ):
        rows = np.stack([gap, np.zeros_like(gap)], axis=1)  # (2001, 2)
        with np.errstate(all="ignore"):
            losses = {
                "log-sum-exp": logsumexp(rows) - gap,
                "log of softmax": -np.log(softmax(rows)[:, 0]),
                "naive": -np.log(naive_softmax(rows)[:, 0]),
            }
        losses["log-sum-exp"] = -log_softmax(rows)[:, 0]
        for (name, loss), look in zip(losses.items(), LOSS_LOOKS, strict=True):
            panel.plot(gap, loss, label=name, **look)
        panel.set(xlabel="gap, the label's logit less the other's")
    panels[0].set(title="wrong: the loss is the gap", ylabel="loss")
    panels[1].set(title="right: the loss is exp(-gap)", yscale="log")
    panels[0].legend()
    return _given(panels)


@styled
def jacobian(z, ax=None):
    """Draw the Jacobian dp_i/dz_j = p_i (delta_ij - p_j) of softmax at logits z (C,).

    Every row and every column sums to 0: what one class gains, the others lose. Returns
    the Axes.
    """
    z = np.asarray(z, dtype=np.float64)
    p = softmax(z)  # (C,)
    J = np.diag(p) - np.outer(p, p)  # (C, C)
    (ax,) = _panels(ax, 1, size=(5.4, 4.4))
    reach = np.abs(J).max()
    image = ax.imshow(J, cmap="PuOr_r", vmin=-reach, vmax=reach)
    for i, j in np.ndindex(*J.shape):
        light = abs(J[i, j]) > 0.6 * reach
        ax.text(
            j, i, f"{J[i, j]:+.3f}", ha="center", va="center", size=9,
            color="white" if light else INK,
        )  # fmt: skip
    ax.set_xticks(range(len(z)), [f"z_{j} = {value:g}" for j, value in enumerate(z)])
    ax.set_yticks(range(len(z)), [f"p_{i} = {value:.3f}" for i, value in enumerate(p)])
    ax.set_title("dp_i/dz_j: raise one logit, and the others lose what it gains")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.figure.colorbar(image, ax=ax, shrink=0.85).outline.set_visible(False)
    return ax


@styled
def difference_errors(f, derivative, x, ax=None):
    """Draw how wrong finite differences are, against their step: the V.

    f: a function of an array, analytic, so that it takes complex numbers too.
    derivative: its derivative, a function or its value at x. x: a number. Drawn is the
    relative error of forward, central and five-point differences and of the complex step,
    for steps from 1 to 2^-60. Returns the Axes.
    """
    (ax,) = _panels(ax, 1, size=(6.4, 4.4))
    true = derivative(x) if callable(derivative) else derivative
    steps = 2.0 ** -np.arange(2, 61)  # (59,)
    methods = {
        "forward": lambda h: (f(x + h) - f(x)) / h,
        "central": lambda h: (f(x + h) - f(x - h)) / (2 * h),
        "five-point": lambda h: (
            8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))
        ) / (12 * h),
        "complex step": lambda h: np.imag(f(x + 1j * h)) / h,
    }  # fmt: skip
    for (name, slope), colour in zip(methods.items(), LINES, strict=False):
        error = np.array([abs(slope(h) - true) / abs(true) for h in steps])  # (59,)
        error = np.maximum(error, EPS / 4)  # 0 has no place on a logarithmic scale
        ax.plot(steps, error, color=colour, marker=".", markersize=4, label=name)
    ax.axhline(EPS, color=SOFT_INK, linewidth=0.8, linestyle=":")
    ax.set(xscale="log", yscale="log", xlabel="step h", ylabel="relative error")
    ax.set_title("a difference's error is a V, the complex step's is not")
    ax.legend(loc="upper left")
    return ax


# ------------------------------------------------------------------ psi and its margin


@styled
def psi_pieces(margins=(1, 2, 3, 4), ax=None):
    """Draw psi(theta) for each margin, its knots k pi/m as dots, and cos(theta).

    Returns the Axes; theta is in degrees.
    """
    (ax,) = _panels(ax, 1, size=(6.4, 4.4))
    theta = np.linspace(0, np.pi, 721)  # (721,)
    ax.plot(
        np.degrees(theta), np.cos(theta), color=INK, linewidth=4, alpha=0.15, label="cos"
    )
    for m in margins:
        knots = np.arange(1, m) * np.pi / m  # (m - 1,)
        colour = margin_colour(m)
        ax.plot(np.degrees(theta), psi(theta, m), color=colour, label=f"m = {m}")
        ax.plot(np.degrees(knots), psi(knots, m), "o", color=colour, markersize=5)
        _words(ax, 183, 1 - 2 * m, f"m = {m}", color=colour, va="center")
    _degrees(ax)
    ax.set(ylabel="psi(theta)", title="psi falls from 1 to 1 - 2m, piece by piece")
    return ax


@styled
def psi_slopes(margins=(1, 2, 3, 4), ax=None):
    """Draw the slope dpsi/dtheta = -m |sin(m theta)| for each margin, knots as dots.

    Returns the Axes; theta is in degrees, the slope is by theta in radians.
    """
    (ax,) = _panels(ax, 1, size=(6.4, 3.4))
    theta = np.linspace(0, np.pi, 721)  # (721,)
    for m in margins:
        knots = np.arange(1, m) * np.pi / m  # (m - 1,)
        colour = margin_colour(m)
        ax.plot(np.degrees(theta), psi_prime(theta, m), color=colour, label=f"m = {m}")
        ax.plot(np.degrees(knots), psi_prime(knots, m), "o", color=colour, markersize=5)
    _degrees(ax)
    ax.set(ylabel="dpsi/dtheta", title="its slope is 0 on both sides of every knot")
    return ax


@styled
def gradient_field(m, ax=None):
    """Draw where a step down the loss pushes a 2-D feature, by its place in the plane.

    Two classes, unit weights 90 degrees apart, and the features' own class the one to the
    right: -dloss/dx of softmax, and beside it of L-Softmax with margin m. ax: two Axes.
    Returns them.
    """
    panels = _panels(ax, 2, size=(7.4, 4.0), sharey=True)
    W = np.eye(2)  # (2, 2)
    theta = np.radians(np.arange(0, 360, 15))  # (24,)
    r = np.array([0.75, 1.5, 2.25, 3.0])[:, None]  # (4, 1)
    x = np.stack([r * np.cos(theta), r * np.sin(theta)], axis=-1).reshape(-1, 2)
    for panel, margin in zip(panels, (1, m), strict=True):
        push = -loss_gradient(x, W, margin)  # (96, 2)
        size = np.hypot(*push.T)  # (96,)
        arrows = panel.quiver(
            *x.T, *push.T, size, cmap="viridis_r", angles="xy", pivot="tail",
        )  # fmt: skip
        panel.set(aspect="equal", xticks=[], yticks=[])
        panel.spines[:].set_visible(False)
        panel.set_title("softmax" if margin == 1 else f"L-Softmax, m = {m}")
    return _given(panels)


def loss_gradient(x, W, m):
    """Return dloss/dx (N, 2) of features x (N, 2), each with its own loss, class 0."""
    y = np.zeros(len(x), dtype=int)
    z, margins = lsoftmax_forward(x, W, y, m)
    loss, cross_entropy = cross_entropy_forward(z, y)
    dz = cross_entropy_backward(float(len(x)), cross_entropy)  # the mean's 1/N undone
    dx, dW = lsoftmax_backward(dz, margins)
    return dx


@styled
def two_classes(norms=(1, 1), m=2, apart=60, ax=None):
    """Draw the two-class picture of the paper: boundaries of softmax and L-Softmax.

    norms: |W_1| and |W_2|; m: the margin; apart: degrees between W_1 and W_2. Between
    the two boundaries of L-Softmax lies the margin, for equal norms (m - 1)/(m + 1) of
    `apart`. Returns the Axes. Source: Liu, Wen, Yu and Yang, ICML 2016, figure 4.
    """
    (ax,) = _panels(ax, 1, size=(4.2, 3.8))
    middle, half = np.pi / 2, np.radians(apart) / 2
    for c, side in ((0, 1), (1, -1)):
        to = middle + side * half
        for low, high in class_sector(norms if c == 0 else norms[::-1], m, apart):
            ends = to - side * np.array([low, high])
            arc = np.linspace(*ends, 200)
            ax.fill(
                np.r_[0, np.cos(arc)], np.r_[0, np.sin(arc)], color=LINES[c],
                alpha=0.18, linewidth=0,
            )  # fmt: skip
            for end in ends:
                ax.plot([0, np.cos(end)], [0, np.sin(end)], color=LINES[c], linewidth=1.2)
        tip = 0.9 * norms[c] / max(norms) * np.array([np.cos(to), np.sin(to)])
        ax.annotate(
            "", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "color": LINES[c], "lw": 2}
        )
        _words(ax, *(1.1 * tip), f"W_{c + 1}", color=LINES[c], ha="center", weight="bold")
    ax.set(aspect="equal", xticks=[], yticks=[], xlim=(-1.2, 1.2), ylim=(-0.4, 1.2))
    ax.spines[:].set_visible(False)
    sign = "=" if norms[0] == norms[1] else ">" if norms[0] > norms[1] else "<"
    ax.set_title(f"|W_1| {sign} |W_2|")
    return ax


def class_sector(norms, m, apart):
    """Return where |W_1| psi(theta_1) > |W_2| cos(theta_2), as pairs of angles.

    The angles are in radians from W_1, counted towards W_2, from -pi to pi; there is
    none where no direction fulfils the margin.
    """
    A = np.radians(apart)

    def lead(phi):
        return norms[0] * psi(np.abs(phi), m) - norms[1] * np.cos(phi - A)

    phi = np.linspace(-np.pi, np.pi, 2881)  # an eighth of a degree
    ahead = lead(phi) > 0
    change = np.flatnonzero(ahead[1:] != ahead[:-1])
    edges = [_bisect(lead, phi[i], phi[i + 1]) for i in change]
    return list(zip(edges[::2], edges[1::2], strict=True))


# ---------------------------------------------------------------------------- training


@styled
def annealing(schedule, steps, ax=None):
    """Draw lambda against the iteration, on a logarithmic scale.

    schedule: a function of the iteration, counted from 0; steps: how many there are.
    Returns the Axes.
    """
    (ax,) = _panels(ax, 1, size=(6.4, 3.8))
    step = np.arange(steps)
    lam = np.array([schedule(int(s)) for s in step])
    ax.plot(step, lam, color=LINES[0])
    ax.set(yscale="log", xlabel="iteration", ylabel="lambda")
    return ax


@styled
def angle_histogram(angles_by_margin, ax=None):
    """Draw how far features are from their own class's weight, a histogram per margin.

    angles_by_margin: a dict from m to angles (N,) in degrees. Returns the Axes.
    """
    (ax,) = _panels(ax, 1, size=(6.4, 3.8))
    widest = max(np.nanmax(angles) for angles in angles_by_margin.values())
    bins = np.linspace(0, widest, 46)
    for m, angles in angles_by_margin.items():
        colour = margin_colour(m)
        ax.hist(angles, bins, histtype="step", color=colour, linewidth=1.6, label=f"m = {m}")
        ax.axvline(np.nanmean(angles), color=colour, linestyle="--", linewidth=1)
    ax.set(xlabel="angle to the own class's weight, degrees", ylabel="features")
    ax.legend()
    return ax


# ------------------------------------------------------------------------ what all share


def margin_colour(m):
    """Return the colour of a margin: ink for m = 1, which is softmax."""
    return INK if m == 1 else LINES[(m - 2) % len(LINES)]


def _panels(ax, columns, rows=1, size=(6.4, 4.0), **shared):
    """Return the Axes to draw on, (rows * columns,): those given, or a new figure's."""
    if ax is None:
        from matplotlib import pyplot

        figure, ax = pyplot.subplots(
            rows, columns, figsize=size, layout="constrained", **shared
        )
    panels = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    if len(panels) != rows * columns:
        raise ValueError(
            f"ax has {len(panels)} Axes, but this figure has {rows * columns} panels"
        )
    return panels


def _given(panels):
    return panels if len(panels) > 1 else panels[0]


def _words(ax, x, y, text, **look):
    return ax.text(x, y, text, size=9, **look)


def _degrees(ax):
    ax.set_xticks(range(0, 181, 30))
    ax.set(xlim=(0, 180), xlabel="theta, degrees")
    ax.axhline(0, color=FAINT, linewidth=0.8, zorder=0)


def _bisect(f, low, high):
    """Return where f changes its sign between low and high, to the last digit."""
    start = f(low) > 0
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if (f(middle) > 0) == start else (low, middle)
    return middle
