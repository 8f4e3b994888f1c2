"""Intervals of paired differences: they cover what they say, seeds and images both."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from npsoftmax.intervals import CONFIDENCE, paired_interval, t_quantile

SAME, FOLDS = [0] * 5, [0, 1, 2, 3, 4]
TRIALS = 400
# Of a share over so many trials, where it is CONFIDENCE.
FOUR_ERRORS = 4 * np.sqrt(CONFIDENCE * (1 - CONFIDENCE) / TRIALS)


@pytest.mark.parametrize(
    ("freedom", "t"),
    # The 97.5 % points of Student's t, to the three decimals that tables have.
    [(1, 12.706), (2, 4.303), (4, 2.776), (9, 2.262), (30, 2.042), (10**6, 1.960)],
)
def test_the_quantile_of_t_is_that_of_the_tables(freedom, t):
    assert t_quantile(freedom) == pytest.approx(t, abs=6e-4)


def drawn(rng, folds, seeds, images, of_seed, of_image):
    """Return differences of mean 0: a part of each seed, of each image, of both."""
    image = {fold: of_image * rng.normal(size=images) for fold in set(folds)}
    return [
        of_seed * rng.normal() + image[fold] + rng.normal(size=images)
        for fold in folds[:seeds]
    ]


def share_covered(folds, of_seed, of_image):
    """Return how often the interval of drawn differences has the true mean in it."""
    rng = np.random.default_rng(0)
    intervals = (
        paired_interval(drawn(rng, folds, 5, 40, of_seed, of_image), folds)
        for _ in range(TRIALS)
    )
    return np.mean([low <= 0 <= high for _, low, high in intervals])


@pytest.mark.parametrize(("of_seed", "of_image"), [(0.3, 0), (0, 2)])
def test_an_interval_covers_the_true_mean_as_often_as_it_says(of_seed, of_image):
    assert share_covered(SAME, of_seed, of_image) >= CONFIDENCE - FOUR_ERRORS


def test_in_folds_an_interval_is_no_wider_than_it_must_be_either():
    assert abs(share_covered(FOLDS, 0.3, 1) - CONFIDENCE) <= FOUR_ERRORS


@given(st.floats(-10, 10), st.lists(st.integers(0, 4), min_size=2, max_size=8))
def test_an_interval_moves_with_its_differences(shift, folds):
    rng = np.random.default_rng(1)
    differences = drawn(rng, folds, len(folds), 9, 0.5, 0.5)
    before = np.array(paired_interval(differences, folds))
    after = np.array(paired_interval([d + shift for d in differences], folds))
    np.testing.assert_allclose(after, before + shift, rtol=0, atol=1e-12)


def test_one_seed_has_a_mean_and_no_interval():
    mean, low, high = paired_interval([np.array([1.0, 2.0])], [0])
    assert mean == 1.5
    assert np.isnan([low, high]).all()


def test_images_without_an_angle_are_left_out():
    known, more = np.array([1.0, 3.0]), np.array([1.0, np.nan, 3.0])
    assert paired_interval([more, more + 1], [0, 0]) == pytest.approx(
        paired_interval([known, known + 1], [0, 0])
    )


def test_differences_that_are_all_the_same_have_an_interval_of_no_width():
    assert paired_interval([np.ones(3)] * 2, [0, 1]) == (1, 1, 1)


@pytest.mark.parametrize(("low", "high", "sign"), [(-2, -1, -1), (-1, 1, 0), (1, 2, 1)])
def test_an_interval_has_a_sign_where_0_is_not_in_it(low, high, sign):
    differences = [np.full(2, low), np.full(2, high)]
    wide = paired_interval(differences, [0, 1])
    assert wide.sign in (0, sign)
    assert wide._replace(low=low, high=high).sign == sign
