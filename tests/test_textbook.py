"""The page: it has every equation, agrees with the robust functions on ordinary inputs,
and parts from them where these say so.

Both do the same few operations on numbers near 1, each off by eps / 2 at most, so that
64 eps of the largest entry is room for over a hundred of them.
"""

import ast
import inspect
import re

import exact
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npsoftmax
from npsoftmax import textbook

EPS = 2.0**-52
SOURCE = inspect.getsource(textbook)
CODE = SOURCE.replace(ast.get_docstring(ast.parse(SOURCE), clean=False), "")
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 5)


def close(a, b):
    return np.abs(a - b).max() <= 64 * EPS * max(1, np.abs(b).max())


# Reading


@pytest.mark.parametrize("number", range(1, 11))
def test_each_equation_is_stated_and_stands_beside_a_line_of_code(number):
    stated = re.findall(rf"^    \({number}\) ", SOURCE, flags=re.MULTILINE)
    lines = [line for line in CODE.splitlines() if f"({number})" in line]
    assert len(stated) == 1
    assert any(re.search(r"=.*#|return.*#|assert.*#", line) for line in lines)


def test_the_page_needs_no_other_file_than_numpy():
    modules = re.findall(r"^(?:from|import) (\S+)", SOURCE, flags=re.MULTILINE)
    assert modules == ["typing", "numpy"]


def test_a_cache_s_fields_are_all_that_its_forward_computes():
    for name, forward in vars(textbook).items():
        if name.endswith("_forward") and name != "lsoftmax_forward":
            body = ast.parse(inspect.getsource(forward)).body[0]
            names = {
                node.id
                for node in ast.walk(body)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
            fields = set(forward.__globals__[cache_of(forward)]._fields)
            assert names <= fields | {"psi_c", "z", "a"}, name


def cache_of(forward):
    return re.search(r"(\w+Cache)\(", inspect.getsource(forward)).group(1)


# Where both agree


@given(seed=seeds, N=sizes, C=sizes)
def test_softmax_and_its_loss_agree_with_the_robust_ones(seed, N, C):
    rng = np.random.default_rng(seed)
    z, dp, y = (
        rng.uniform(-3, 3, (N, C)),
        rng.normal(size=(N, C)),
        rng.integers(0, C, N),
    )
    for pair in ("softmax", "log_softmax"):
        value, dz = forward_and_backward(textbook, pair, (z,), dp)
        right_value, right_dz = forward_and_backward(npsoftmax, pair, (z,), dp)
        assert close(value, right_value)
        assert close(dz, right_dz)
    loss, dz = forward_and_backward(textbook, "cross_entropy", (z, y), 1.0)
    right_loss, right_dz = forward_and_backward(npsoftmax, "cross_entropy", (z, y), 1.0)
    assert close(loss, right_loss)
    assert close(dz, right_dz)
    assert close(textbook.logsumexp(z), npsoftmax.logsumexp(z))


@given(seed=seeds, m=st.integers(1, 8), lam=st.sampled_from([0.0, 0.5, 4.0]))
def test_l_softmax_agrees_with_the_robust_one(seed, m, lam):
    rng = np.random.default_rng(seed)
    x, W, y = rng.normal(size=(4, 3)), rng.normal(size=(3, 5)), rng.integers(0, 5, 4)
    dz = rng.normal(size=(4, 5))
    z, (dx, dW) = forward_and_backward(textbook, "lsoftmax", (x, W, y, m, lam), dz)
    right, gradients = forward_and_backward(
        npsoftmax, "lsoftmax", (x, W, y, m, lam), dz
    )
    for ours, theirs in ((z, right), (dx, gradients[0]), (dW, gradients[1])):
        assert close(ours / m**2, theirs / m**2)  # a slope is up to m^2


@given(seed=seeds, m=st.integers(1, 8))
def test_psi_and_its_slopes_agree_with_the_robust_ones(seed, m):
    theta = np.random.default_rng(seed).uniform(0, np.pi, 20)
    assert close(textbook.psi(theta, m), npsoftmax.psi(theta, m))
    assert close(textbook.psi_prime(theta, m), npsoftmax.psi_prime(theta, m))
    cos, ones = np.cos(theta), np.ones(20)
    value, slope = forward_and_backward(textbook, "psi", (cos, m), ones)
    right, right_slope = forward_and_backward(npsoftmax, "psi", (cos, m), ones)
    assert close(value, right)
    assert close(slope / m**2, right_slope / m**2)


def forward_and_backward(module, pair, inputs, gradient):
    value, cache = getattr(module, f"{pair}_forward")(*inputs)
    return value, getattr(module, f"{pair}_backward")(gradient, cache)


# Where they part


def test_the_shift_s_rounding_costs_the_page_hundreds_of_ulp():
    z = np.array([0.1, -700.3])
    right = exact.softmax(z.tolist())
    assert exact.ulps(npsoftmax.softmax(z), right) <= 4
    assert exact.ulps(textbook.softmax(z), right) > 100


def test_a_confident_row_s_loss_and_gradient_are_0_on_the_page():
    z, y = np.array([[50.0, 0.0]]), np.array([0])
    loss, dz = forward_and_backward(textbook, "cross_entropy", (z, y), 1.0)
    right, right_dz = forward_and_backward(npsoftmax, "cross_entropy", (z, y), 1.0)
    assert (loss, dz[0, 0]) == (0, 0)
    assert exact.ulps(right, [exact.cross_entropy(z.tolist(), [0])]) <= 4
    assert right_dz[0, 0] < 0


def test_small_unsigned_integers_wrap_around_on_the_page():
    z = np.array([3, 5], np.uint8)
    with np.errstate(over="ignore"):
        assert textbook.log_softmax(z)[1] == -np.inf  # 3 - 5 is 254 in uint8
    assert npsoftmax.log_softmax(z)[1] == npsoftmax.log_softmax([3.0, 5.0])[1]


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_norms_whose_squares_leave_float64_have_no_right_angle_on_the_page(size):
    x, W, y = np.array([[size, 0.0]]), np.array([[0.6], [0.8]]), np.array([0])
    with np.errstate(all="ignore"):
        z = textbook.lsoftmax_forward(x, W, y, 2)[0]
    right = npsoftmax.lsoftmax_forward(x, W, y, 2)[0]
    assert np.allclose(right / size, -0.28)  # cos(2 theta) = 2 * 0.6^2 - 1
    assert not np.allclose(z / size, right / size)
