"""What is really drawn, from a seed and by Hypothesis: nothing that matters is starved.

Each test draws 150 inputs and counts. The shares that are asked for lie well below
those that were seen (a tenth to a half of them), so that other random numbers do not
fail; a way to draw that gives next to none does.
"""

import functools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from npsoftmax.checks.draws import FromSeed
from npsoftmax.checks.engine.smaller import FromHypothesis
from npsoftmax.checks.layers import cross_entropy, linear, lsoftmax, psi, relu, softmax
from npsoftmax.checks.paper import degrees_between

DRAWS = 75


@functools.cache
def drawn(draws):
    """Return what a way to draw gives: half from a seed, half by Hypothesis."""
    return from_seed(draws, DRAWS) + from_hypothesis(draws, DRAWS)


def from_seed(draws, number):
    draw = FromSeed(np.random.default_rng(0))
    return [draws(draw) for _ in range(number)]


def from_hypothesis(draws, number):
    seen = []

    @seed(0)
    @settings(
        max_examples=number,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.composite(lambda draw: draws(FromHypothesis(draw)))())
    def collect(inputs):
        seen.append(inputs)

    collect()
    return seen


def share(flags):
    """Return the share of true ones among flags."""
    flags = list(flags)
    return sum(flags) / len(flags)


def largest_p(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True)).max(axis=1)


def angles_to_the_label(given):
    rows = zip(given["x"], given["W"].T[given["y"]], strict=True)
    return [degrees_between(x, w)[2] for x, w in rows]


def pieces(degrees, m):
    return np.minimum(np.floor(m * np.asarray(degrees) / 180 + 1e-9), m - 1).astype(int)


def share_of_each_piece(m, degrees):
    """Return the share of each k = 0 .. m-1 among angles."""
    return np.bincount(pieces(degrees, m), minlength=m) / max(1, len(degrees))


def test_ordinary_logits_are_hardly_ever_saturated():
    rows = [z for given in drawn(softmax.logits) if (z := given["z"]).shape[1] > 1]
    assert share(np.concatenate([largest_p(z) > 1 - 1e-6 for z in rows])) < 0.01


def test_ordinary_logits_have_one_row_and_many_and_one_class_and_many():
    shapes = [given["z"].shape for given in drawn(softmax.logits)]
    for axis, most in ((0, 4), (1, 5)):
        for size in range(1, most + 1):
            assert share(shape[axis] == size for shape in shapes) > 0.05


def test_ordinary_logits_are_not_all_equal():
    rows = np.concatenate(
        [
            np.ptp(g["z"], axis=1) > 0
            for g in drawn(softmax.logits)
            if g["z"].shape[1] > 1
        ]
    )
    assert share(rows) > 0.5


def test_the_classes_lie_along_every_axis_of_one_two_and_three():
    seen = {(g["z"].ndim, g["axis"]) for g in drawn(softmax.logits_and_axis)}
    wanted = {(n, axis) for n in (1, 2, 3) for axis in range(-1, n)}
    assert wanted <= seen


def test_wide_logits_reach_10000_and_no_further():
    sizes = [np.abs(given["z"]).max() for given in drawn(softmax.wide_logits)]
    assert max(sizes) == 10_000
    assert share(size > 709.78 for size in sizes) > 0.3


def test_wide_logits_have_rows_far_apart_and_confident_rows():
    wide = [given["z"] for given in drawn(softmax.wide_logits)]
    tops = [np.ptp(z.max(axis=1)) > 745 for z in wide if len(z) > 1]
    confident = [largest_p(z) > 1 - 1e-6 for z in wide if z.shape[1] > 1]
    assert share(tops) > 0.1
    assert 0.1 < share(np.concatenate(confident)) < 0.9


def test_labels_repeat_differ_and_reach_the_last_class():
    batches = [given for given in drawn(cross_entropy.labelled) if len(given["y"]) > 1]
    assert share(len(set(g["y"])) < len(g["y"]) for g in batches) > 0.2
    assert share(len(set(g["y"])) > 1 for g in batches) > 0.2
    assert share(g["y"].max() == g["z"].shape[1] - 1 for g in batches) > 0.2


def test_a_bias_is_there_and_is_not_there():
    assert (
        0.2 < share(given["b"] is None for given in drawn(linear.linear_inputs)) < 0.8
    )


def test_activations_are_negative_zero_positive_and_larger_than_6():
    h = np.concatenate([given["h"].ravel() for given in drawn(relu.activations)])
    for part in (h < 0, h == 0, h > 0, h > 6):
        assert share(part) > 0.02


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 6])
def test_every_piece_of_psi_is_drawn_for_angles(m):
    given = drawn(functools.partial(psi.angles, margins=(m,)))
    degrees = np.rad2deg(np.concatenate([g["theta"].ravel() for g in given]))
    assert share_of_each_piece(m, degrees).min() > 0.1 / m


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 6])
def test_every_piece_of_psi_is_drawn_for_cosines(m):
    given = drawn(functools.partial(psi.cosines, margins=(m,)))
    cos = np.concatenate([g["cos"].ravel() for g in given])
    degrees = np.rad2deg(np.arccos(cos))
    assert share_of_each_piece(m, degrees).min() > 0.1 / m


@pytest.mark.parametrize("m", [2, 3, 4, 5, 6])
def test_knots_and_ends_are_drawn_exactly(m):
    theta = [g["theta"].ravel() for g in drawn(psi.angles) if g["m"] == m]
    knots = np.deg2rad([180 * k / m for k in range(m + 1)])
    assert share(np.isin(np.concatenate(theta), knots)) > 0.05


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 6])
def test_every_piece_of_psi_is_drawn_for_features(m):
    given = drawn(functools.partial(lsoftmax.features, margins=(m,)))
    degrees = np.concatenate([angles_to_the_label(g) for g in given]).astype(float)
    assert share_of_each_piece(m, degrees).min() > 0.1 / m


def test_features_inside_stay_away_from_every_knot():
    for each in drawn(lsoftmax.features_inside):
        steps = each["m"] * np.array(angles_to_the_label(each)) / 180
        assert np.abs(steps - np.round(steps)).min() > 0.19


def test_ordinary_features_have_no_zero_vector():
    for each in drawn(lsoftmax.ordinary_features):
        assert each["x"].any(axis=1).all()
        assert each["W"].any(axis=0).all()


def test_labels_of_features_repeat():
    batches = [g["y"] for g in drawn(lsoftmax.ordinary_features) if len(g["y"]) > 1]
    assert share(len(set(y)) < len(y) for y in batches) > 0.2


def test_features_have_from_one_to_four_inputs_and_classes():
    shapes = [given["W"].shape for given in drawn(lsoftmax.ordinary_features)]
    for axis in (0, 1):
        assert {shape[axis] for shape in shapes} == {1, 2, 3, 4}


def test_lam_is_zero_and_is_not():
    assert 0.1 < share(g["lam"] == 0 for g in drawn(lsoftmax.ordinary_features)) < 0.9


def test_parallel_features_are_parallel_and_antiparallel():
    given = drawn(lsoftmax.parallel_features)
    degrees = np.concatenate([angles_to_the_label(g) for g in given]).astype(float)
    assert share(degrees == 0) > 0.2
    assert share(degrees == 180) > 0.2


def test_rounding_carries_some_cosines_of_parallel_features_past_1():
    """By the spacing of the floats there, so that they stay past 1 in whatever order
    their products are summed.
    """
    cosines = [
        sum(Fraction(a) * Fraction(b) for a, b in zip(x, w, strict=True))
        for given in drawn(lsoftmax.parallel_features)
        for x, w in zip(units(given["x"]), units(given["W"].T[given["y"]]), strict=True)
    ]
    assert share(abs(cos) >= 1 + Fraction(2) ** -52 for cos in cosines) > 0.05


def units(rows):
    return (rows / np.sqrt(np.sum(rows**2, axis=1, keepdims=True))).tolist()


def test_norms_go_from_1e_100_to_1e100_and_to_zero():
    given = drawn(lsoftmax.features_of_any_norm)
    for name, axis in (("x", 1), ("W", 0)):
        norms = np.concatenate([np.abs(g[name]).max(axis=axis) for g in given])
        for part in (norms == 0, (norms > 0) & (norms < 1e-90), norms > 1e90):
            assert share(part) > 0.02


def test_a_label_s_weights_are_zero_at_times():
    zero = [~g["W"].any(axis=0)[g["y"]] for g in drawn(lsoftmax.features_of_any_norm)]
    assert 0.02 < share(np.concatenate(zero)) < 0.5
