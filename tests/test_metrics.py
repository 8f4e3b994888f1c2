"""The error rate, and the angles within and between classes."""

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from npsoftmax.lsoftmax import lsoftmax_forward
from npsoftmax.metrics import (
    angle,
    class_means,
    features_in_blocks,
    measure,
    nearest_means,
    wedge,
)
from npsoftmax.mlp import features, init_params, predict

EPS = np.finfo(np.float64).eps
degrees = st.floats(0, 180)
sizes = st.floats(-300, 300).map(lambda power: 10.0**power)


def at(degrees, size=1.0):
    """Return a vector of this size, at this angle from the first axis."""
    return size * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


@given(theta=degrees, a=sizes, b=sizes)
def test_the_angle_is_that_between_the_directions_whatever_the_lengths(theta, a, b):
    # The vector's two entries are rounded, which turns it by up to EPS, and so are some
    # ten operations of the formula.
    tolerance = np.degrees(12 * EPS)
    measured = angle(at(0, a)[None], at(theta, b)[None])[0]
    assert abs(measured - theta) <= tolerance + 4 * EPS * theta


@given(theta=st.floats(1e-12, 1e-3))
def test_a_small_angle_keeps_its_relative_accuracy(theta):
    a, b = np.array([[1.0, 0.0]]), np.array([[1.0, np.radians(theta)]])
    exact = np.degrees(np.arctan(np.radians(theta)))
    # 1 and the square of a small angle add up to 1 + EPS at most: one ulp of direction,
    # then some ten rounded operations.
    assert abs(angle(a, b)[0] - exact) <= 12 * EPS * exact


def test_a_vector_of_length_zero_has_no_angle():
    assert np.isnan(angle(np.zeros((1, 2)), np.ones((1, 2)))).all()


def test_class_means_are_means_and_nan_without_a_feature():
    f, y = np.random.default_rng(0).normal(size=(9, 2)), np.array([0, 2, 3] * 3)
    means = class_means(f, y, 4)
    assert np.isnan(means[1]).all()
    for c in (0, 2, 3):
        np.testing.assert_allclose(means[c], f[y == c].mean(axis=0), rtol=16 * EPS)


def test_the_smallest_angle_between_means_is_that_of_the_nearest_two():
    means = np.array([at(0), at(100), at(130, 5), at(250)])
    least, both = nearest_means(means)
    assert least == pytest.approx(30, rel=16 * EPS)
    assert both == (1, 2)


def test_means_without_an_angle_are_left_out_of_the_smallest():
    missing, zero = np.full(2, np.nan), np.zeros(2)
    means = np.array([at(0), missing, at(40), zero])
    least, both = nearest_means(means)
    assert least == pytest.approx(40, rel=16 * EPS)
    assert both == (0, 2)
    least, both = nearest_means(means[:2])
    assert np.isnan(least)
    assert both == ()


@given(N=st.integers(1, 20), rows=st.integers(1, 7))
def test_features_in_blocks_are_the_features(N, rows):
    params, x, _ = network_and_images(N)
    np.testing.assert_allclose(
        features_in_blocks(params, x, rows), features(params, x), rtol=1e-12
    )


def test_measures_are_those_of_features_weights_and_predictions():
    params, x, y = network_and_images(30)
    f, W = features(params, x), params.W4
    lengths = np.linalg.norm(f, axis=1) * np.linalg.norm(W[:, y], axis=0)
    cos = (f * W.T[y]).sum(axis=1) / lengths
    measures = measure(params, x, y)
    assert measures.error == np.mean(predict(params, x) != y)
    # These angles are far from 0 and 180 degrees, so arccos is right to a few EPS.
    by_arccos = np.degrees(np.arccos(cos)).mean()
    assert measures.to_weight == pytest.approx(by_arccos, rel=64 * EPS)
    assert measures.without_angle == 0


def test_features_of_length_zero_are_counted_and_left_out_of_the_angles():
    params, x, y = network_and_images(30)
    x[:3] = 0  # without biases, the features of a black image are 0
    measures, others = measure(params, x, y), measure(params, x[3:], y[3:])
    assert measures.without_angle == 3
    assert measures.to_weight == pytest.approx(others.to_weight, rel=64 * EPS)


def test_classes_that_are_never_predicted_are_named():
    params, x, y = network_and_images(30)
    W4 = params.W4.copy()
    W4[:, 2] = -1e3 * features(params, x).sum(axis=0)  # far behind every feature
    predicted = predict(params._replace(W4=W4), x)
    expected = tuple(sorted(set(y.tolist()) - set(predicted.tolist())))
    assert 2 in expected
    assert measure(params._replace(W4=W4), x, y).never == expected


@given(m=st.integers(1, 8), lam=st.floats(0, 100), apart=st.floats(1, 180))
def test_at_the_wedge_s_edge_both_classes_have_the_same_logit(m, lam, apart):
    theta = np.radians(apart - wedge(m, lam, apart)) / 2  # from the first weight
    W = np.stack([at(0), at(apart)], axis=1)  # (2, 2), of length 1
    x = at(np.degrees(theta))[None]  # (1, 2)
    z, _ = lsoftmax_forward(x, W, [0], m, lam)
    # Logits move by up to m^2 times what an angle does, rounded some ten times.
    assert abs(z[0, 0] - z[0, 1]) <= 16 * m**2 * EPS


@given(m=st.integers(1, 8), apart=st.floats(1, 180))
def test_without_lambda_the_wedge_is_the_paper_s_and_lambda_makes_it_narrower(m, apart):
    # psi is right to 9 EPS and the mix of two cosines to some more, say 32; where they
    # meet, their difference falls by sin(apart/2) or more a radian; a wedge has two
    # ends.
    tolerance = np.degrees(2 * 32 * EPS / np.sin(np.radians(apart / 2)))
    full = wedge(m, 0.0, apart)
    assert full == pytest.approx((m - 1) / (m + 1) * apart, abs=tolerance)
    widths = [wedge(m, lam, apart) for lam in (0.0, 0.1, 1.0, 10.0, 1000.0)]
    for wider, narrower in itertools.pairwise(widths):
        assert narrower <= wider + tolerance


def network_and_images(N):
    """Return an untrained network of 4 classes, N images and their labels."""
    rng = np.random.default_rng(0)
    params = init_params(rng, D=5, H=(6, 7), F=3, C=4, dtype=np.float64)
    return params, rng.uniform(size=(N, 5)), np.arange(N) % 4
