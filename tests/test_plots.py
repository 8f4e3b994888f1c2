"""The figures, by what is drawn in them: lines, knots, limits, labels."""

import functools

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot

from npsoftmax import plots, psi, psi_prime, softmax
from npsoftmax.training import Annealing

matplotlib.use("agg")
EPS = np.finfo(float).eps

ARGUMENTS = {  # of each figure
    "overflow": (), "loss_against_gap": (), "jacobian": ([2.0, 1.0, 0.0, -1.0],),
    "difference_errors": (np.exp, np.exp, 0.5),
    "psi_pieces": (), "psi_and_slopes": (), "gradient_field": (4,),
    "two_classes": (), "two_classes_by_norm": (3,),
    "annealing": (lambda step: 10 / (1 + step), 20),
    "angle_histogram": ({1: np.arange(9.0)},),
}  # fmt: skip


def draw(name, **options):
    return np.atleast_1d(getattr(plots, name)(*ARGUMENTS[name], **options))


panels_of = functools.cache(draw)  # each figure is drawn once for all tests


@pytest.fixture(scope="module", params=ARGUMENTS)
def panels(request):
    return panels_of(request.param)


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    pyplot.close("all")


def line(ax, label):
    """Return the data (2, N) of the one line with this label."""
    (found,) = [drawn for drawn in ax.lines if drawn.get_label() == label]
    return np.array(found.get_data())


def words(ax):
    return [text.get_text() for text in ax.texts]


# ---------------------------------------------------------------- softmax and its loss


@pytest.mark.parametrize(("dtype", "panel"), [(np.float32, 0), (np.float64, 1)])
def test_overflow_draws_softmax_as_one_value_and_naive_softmax_as_it_is(dtype, panel):
    ax = panels_of("overflow")[panel]
    z, naive = line(ax, "naive softmax")
    with np.errstate(all="ignore"):
        overflows = np.isinf(np.exp(z.astype(dtype)))
        underflows = np.exp(z.astype(dtype)) == 0
    assert overflows.any()
    assert underflows.any()
    assert np.isnan(naive[overflows | underflows]).all()
    assert not np.isnan(naive[~(overflows | underflows)]).any()
    _, p = line(ax, "softmax")
    rounding = np.finfo(dtype).eps * (4 + abs(z))  # z - 1 is rounded by eps |z|
    assert (abs(p - softmax([1.0, 0.0])[0]) <= rounding).all()
    assert np.dtype(dtype).name == ax.get_title(loc="left")
    zero, _, top = plots.exp_limits(dtype)
    labels = [tick.get_text() for tick in ax.get_xticklabels()]
    assert labels == [f"{zero:.2f}", "0", f"{top:.2f}"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_limits_of_exp_are_where_it_is_first_0_subnormal_and_inf(dtype):
    zero, subnormal, top = plots.exp_limits(dtype)
    step = 1e-3
    with np.errstate(all="ignore"):
        assert np.exp(dtype(zero - step)) == 0 < np.exp(dtype(zero + step))
        tiny = np.finfo(dtype).tiny
        assert np.exp(dtype(subnormal - step)) < tiny < np.exp(dtype(subnormal + step))
        assert np.exp(dtype(top - step)) < np.inf == np.exp(dtype(top + step))


def test_the_loss_by_log_sum_exp_is_exact_and_the_others_end():
    wrong, right = panels_of("loss_against_gap")
    gap, loss = line(wrong, "log-sum-exp")
    np.testing.assert_allclose(loss, np.logaddexp(0, -gap), rtol=4 * EPS)
    for name in ("naive", "log of softmax"):
        assert np.isinf(line(wrong, name)[1][gap < -746]).all()
        assert np.isfinite(line(wrong, name)[1][gap > -744]).all()
    gap, loss = line(right, "log-sum-exp")
    far = (gap > 40) & (gap < 700)
    np.testing.assert_allclose(loss[far], np.exp(-gap[far]), rtol=1e-12)
    assert (line(right, "log of softmax")[1][gap > 40] == 0).all()
    assert np.isnan(line(right, "naive")[1][gap > 709.79]).all()


def test_the_jacobian_is_drawn_with_its_entries_and_sums_to_0():
    (ax,) = panels_of("jacobian")
    J = ax.images[0].get_array()
    p = softmax([2.0, 1.0, 0.0, -1.0])
    np.testing.assert_allclose(J, np.diag(p) - np.outer(p, p), rtol=4 * EPS)
    np.testing.assert_allclose(J.sum(axis=0), 0, atol=4 * EPS)
    np.testing.assert_allclose(J.sum(axis=1), 0, atol=4 * EPS)
    assert words(ax) == [f"{entry:+.3f}" for entry in J.ravel()]


def test_differences_have_the_slopes_of_their_legend_and_turn_up_for_small_steps():
    (ax,) = panels_of("difference_errors")
    orders = {"forward": 1, "central": 2, "five-point": 4, "complex step": 2}
    for name, order in orders.items():
        h, error = line(ax, f"{name}, $h^{order}$".replace("^1", ""))
        slopes = np.diff(np.log2(error[:4])) / np.diff(np.log2(h[:4]))
        assert abs(np.median(slopes) - order) < 0.15
        if name == "complex step":
            assert error[-1] <= 2 * EPS
        else:
            assert error[-1] > 1e4 * error.min()


# ------------------------------------------------------------------ psi and its margin


@pytest.mark.parametrize("panel", [0, 1])
def test_psi_and_its_slope_are_drawn_with_a_dot_at_each_knot(panel):
    ax, f = panels_of("psi_and_slopes")[panel], (psi, psi_prime)[panel]
    dots = iter([drawn for drawn in ax.lines if drawn.get_marker() == "o"])
    for m in (1, 2, 3, 4):
        degrees, drawn = line(ax, f"m = {m}")
        theta = np.radians(degrees).clip(0, np.pi)
        np.testing.assert_allclose(drawn, f(theta, m), atol=16 * m**2 * EPS)
        if m > 1:
            degrees, drawn = next(dots).get_data()
            k = np.arange(1, m)
            np.testing.assert_allclose(degrees, 180 * k / m)
            levels = 1.0 - 2 * k if f is psi else 0.0 * k
            np.testing.assert_allclose(drawn, levels, atol=16 * EPS)
    assert ax.get_xlim() == (0, 180)
    assert ax.get_ylim()[1] == pytest.approx(0 if panel else 1, abs=0.5)


def test_cos_is_drawn_beside_psi_and_the_pieces_of_the_largest_margin_are_named():
    ax = plots.psi_pieces((2, 3))
    degrees, cos = line(ax, "cos")
    np.testing.assert_allclose(cos, np.cos(np.radians(degrees)), atol=EPS)
    assert {"k = 0", "k = 1", "k = 2"} <= set(words(ax))
    assert "k = 3" not in words(ax)


def test_softmax_pushes_every_feature_the_same_way_and_l_softmax_does_not():
    softmax_panel, margin_panel = panels_of("gradient_field")
    directions = []
    for panel in (softmax_panel, margin_panel):
        (arrows,) = [c for c in panel.collections if hasattr(c, "U")]
        np.testing.assert_allclose(np.hypot(arrows.U, arrows.V), 1)
        directions.append(np.degrees(np.arctan2(arrows.V, arrows.U)))
    np.testing.assert_allclose(directions[0], -45, atol=1e-9)
    assert np.ptp(directions[1]) > 180


def test_m_1_has_the_field_of_softmax():
    x, W = np.array([[1.0, 2.0], [-3.0, 0.5]]), np.eye(2)
    onehot = np.array([[1, 0], [1, 0]])
    expected = (softmax(x @ W) - onehot) @ W.T
    np.testing.assert_allclose(plots.loss_gradient(x, W, 1), expected, rtol=1e-14)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
@pytest.mark.parametrize("apart", [30, 60, 90])
def test_for_equal_norms_the_margin_is_m_minus_1_by_m_plus_1_of_the_angle(m, apart):
    ((_, edge),) = plots.class_sector((1, 1), m, apart)
    margin = apart - 2 * np.degrees(edge)
    np.testing.assert_allclose(margin, apart * (m - 1) / (m + 1), atol=1e-6)


@pytest.mark.parametrize("norms", [(1, 1), (1.5, 1), (1, 1.5), (1, 3)])
@pytest.mark.parametrize("m", [1, 2, 4])
def test_the_sector_of_a_class_ends_where_the_rule_turns(norms, m):
    def lead(phi):
        theta_1 = abs((phi + np.pi) % (2 * np.pi) - np.pi)
        theta_2 = phi - np.radians(70)
        return norms[0] * psi(theta_1, m) - norms[1] * np.cos(theta_2)

    for low, high in plots.class_sector(norms, m, 70):
        for edge in (low, high):
            assert abs(lead(edge)) <= 1e-7
        assert lead((low + high) / 2) > 0
        if m == 1:
            np.testing.assert_allclose(high - low, np.pi)  # half of the plane


def test_a_weight_much_shorter_than_the_other_lies_outside_its_own_sector():
    ((low, high),) = plots.class_sector((1, 3), 2, 60)
    assert high < 0


def test_the_boundary_of_softmax_is_where_both_logits_are_equal():
    for norms in ((1, 1), (1.5, 1), (1, 1.5)):
        ax = plots.two_classes(norms, 2, apart=90)
        (dashed,) = [drawn for drawn in ax.lines if drawn.get_linestyle() == "--"]
        to = np.radians([135, 45])
        W = np.array(norms) * np.array([np.cos(to), np.sin(to)])  # (2, 2)
        z = np.transpose(dashed.get_data()) @ W  # (2, 2)
        np.testing.assert_allclose(z[:, 0], z[:, 1], atol=8 * EPS)


def test_the_two_class_figure_has_all_three_cases_and_the_width_of_the_margin():
    assert f"30{plots.DEGREES}" in words(*panels_of("two_classes"))
    titles = [panel.get_title() for panel in panels_of("two_classes_by_norm")]
    assert titles == [f"$|W_1| {sign} |W_2|$, m = 3" for sign in "=><"]


# ---------------------------------------------------------------------------- training


def test_lambda_is_drawn_for_every_iteration_with_the_one_that_ends_its_fall():
    schedule = Annealing.reaching(3.0, 70)
    ax = plots.annealing(schedule, 100)
    assert list(ax.lines[0].get_ydata()) == [schedule(step) for step in range(100)]
    ((at,), (lam,)) = ax.lines[1].get_data()
    assert lam == 3
    assert schedule(at) == 3 < schedule(at - 1)
    assert f"3 from iteration {at} on" in words(ax)
    assert ax.get_yscale() == "log"


def authors(step):  # the constants for MNIST, over a run as short as the digits'
    return max(0, 1000 * (1 + 2.5e-5 * step) ** -35)


@pytest.mark.parametrize(
    ("schedule", "steps", "said", "scale"),
    [
        (authors, 1100, "387 when training ends", "log"),
        (lambda step: max(0.0, 5.0 - step), 10, "0 from iteration 5 on", "symlog"),
    ],
)
def test_a_lambda_may_never_come_down_and_may_be_0(schedule, steps, said, scale):
    ax = plots.annealing(schedule, steps)
    assert said in words(ax)
    assert ax.get_yscale() == scale


def bars_of(outline):
    """Return the sum of all bars of a histogram that is drawn as an outline."""
    left, heights = outline.get_xy().T
    return round(sum(heights[1::2]) if len(left) % 2 else sum(heights[1:-1:2]))


def test_each_margin_has_its_histogram_and_its_mean():
    angles = {1: np.array([10.0, 20, 30, 170]), 2: np.array([1.0, 2, 3, np.nan])}
    ax = plots.angle_histogram(angles)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == [
        "m = 1: mean 57.5\u00b0, 1 beyond the edge",
        "m = 2: mean 2.0\u00b0, 0 beyond the edge",
    ]
    assert ax.get_xlim()[1] == np.percentile(angles[1], 98)
    inside = [np.sum(a <= ax.get_xlim()[1]) for a in angles.values()]
    assert [bars_of(drawn) for drawn in reversed(ax.patches)] == inside
    means = [drawn.get_xdata()[0] for drawn in ax.lines]
    assert means == [57.5, 2.0]


# ---------------------------------------------------------------------- what all share


@pytest.mark.parametrize("name", ["jacobian", "gradient_field"])
def test_a_figure_draws_on_the_axes_it_is_given_and_returns_them(name):
    count = len(panels_of(name))
    given = plots.new_figure(1, count)[1][0]
    returned = draw(name, ax=given if count > 1 else given[0])
    assert all(a is b for a, b in zip(returned, given, strict=True))
    assert all(ax.has_data() or ax.texts for ax in given)


def test_a_figure_leaves_the_style_of_others_alone_also_where_it_fails():
    before = dict(matplotlib.rcParams)
    plots.jacobian([1, 0])
    with pytest.raises(
        ValueError, match=r"norms is \(0, 1\), but the norms of weights"
    ):
        plots.two_classes((0, 1))
    assert dict(matplotlib.rcParams) == before


def test_no_two_series_of_a_figure_have_one_colour(panels):
    for ax in panels:
        handles, labels = ax.get_legend_handles_labels()
        colours = {matplotlib.colors.to_hex(_colour(each)) for each in handles}
        assert len(colours) == len(labels)


def _colour(handle):
    return handle.get_edgecolor() if hasattr(handle, "get_xy") else handle.get_color()


def test_no_text_of_a_figure_lies_on_another_on_an_axis_or_is_cut_off(panels):
    figure = panels[0].figure
    assert figure.get_figwidth() <= 7.4  # inches: right for a notebook and a slide
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts_of(figure)]
    spines = [
        (name, spine.get_window_extent())
        for ax in figure.axes
        for name, spine in ax.spines.items()
        if spine.get_visible()
    ]
    for i, (text, box) in enumerate(boxes):
        assert figure.bbox.containsx(box.x0 + 1), text
        assert figure.bbox.containsx(box.x1 - 1), text
        for other, other_box in boxes[:i]:
            assert not box.shrunk(0.9, 0.9).overlaps(other_box), (text, other)
        for name, spine in spines:
            assert not box.overlaps(spine), (text, name)


def texts_of(figure):
    """Return every text that is drawn: labels, titles, ticks, legends, the caption."""
    texts = figure.findobj(matplotlib.text.Text)
    ticks = [
        (tick.label1, tick.get_loc(), axis.get_view_interval())
        for ax in figure.axes
        for axis in (ax.xaxis, ax.yaxis)
        for tick in axis.get_major_ticks() + axis.get_minor_ticks()
    ]
    hidden = {id(text) for text, at, view in ticks if not min(view) <= at <= max(view)}
    return [
        text
        for text in texts
        if text.get_text().strip() and text.get_visible() and id(text) not in hidden
    ]


def test_a_figure_s_caption_is_written_below_it_and_is_its_alternative_text(panels):
    figure = panels[0].figure
    written = figure.get_supxlabel().replace("\n", " ")
    assert len(written.split()) >= 12
    assert figure._repr_mimebundle_() == ({}, {"image/png": {"alt": written}})


def test_a_file_has_its_caption_as_its_description():
    content = plots.as_file(lambda: plots.jacobian([1, 0]).figure)
    assert b"Description\x00The Jacobian of softmax." in content


def test_the_wrong_number_of_axes_is_an_error_that_says_how_many():
    with pytest.raises(ValueError, match="ax holds 1 Axes, but this figure has 2"):
        plots.gradient_field(2, plots.new_figure()[1])


def test_margins_have_colours_of_their_own():
    assert len({plots.margin_colour(m) for m in range(1, 8)}) == 7
