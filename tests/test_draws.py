"""What is really drawn, from a seed and by Hypothesis: nothing that matters is starved.

Each way to draw gives 150 inputs, which are counted. The shares that are asked for lie
well below those that were seen (a tenth to a half of them), so that other random
numbers do not fail; a way to draw that gives next to none does.
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

DRAWS = 75
any_norm = lsoftmax.features_of_any_norm


@functools.cache
def drawn(draws):
    """Return what a way to draw gives: half from a seed, half by Hypothesis."""
    draw, seen = FromSeed(np.random.default_rng(0)), []

    @seed(0)
    @settings(
        max_examples=DRAWS,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.composite(lambda draw: draws(FromHypothesis(draw)))())
    def collect(inputs):
        seen.append(inputs)

    collect()
    return [draws(draw) for _ in range(DRAWS)] + seen


def each(draws, of):
    """Return what `of` gives for the inputs drawn, one after the other, in one row."""
    return np.concatenate([np.ravel(of(**inputs)) for inputs in drawn(draws)])


def confident(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = (e / e.sum(axis=1, keepdims=True)).max(axis=1)
    return p > 1 - 1e-6 if z.shape[1] > 1 else []


def degrees_of(x, W, y, **others):
    rows = zip(x, W.T[y], strict=True)
    return np.array([lsoftmax.degrees_between(*row)[2] for row in rows], float)


def repeat(y, **others):
    return len(set(y)) < len(y) if len(y) > 1 else []


def differ(y, **others):
    return len(set(y)) > 1 if len(y) > 1 else []


def has_a_zero_vector(x, W, **others):
    return not (x.any(axis=1).all() and W.any(axis=0).all())


def sizes_of_x(x, **others):
    return np.abs(x).max(axis=1)


def sizes_of_W_y(W, y, **others):
    return np.abs(W[:, y]).max(axis=0)


def is_tiny(sizes):
    return (sizes > 0) & (sizes < 1e-90)


def past_1(x, W, y, **others):
    """Whether cosines are past 1 by the spacing of the floats there, so that they stay
    it in whatever order their products are summed.
    """
    return [
        abs(sum(Fraction(a) * Fraction(b) for a, b in zip(*row, strict=True))) - 1
        >= Fraction(2) ** -52
        for row in zip(units(x), units(W.T[y]), strict=True)
    ]


def units(rows):
    return (rows / np.sqrt(np.sum(rows**2, axis=1, keepdims=True))).tolist()


SHARES = {  # what is seen among the draws: in which share of them at least, and at most
    "ordinary rows of logits that are saturated": (
        lambda: each(softmax.logits, confident), 0, 0.01),
    "ordinary rows of logits that are not all equal": (
        lambda: each(softmax.logits, lambda z: np.ptp(z, axis=1) > 0), 0.4, 1),
    "wide logits that exp does not bear": (
        lambda: each(softmax.wide_logits, lambda z: np.abs(z).max() > 709.78), 0.3, 1),
    "wide rows that are far apart": (
        lambda: each(softmax.wide_logits, lambda z: np.ptp(z.max(axis=1)) > 745),
        0.05, 1),
    "wide rows that are confident": (
        lambda: each(softmax.wide_logits, confident), 0.1, 0.9),
    "labels that repeat": (lambda: each(cross_entropy.labelled, repeat), 0.2, 1),
    "labels that differ": (lambda: each(cross_entropy.labelled, differ), 0.2, 1),
    "labels that reach the last class": (
        lambda: each(cross_entropy.labelled, lambda z, y: y.max() == z.shape[1] - 1),
        0.2, 1),
    "linear layers without a bias": (
        lambda: each(linear.linear_inputs, lambda x, W, b: b is None), 0.2, 0.8),
    "negative activations": (lambda: each(relu.activations, lambda h: h < 0), 0.02, 1),
    "activations of 0": (lambda: each(relu.activations, lambda h: h == 0), 0.02, 1),
    "activations above 6": (lambda: each(relu.activations, lambda h: h > 6), 0.02, 1),
    "labels of features that repeat": (
        lambda: each(lsoftmax.ordinary_features, repeat), 0.2, 1),
    "features with lam = 0": (
        lambda: each(lsoftmax.ordinary_features, lambda lam, **_: lam == 0), 0.1, 0.9),
    "ordinary features with a zero vector": (
        lambda: each(lsoftmax.ordinary_features, has_a_zero_vector), 0, 0),
    "parallel features": (
        lambda: each(lsoftmax.parallel_features, degrees_of) == 0, 0.2, 1),
    "antiparallel features": (
        lambda: each(lsoftmax.parallel_features, degrees_of) == 180, 0.2, 1),
    "cosines that rounding carries past 1": (
        lambda: each(lsoftmax.parallel_features, past_1), 0.05, 1),
    "features of 0": (lambda: each(any_norm, sizes_of_x) == 0, 0.02, 0.5),
    "features of 1e-100": (lambda: is_tiny(each(any_norm, sizes_of_x)), 0.02, 1),
    "features of 1e100": (lambda: each(any_norm, sizes_of_x) > 1e90, 0.02, 1),
    "weights of 0": (lambda: each(any_norm, sizes_of_W_y) == 0, 0.02, 0.5),
    "weights of 1e-100": (lambda: is_tiny(each(any_norm, sizes_of_W_y)), 0.02, 1),
    "weights of 1e100": (lambda: each(any_norm, sizes_of_W_y) > 1e90, 0.02, 1),
}  # fmt: skip


@pytest.mark.parametrize("what", SHARES)
def test_of_what_matters_some_are_drawn_and_of_what_does_not_few(what):
    flags, least, most = SHARES[what]
    assert least <= np.mean(flags()) <= most


def test_ordinary_logits_have_one_row_and_many_and_one_class_and_many():
    rows, classes = zip(*(g["z"].shape for g in drawn(softmax.logits)), strict=True)
    assert np.bincount(rows, minlength=5)[1:].min() > 0.05 * len(rows)
    assert np.bincount(classes, minlength=6)[1:].min() > 0.05 * len(rows)


def test_the_classes_lie_along_every_axis_of_one_two_and_three():
    seen = {(g["z"].ndim, g["axis"]) for g in drawn(softmax.any_axis)}
    assert {(n, axis) for n in (1, 2, 3) for axis in range(-1, n)} <= seen


def test_wide_logits_reach_10000_and_no_further():
    assert max(np.abs(given["z"]).max() for given in drawn(softmax.wide_logits)) == 1e4


def test_features_have_from_one_to_four_inputs_and_classes():
    shapes = [given["W"].shape for given in drawn(lsoftmax.ordinary_features)]
    for axis in (0, 1):
        assert {shape[axis] for shape in shapes} == {1, 2, 3, 4}


def degrees_with(m, draws, of):
    return np.concatenate([np.ravel(of(**g)) for g in drawn(draws) if g["m"] == m])


@pytest.mark.parametrize("m", psi.MARGINS)
@pytest.mark.parametrize(
    ("draws", "degrees"),
    [
        (psi.angles, lambda theta, m: np.rad2deg(theta)),
        (psi.cosines, lambda cos, m: np.rad2deg(np.arccos(cos))),
        (lsoftmax.features, degrees_of),
    ],
)
def test_every_piece_of_psi_is_drawn(m, draws, degrees):
    k = np.floor(m * degrees_with(m, draws, degrees) / 180 + 1e-9).astype(int)
    assert np.bincount(np.minimum(k, m - 1), minlength=m).min() > 0.1 * len(k) / m


@pytest.mark.parametrize("m", psi.MARGINS)
def test_knots_and_ends_are_drawn_exactly(m):
    knots = np.deg2rad([180 * k / m for k in range(m + 1)])
    at_knots = degrees_with(m, psi.angles, lambda theta, m: np.isin(theta, knots))
    assert at_knots.mean() > 0.05


def test_features_inside_stay_away_from_every_knot():
    steps = each(lsoftmax.features_inside, lambda m, **g: m * degrees_of(**g) / 180)
    assert np.abs(steps - np.round(steps)).min() > 0.19
