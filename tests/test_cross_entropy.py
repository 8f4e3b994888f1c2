"""Cross-entropy: its value and gradient, confident rows above all."""

import exact
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_softmax import CASES, INTEGERS, ULPS, finite_rows, hard_rows, inf, nan

from npsoftmax import cross_entropy_backward, cross_entropy_forward, softmax


def loss_and_gradient(z, y):
    loss, cache = cross_entropy_forward(z, y)
    return loss, cross_entropy_backward(1.0, cache)


# Values


@pytest.mark.parametrize(("size", "scale", "dtype"), CASES)
def test_loss_and_both_parts_of_its_gradient_are_right_to_the_last_digits(
    size, scale, dtype
):
    for row in hard_rows(size, scale, dtype):
        for y in {0, size // 2, int(row.argmax())}:
            loss, dz = loss_and_gradient(row[None], [y])
            assert loss.dtype == dz.dtype == dtype
            assert exact.ulps(loss, exact.cross_entropy([row], [y])) <= ULPS[dtype]
            true = exact.cross_entropy_gradient([row], [y])
            assert exact.ulps(dz, true) <= ULPS[dtype]


@given(finite_rows(), st.data())
def test_every_finite_batch_is_right_to_four_ulps(z, data):
    N, C = z.shape
    y = data.draw(st.lists(st.integers(0, C - 1), min_size=N, max_size=N))
    loss, dz = loss_and_gradient(z, y)
    assert exact.ulps(loss, exact.cross_entropy(z, y)) <= 4
    assert exact.ulps(dz, exact.cross_entropy_gradient(z, y)) <= 4
