"""Every figure of the project: data and `ax` go in, `ax` comes back, drawn on.

ax is an Axes, or as many as the figure has panels. Without it, a function makes a
figure of its own, with a caption below that says what is seen: the second paragraph of
the function's docstring. It is the figure's alternative text, too, in a notebook and in
a file. One style for all, `STYLE`, is in force while a function draws. `new_figure`
gives Axes; nothing here needs a display or keeps a global state.
"""

import contextlib
import functools
import inspect
import io
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from npsoftmax.cross_entropy import cross_entropy_backward, cross_entropy_forward
from npsoftmax.gradcheck import central_difference, complex_step, five_point
from npsoftmax.lsoftmax import lsoftmax_backward, lsoftmax_forward, psi, psi_prime
from npsoftmax.softmax import log_softmax, naive_softmax, softmax

INK, SOFT_INK, FAINT = "#22252b", "#6b7280", "#d9dce2"

# Any two are 0.12 or more apart in OKLab, also as people with protanopia, deuteranopia
# or tritanopia see them (simulated after Machado, Oliveira and Fernandes, 2009).
CLASS_COLOURS = (
    "#3450c9", "#fd890e", "#5da49f", "#650e7c", "#7dd0fe",
    "#bc5a1a", "#264c35", "#ac74f7", "#cdd998", "#856387",
)  # fmt: skip

MOST_BADGES = 40  # beyond, names of classes would lie on each other

# For curves: M. Okabe and K. Ito, "Color Universal Design" (2008).
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
GOOD, BAD = LINES[0], LINES[1]
EPS = float(np.finfo(np.float64).eps)
DEGREES = "\N{DEGREE SIGN}"
PALE = {"linewidth": 6, "alpha": 0.35}  # what is right, behind what is not
DOTTED = {"marker": ".", "markersize": 4}

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


@contextlib.contextmanager
def style():
    """Return a context in which what you draw yourself has the one style, too.

    Only what STYLE names is restored: `matplotlib.rc_context` would also undo what a
    notebook's backend sets on its first figure, and no later figure would be shown.
    """
    before = {name: matplotlib.rcParams[name] for name in STYLE}
    matplotlib.rcParams.update(STYLE)
    try:
        yield
    finally:
        matplotlib.rcParams.update(before)


class CaptionedFigure(Figure):
    """A Figure with a caption below, which a notebook takes as its alternative text."""

    caption = ""

    def set_caption(self, caption):
        """Write the caption below all panels, in lines as wide as the figure."""
        self.caption = caption
        lines = textwrap.fill(caption, int(15.5 * self.get_figwidth()))
        self.supxlabel(
            lines, x=0.01, ha="left", size=8.5, color=SOFT_INK, linespacing=1.4
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        """Return no picture, only what IPython is to say of the picture."""
        return {}, {"image/png": {"alt": self.caption}}

    def _repr_png_(self):
        """Return the picture where no one has told IPython how to draw a Figure."""
        return content_of(self, dpi="figure")


@style()
def new_figure(
    rows=1, columns=1, size=(6.4, 4.0), caption="", make=CaptionedFigure, **shared
):
    """Return a Figure in the one style, `size` in inches, and its Axes (2-D array)."""
    figure = make(figsize=size)
    axes = figure.subplots(rows, columns, squeeze=False, **shared)
    if caption:
        figure.set_caption(caption)
    return figure, axes


def drawn(size=(6.4, 4.0), columns=1, rows=1, **shared):
    """Decorate what draws on its argument `ax`: in the one style, and `ax` is returned.

    Where ax is None, a new figure is made of this size, in inches. Its caption is the
    second paragraph of the docstring, or an argument `caption`.
    """

    def decorate(draw):
        signature, doc = inspect.signature(draw), inspect.getdoc(draw) or "\n\n"
        second = " ".join(doc.split("\n\n")[1].split())

        @functools.wraps(draw)
        @style()
        def figure(*args, **options):
            given = signature.bind(*args, **options)
            given.apply_defaults()
            arguments = given.arguments
            caption = arguments.get("caption") or second
            panels = _panels(arguments["ax"], rows, columns, size, caption, shared)
            arguments["ax"] = panels if len(panels) > 1 else panels[0]
            draw(*given.args, **given.kwargs)
            return arguments["ax"]

        return figure

    return decorate


def _panels(ax, rows, columns, size, caption, shared):
    """Return the Axes to draw on, (rows * columns,): those given, or a new figure's."""
    if ax is None:
        from matplotlib import pyplot

        make = functools.partial(pyplot.figure, FigureClass=CaptionedFigure)
        _, ax = new_figure(rows, columns, size, caption, make, **shared)
    panels = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    if len(panels) != rows * columns:
        raise ValueError(
            f"ax holds {len(panels)} Axes, but this figure has {rows * columns} panels"
        )
    return panels


class Features(NamedTuple):
    """Features of one network on one set of images, ready to be drawn."""

    x: np.ndarray  # (N, 2)
    y: np.ndarray  # (N,)
    W: np.ndarray  # (2, C)
    title: str
    labels: Sequence | None = None  # what the classes are called, by default 0 .. C-1

    @property
    def names(self) -> Sequence:
        return range(self.W.shape[1]) if self.labels is None else self.labels


def class_colours(C):
    """Return C colours: those of the ten digits, or for more an even round of hues."""
    if C <= len(CLASS_COLOURS):  # noqa: SIM300
        return CLASS_COLOURS[:C]
    rainbow = matplotlib.colormaps["turbo"]
    return [matplotlib.colors.to_hex(rainbow(c / (C - 1))) for c in range(C)]


def plane_of(W):
    """Return a matrix P (F, 2) that brings features into a plane, and what it does.

    The features are x P and the weights P^T W. W: (F, C). Two features stay as they
    are; one lies on a line; of more, the plane through the origin is kept that holds
    most of the squared lengths of W: its first two left singular vectors.
    """
    F = len(W)
    if F <= 2:
        return np.eye(F, 2, dtype=W.dtype), "1 feature, on a line" if F == 1 else ""
    plane = np.linalg.svd(W)[0][:, :2]  # (F, 2)
    note = f"the shadow of {F} features on a plane: angles look other than they are"
    return plane, note


@style()
def draw_features(axes, features, reach=None):
    """Draw Features: each a dot in its class's colour, each class weight a ray.

    Returns the Axes. The rays show directions, not lengths: each ends on the circle of
    radius `reach`, by default just beyond the longest feature, with its class on it.
    """
    x, y, W = features.x, features.y, features.W
    colours = class_colours(W.shape[1])
    reach = reach or _reach(x)
    circle = reach * _direction(np.linspace(0, 2 * np.pi, 181))  # (2, 181)
    axes.plot(*circle, color=FAINT, linewidth=0.8)
    for w, colour, name in zip(W.T, colours, features.names, strict=True):
        end = reach * w / (np.hypot(*w) or 1.0)  # (2,)
        axes.plot(*np.outer(end, [0, 1]), color=colour, linewidth=1.1, alpha=0.8)
        if len(colours) <= MOST_BADGES:
            _badge(axes, end, colour, name)
    order = np.random.default_rng(0).permutation(len(x))  # no class lies on the others
    each = np.array(colours)[y[order]]
    axes.scatter(*x[order].T, s=9, c=each, linewidths=0, alpha=0.7, zorder=2.5)
    axes.set_title(features.title, loc="center", pad=5)
    _plane(axes, 1.12 * reach)
    return axes


def _badge(axes, place, colour, name):
    """Write the name of a class on its colour; white is read better on what is dark."""
    red, green, blue = matplotlib.colors.to_rgb(colour)
    is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.58
    axes.text(
        *place, str(name), size=8.5, weight="bold", ha="center", va="center_baseline",
        color="white" if is_dark else INK,
        bbox={"boxstyle": "circle,pad=0.22", "fc": colour, "ec": "white"},
    )  # fmt: skip


@style()
def figure_of_features(train: Sequence[Features], test: Sequence[Features], note=""):
    """Return a Figure, the paper's figure 2: train row over test row, a column per m.

    train, test: as many Features each, a pair for each column, drawn to one scale.
    note: a line above. Source: Liu, Wen, Yu and Yang, ICML 2016, figure 2.
    """
    columns = len(train)
    figure, axes = new_figure(2, columns, (2.75 * columns + 0.3, 6.6))
    figure.caption = (
        "Features of images in two dimensions, training part above test part, a column "
        "for each margin: with a margin each class is a narrow ray along its weight."
    )
    figure.get_layout_engine().set(h_pad=0.08)
    for column, pair in enumerate(zip(train, test, strict=True)):
        reach = max(_reach(features.x) for features in pair)
        for row, features in enumerate(pair):
            draw_features(axes[row, column], features, reach)
    for panel, name in zip(axes[:, 0], ("train", "test"), strict=True):
        panel.set_ylabel(name, size=13, weight="bold", labelpad=2)
    _legend_of_classes(figure, train[0], columns)
    if note:
        figure.suptitle(note, size=9, color=SOFT_INK)
    return figure


def _legend_of_classes(figure, features, columns):
    """Say below a figure of so many panels across what dots, rays and colours are."""
    C = features.W.shape[1]
    shown = range(C) if C <= MOST_BADGES else [0, C // 2, C - 1]
    colours, names = class_colours(C), features.names
    handles = [
        Line2D([], [], color=colours[c], marker="o", linewidth=1.1, label=names[c])
        for c in shown
    ]
    words = "dot: the features of one image;", "ray: the direction of a class's weight"
    title = (" " if columns > 1 else "\n").join(words)
    if len(shown) < C:
        title += f"\n{C} classes, their colours in the order of the rainbow"
    figure.legend(
        handles=handles, loc="outside lower center", ncols=min(C, 4 * columns),
        title=title, title_fontsize=9, handlelength=1.6, columnspacing=1.6,
    )  # fmt: skip


def _reach(x):
    """Return a radius a little larger than the longest row of x (N, 2)."""
    return 1.1 * float(np.hypot(*x.T).max()) or 1.0


# ---------------------------------------------------------------- softmax and its loss


@drawn(size=(7.4, 4.1), columns=2, sharey=True)
def overflow(dtypes=(np.float32, np.float64), ax=None):
    """Draw where naive softmax overflows and underflows, in two types.

    Softmax of the row [z, z - 1] does not depend on z (broad line). The naive formula
    is nan where exp(z) overflows (right) or both exponentials underflow (left); just
    before that its digits run out (grey).

    dtypes: two floating types, a panel for each.
    """
    for panel, dtype in zip(ax, map(np.dtype, dtypes), strict=True):
        zero, subnormal, top = exp_limits(dtype)
        z = np.linspace(1.4 * zero, 1.6 * top, 6001).astype(dtype)  # (6001,)
        rows = np.stack([z, z - 1], axis=1)  # (6001, 2)
        with np.errstate(all="ignore"):
            naive = naive_softmax(rows)[:, 0]  # (6001,)
        panel.plot(z, softmax(rows)[:, 0], color=GOOD, label="softmax", **PALE)
        panel.plot(z, naive, color=BAD, linewidth=1.4, label="naive softmax")
        panel.axvspan(zero, subnormal, color=FAINT, alpha=0.7, linewidth=0)
        for low, high, words in ((z[0], zero, "0/0"), (top, z[-1], "inf/inf")):
            panel.axvspan(low, high, color=BAD, alpha=0.12, linewidth=0)
            middle = (low + high) / 2
            _words(panel, middle, 0.3, f"{words}\n= nan", color=BAD, ha="center")
        panel.annotate(
            "digits lost:\nexp(z) is subnormal", ((zero + subnormal) / 2, 0.55),
            (0.42 * zero, 0.55), color=SOFT_INK, size=9, va="center",
            arrowprops={"arrowstyle": "-", "color": SOFT_INK, "linewidth": 0.8},
        )  # fmt: skip
        panel.set_xticks([zero, 0, top], [f"{zero:.2f}", "0", f"{top:.2f}"])
        panel.set(xlim=(z[0], z[-1]), ylim=(0, 1.05), xlabel="z", title=dtype.name)
    ax[0].set_ylabel("p of the first entry of [z, z - 1]")
    ax[0].legend(loc="lower center", fontsize=9)


def exp_limits(dtype):
    """Return below which z exp(z) is 0, below which subnormal, and above which inf."""
    limits = np.finfo(dtype)
    smallest = np.log2(limits.smallest_subnormal.astype(np.float64))
    zero = (smallest - 1) * np.log(2)  # half of it is rounded to 0
    return zero, float(np.log(limits.tiny)), float(np.log(limits.max))


@drawn(size=(7.4, 4.4), columns=2)
def loss_against_gap(ax=None):
    """Draw the loss of a row [gap, 0], the label first, computed in three ways.

    The loss of two logits against their gap. Left, wrong answers: the logarithm of a
    softmax ends where p becomes 0 (cross). Right, right ones, on a logarithmic scale:
    it drops to 0 near a gap of 37, where p becomes 1; the true loss (broad) goes on to
    745.

    In float64. ax: two Axes, for wrong answers (gap < 0) and right ones (gap > 0).
    """
    wrong, right = ax
    _three_losses(wrong, np.linspace(0, -1000, 4001))
    _three_losses(right, np.linspace(0, 1000, 4001))
    zero, _, top = exp_limits(np.float64)
    wrong.set(title="confidently wrong", ylabel="loss", ylim=(-30, 1030))
    wrong.plot(zero, -zero, "X", color=BAD, markersize=9, markeredgecolor="white")
    _words(wrong, -700, 760, "p is 0,\nand -log(p) is inf", color=BAD)
    wrong.legend(loc="lower left", bbox_to_anchor=(0, 0.04), fontsize=9)
    right.set(title="confidently right", yscale="log", ylim=(1e-323, 1e12))
    right.set_yticks([1, 1e-100, 1e-200, 1e-300])
    right.minorticks_off()
    _words(right, 55, 1e-292, "p is 1,\nand -log(p) is 0", color=LINES[2])
    right.axvline(top, color=BAD, linewidth=1, linestyle="--")
    _words(right, top + 20, 1e-75, "naive p is\ninf/inf,\nthat is nan", color=BAD)


def _three_losses(ax, gap):
    rows = np.stack([gap, np.zeros_like(gap)], axis=1)  # (N, 2)
    with np.errstate(all="ignore"):
        by_softmax = -np.log(softmax(rows)[:, 0])  # (N,)
        naive = -np.log(naive_softmax(rows)[:, 0])  # (N,)
    ax.plot(gap, -log_softmax(rows)[:, 0], color=GOOD, label="log-sum-exp", **PALE)
    ax.plot(gap, by_softmax, color=LINES[2], linewidth=2.4, label="log of softmax")
    ax.plot(gap, naive, "--", color=BAD, linewidth=1.4, label="naive")
    ax.set_xlabel("gap: the label's logit less the other one")


@drawn(size=(5.2, 4.8))
def jacobian(z, ax=None):
    """Draw the Jacobian dp_i/dz_j = p_i (delta_ij - p_j) of softmax at logits z (C,).

    The Jacobian of softmax. A logit raised by a little moves probability to its own
    class (orange) from the others (purple), in proportion to what they have.
    """
    z = np.asarray(z, dtype=np.float64)
    p = softmax(z)  # (C,)
    J = np.diag(p) - np.outer(p, p)  # (C, C)
    reach = np.abs(J).max() or 1.0
    ax.imshow(J, cmap="PuOr_r", vmin=-1.2 * reach, vmax=1.2 * reach)
    for i, j in np.ndindex(*J.shape):
        ax.text(
            j, i, f"{J[i, j]:+.3f}", ha="center", va="center",
            color="white" if abs(J[i, j]) > 0.6 * reach else INK,
            size=min(10, 46 / len(z)),
        )  # fmt: skip
    ax.set_xticks(range(len(z)), [f"$z_{{{j}}}$ = {v:g}" for j, v in enumerate(z)])
    ax.set_yticks(range(len(z)), [f"$p_{{{i}}}$ = {v:.3f}" for i, v in enumerate(p)])
    ax.set_title(r"$\partial p_i / \partial z_j$: each row and each column sums to 0")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelcolor=INK)


@drawn(size=(6.6, 5.0))
def difference_errors(
    f, derivative, x, ax=None,
    title="a difference has one best step, the complex step needs none",
    caption=None,
):  # fmt: skip
    """Draw how wrong finite differences are, against their step: the V.

    The relative error of four ways to measure a slope, against their step h.
    Differences lose by a large step (right arm) and by rounding (left arm); the complex
    step (broad) has no left arm.

    f: a function of an array, analytic, so that it takes complex numbers too.
    derivative: its derivative, a function or its value at x, not 0. x: a number. The
    steps are 2^-2 to 2^-60, down to the last that moves x; an error of 0 is drawn at
    eps/4. caption: in place of ours, below a new figure.
    """

    def forward_difference(f, x, h):
        return (f(x + h) - f(x)) / h

    true = derivative(x) if callable(derivative) else derivative
    for name, difference, look in (
        ("forward, $h$", forward_difference, {"color": BAD, **DOTTED}),
        ("central, $h^2$", central_difference, {"color": LINES[4], **DOTTED}),
        ("five-point, $h^4$", five_point, {"color": LINES[2], **DOTTED}),
        ("complex step, $h^2$", complex_step, {"color": GOOD, **PALE}),
    ):
        smallest = 0 if difference is complex_step else np.spacing(abs(x))
        steps = [h for h in 2.0 ** -np.arange(2, 61) if h >= smallest]
        errors = [abs(difference(f, x, h) - true) / abs(true) for h in steps]
        ax.plot(steps, np.maximum(errors, EPS / 4), label=name, **look)
    ax.axhline(EPS, color=SOFT_INK, linewidth=0.8, linestyle=":", zorder=0)
    _words(ax, 2.0**-2, 1.5 * EPS, "eps", color=SOFT_INK, ha="right", va="bottom")
    ax.set(xscale="log", yscale="log", xlabel="step h", ylabel="relative error")
    ax.set_title(title)
    ax.legend(loc="center left", bbox_to_anchor=(0.02, 0.36), fontsize=9)


# ------------------------------------------------------------------ psi and its margin


@drawn(size=(6.4, 4.9))
def psi_pieces(margins=(1, 2, 3, 4), ax=None):
    """Draw psi(theta) for each margin, theta in degrees, with its pieces and knots.

    psi takes the place of the cosine for the label's class. It starts at 1 and falls to
    1 - 2m, in m pieces that meet at knots (dots), with no gap and no corner; m = 1 is
    the cosine (broad).
    """
    theta = np.linspace(0, np.pi, 721)  # (721,)
    ax.plot(np.degrees(theta), np.cos(theta), color=SOFT_INK, label="cos", **PALE)
    _by_angle(ax, psi, margins)
    for m in margins:
        name = "m = 1, cos" if m == 1 else f"m = {m}"
        _words(ax, 183, 1 - 2 * m, name, color=margin_colour(m), va="center")
    m = max(margins)
    for k in range(m):
        middle = (k + 0.5) * np.pi / m
        _words(
            ax, np.degrees(middle) - 4, psi(middle, m) - 0.1, f"k = {k}",
            color=margin_colour(m), ha="right", va="top",
        )  # fmt: skip
    ax.set_ylabel(r"$\psi(\theta)$")
    ax.set_title(r"$\psi$ falls from 1 to 1 - 2m, a piece of cos(m$\theta$) at a time")


def _by_angle(ax, f, margins, grow=0):
    """Draw f(theta, m) for each margin, with a dot at each of its knots."""
    theta = np.linspace(0, np.pi, 721)  # (721,)
    for m in margins:
        look = {"color": margin_colour(m)}
        ax.plot(np.degrees(theta), f(theta, m), label=f"m = {m}", **look)
        knots = np.arange(1, m) * np.pi / m  # (m - 1,)
        if m > 1:
            look |= {"markersize": 5 + grow * (max(margins) - m), "clip_on": False}
            ax.plot(np.degrees(knots), f(knots, m), "o", zorder=3, **look)
    ax.set_xticks(range(0, 181, 30), [f"{d}{DEGREES}" for d in range(0, 181, 30)])
    ax.set(xlim=(0, 180), xlabel=r"$\theta$")
    ax.axhline(0, color=FAINT, linewidth=0.8, zorder=0)


@drawn(size=(6.4, 7.4), rows=2, sharex=True, height_ratios=(1.4, 1))
def psi_and_slopes(margins=(1, 2, 3, 4), ax=None):
    """Draw `psi_pieces` above the slope dpsi/dtheta = -m |sin(m theta)|.

    Above, psi for four margins, with dots at its knots; below, its slope, which is 0 on
    both sides of every knot: two pieces meet there with one slope, so that psi has no
    corner. Its slope has.
    """
    psi_pieces(margins, ax[0]).set_xlabel("")
    _by_angle(ax[1], psi_prime, margins, grow=3)  # a knot of two margins shows both
    ax[1].set(ylim=(-1.35 * max(margins), 0), ylabel=r"$d\psi/d\theta$")
    ax[1].set_title(r"the slope of $\psi$ is 0 on both sides of every knot", pad=10)
    ax[1].legend(ncols=len(margins), loc="lower center", fontsize=9)


@drawn(size=(7.4, 4.2), columns=2, sharey=True)
def gradient_field(m, ax=None):
    """Draw which way a step down the loss moves a 2-D feature, wherever it is.

    Where a step down the loss moves features of class 1. Softmax moves all of them one
    way. L-Softmax turns them towards $W_1$ and, where psi is negative, pulls them
    inward; at its knots (dotted) it turns none, and the pull is left, with the push
    away from $W_2$.

    Both weights have length 1, 90 degrees apart. Arrows are -dloss/dx, all of one
    length, their colour the size. At the knots g' = 0 in (9), so that what the label's
    class asks for is radial.
    """
    W = np.eye(2)  # (2, 2)
    theta = np.radians(np.arange(0, 360, 15))  # (24,)
    x = np.concatenate([r * _direction(theta).T for r in (1.5, 2.2, 2.9)])  # (72, 2)
    pushes = [-loss_gradient(x, W, margin) for margin in (1, m)]
    sizes = [np.hypot(*push.T) for push in pushes]  # each (72,)
    for panel, push, size in zip(ax, pushes, sizes, strict=True):
        for w, colour, name in zip(W.T, LINES, ("$W_1$", "$W_2$"), strict=False):
            _ray(panel, 0.7 * w, colour, name, 0.25)
        arrows = panel.quiver(
            *x.T, *(push / np.where(size, size, 1)[:, None]).T, size, cmap="cividis_r",
            norm=matplotlib.colors.PowerNorm(0.5, 0, np.max(sizes)), angles="xy",
            scale_units="xy", scale=2, width=0.008, pivot="middle", zorder=2,
        )  # fmt: skip
        _plane(panel, 3.2)
    knots = np.pi / m * np.arange(1, m)  # (m - 1,)
    for ray in _direction(np.r_[knots, -knots]).T:
        ax[1].plot(*np.outer(ray, [1.25, 3.2]), ":", color=INK)
    ax[0].set_title("softmax: the same way everywhere", size=10)
    ax[1].set_title(f"L-Softmax, m = {m}: turned to $W_1$, and inward", size=10)
    bar = ax[0].figure.colorbar(arrows, ax=ax, shrink=0.7, aspect=30)
    bar.set_label(r"size of $d$loss$/dx$")
    bar.outline.set_visible(False)


def loss_gradient(x, W, m):
    """Return dloss/dx (N, 2) of features x (N, 2), each with its own loss, class 0."""
    y = np.zeros(len(x), dtype=int)
    z, lsoftmax = lsoftmax_forward(x, W, y, m)
    loss, cross_entropy = cross_entropy_forward(z, y)
    dz = cross_entropy_backward(float(len(x)), cross_entropy)  # the mean's 1/N undone
    dx, dW = lsoftmax_backward(dz, lsoftmax)
    return dx


@drawn(size=(3.6, 4.2))
def two_classes(norms=(1, 1), m=2, apart=90, ax=None):
    """Draw the two-class picture of the paper: boundaries of softmax and L-Softmax.

    Where a feature is right by the margin: class 1 blue, class 2 orange.

    norms: |W_1| and |W_2|; m: the margin; apart: degrees between W_1 and W_2. The
    softmax boundary is dashed. Between the two of L-Softmax lies the margin, for equal
    norms (m - 1) / (m + 1) of `apart`. Source: Liu, Wen, Yu and Yang, ICML 2016, figure
    4.
    """
    to = np.pi / 2 + np.radians([apart, -apart]) / 2  # (2,) the directions of W_1, W_2
    facing = []
    for c, own_first, side in ((0, norms, -1), (1, norms[::-1], 1)):
        for low, high in class_sector(own_first, m, apart):
            arc = to[c] + side * np.linspace(low, high, 400)
            _sector(ax, arc, LINES[c])
            facing.append(arc[-1])
        tip = 0.85 * norms[c] / max(norms) * _direction(to[c])
        _ray(ax, tip, LINES[c], f"$W_{c + 1}$", 1.12 - np.hypot(*tip))
    across = norms[1] * _direction(to[1]) - norms[0] * _direction(to[0])  # (2,)
    down = np.array([across[1], -across[0]]) / np.hypot(*across)  # (2,)
    ax.plot(*np.outer(down, [-1.05, 1.05]), "--", color=INK, linewidth=1)
    _words(ax, *1.187 * down, "softmax", ha="center", va="center")
    if len(facing) == 2:
        middle, width = np.mean(facing), np.degrees(facing[0] - facing[1])
        look = {"ha": "center", "va": "center", "weight": "bold"}
        _words(ax, *1.16 * _direction(middle), f"{width:.0f}{DEGREES}", **look)
    sign = "=" if norms[0] == norms[1] else ">" if norms[0] > norms[1] else "<"
    ax.set_title(f"$|W_1| {sign} |W_2|$, m = {m}", loc="center")
    _plane(ax, 1.25)


def _sector(ax, arc, colour):
    """Fill a sector of the circle of radius 1, and draw its two sides."""
    ax.fill(*np.c_[[0, 0], _direction(arc)], color=colour, alpha=0.2, linewidth=0)
    for end in arc[[0, -1]]:
        ax.plot(*np.outer(_direction(end), [0, 1]), color=colour, linewidth=1)


@drawn(size=(7.4, 3.4), columns=3)
def two_classes_by_norm(m=2, apart=90, ax=None):
    """Draw `two_classes` for |W_1| =, > and < |W_2|.

    In which directions a feature is right by the margin, as class 1 (blue) and as class
    2 (orange). Softmax has one boundary (dashed); L-Softmax has two, and the wedge
    between them is empty. A longer weight pushes them all away.
    """
    for panel, norms in zip(ax, ((1, 1), (1.5, 1), (1, 1.5)), strict=True):
        two_classes(norms, m, apart, panel)


def class_sector(norms, m, apart):
    """Return where |W_1| psi(theta_1) > |W_2| cos(theta_2), as pairs (low, high).

    The angles are in radians from W_1, counted towards W_2, which is `apart` degrees
    away. Raises ValueError for a norm that is not positive.
    """
    if not min(norms) > 0:
        raise ValueError(f"norms is {norms}, but the norms of weights must be above 0")

    def lead(phi):
        theta_1 = np.abs(phi)
        theta_2 = phi - np.radians(apart)
        return norms[0] * psi(theta_1, m) - norms[1] * np.cos(theta_2)

    phi = np.linspace(-np.pi, np.pi, 2**16 + 1)  # (65537,)
    by = lead(phi)  # (65537,)
    ahead = by > 0
    (before,) = np.nonzero(ahead[1:] != ahead[:-1])  # where a straight line is as good
    ratio = by[before] / (by[before] - by[before + 1])
    edges = list(phi[before] + ratio * (phi[1] - phi[0]))
    if ahead[0]:  # the sector lies across -pi, which is pi
        edges = [edges[-1] - 2 * np.pi, *edges[:-1]]
    return list(zip(edges[::2], edges[1::2], strict=True))


# ---------------------------------------------------------------------------- training


@drawn(size=(6.4, 4.2))
def annealing(schedule, steps, ax=None, title=r"$\lambda$ lets the margin in"):
    """Draw lambda against the iteration, and say where it stops to fall.

    Lambda while training: the larger, the closer to plain softmax. On the right, the
    share of psi that it leaves in the label's logit, 1 / (1 + lambda).

    schedule: a function of the iteration, counted from 0; steps: how many there are.
    """
    lam = np.array([schedule(step) for step in range(steps)])  # (steps,)
    last = int(np.argmin(lam))
    ax.plot(lam, color=GOOD, linewidth=2)
    ax.plot(last, lam[last], "o", color=GOOD, clip_on=False, zorder=3)
    when = f"from iteration {last:,} on" if last < steps - 1 else "when training ends"
    side, shift = ("right", -9) if last > 0.6 * steps else ("left", 0)
    ax.annotate(
        f"{lam[last]:.3g} {when}", (last, lam[last]), (shift, -9), size=9, color=GOOD,
        textcoords="offset points", ha=side, va="top",
    )  # fmt: skip
    smallest = lam[lam > 0].min(initial=1.0)
    if lam.min() > 0:
        ax.set(yscale="log", ylim=(min(0.3 * smallest, 0.1), None))
    else:  # 0 has no place on a logarithmic scale
        ax.set_yscale("symlog", linthresh=smallest)
    ax.set(xlim=(0, steps), xlabel="iteration", ylabel=r"$\lambda$", title=title)
    low, high = ax.get_ylim()
    beside = {"transform": ax.get_yaxis_transform(), "color": SOFT_INK}
    for share in (0.001, 0.01, 0.1, 0.25, 0.5, 0.9, 1):
        if low <= 1 / share - 1 <= high:
            _words(ax, 1.02, 1 / share - 1, f"{share:.3g}", va="center", **beside)
    ax.set_title(r"share of $\psi$", loc="right", size=9, color=SOFT_INK)


@drawn(size=(6.4, 4.2))
def angle_histogram(angles_by_margin, ax=None):
    """Draw how far features are from their own class's weight, a histogram per margin.

    How far test features point from the weight of their own class, a histogram for each
    margin, and the mean of all, dashed. The few beyond the right edge are counted in
    the legend.

    angles_by_margin: a dict from m to angles (N,) in degrees, nan where there is none.
    Drawn is up to the angle below which 98 % of the widest lie.
    """
    known = {m: np.asarray(a)[~np.isnan(a)] for m, a in angles_by_margin.items()}
    widest = max(np.percentile(angles, 98) for angles in known.values())
    bins = np.linspace(0, widest, 41)
    for place, (m, angles) in enumerate(known.items()):
        colour, beyond = margin_colour(m), np.sum(angles > widest)
        name = f"m = {m}: mean {angles.mean():.1f}{DEGREES}, {beyond} beyond the edge"
        ax.hist(angles, bins, label=name, color=colour, histtype="step", linewidth=1.6)
        dashes = (4 * place, (4, 4 * len(known) - 4))  # in turns, where means are equal
        ax.axvline(angles.mean(), color=colour, linestyle=dashes)
    ax.set(xlim=(0, widest), xlabel="angle to the own class's weight, degrees")
    ax.set_ylabel("how many features")
    ax.legend()


# ----------------------------------------------------------------------- what all share


def margin_colour(m):
    """Return the colour of a margin: ink for m = 1, which is softmax."""
    return INK if m == 1 else LINES[(m - 2) % len(LINES)]


def as_file(draw, file_format="png"):
    """Return the bytes of the file of the Figure that draw() returns.

    file_format: "png", "pdf" or "svg". Needs no display, and opens no window.
    """
    from matplotlib import pyplot

    matplotlib.use("agg")
    figure = draw()
    content = content_of(figure, file_format)
    pyplot.close(figure)
    return content


def content_of(figure, file_format="png", **options):
    """Return the bytes of a figure's file, with the caption as its description."""
    key, content = "Subject" if file_format == "pdf" else "Description", io.BytesIO()
    options |= {"metadata": {key: figure.caption}, "bbox_inches": "tight"}
    with style():
        figure.savefig(content, format=file_format, **options)
    return content.getvalue()


def _words(ax, x, y, text, **look):
    return ax.text(x, y, text, size=9, **look)


def _ray(ax, tip, colour, name, beyond):
    """Draw an arrow from 0 to `tip` (2,), with its name `beyond` further on."""
    arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 2, "shrinkB": 0}
    ax.annotate("", tip, (0, 0), arrowprops={**arrow, "shrinkA": 0})
    place = tip * (1 + beyond / np.hypot(*tip))
    _words(ax, *place, name, color=colour, ha="center", va="center")


def _plane(ax, side):
    """Show the plane from -side to side, both ways to one scale, and no axes."""
    ax.set(xlim=(-side, side), ylim=(-side, side), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _direction(angle):
    """Return (cos, sin) of an angle (...) in radians: (2, ...)."""
    return np.array([np.cos(angle), np.sin(angle)])
