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
from draws import LAYERS, angles, margins, seeds, spread_rows
from hypothesis import given
from hypothesis import strategies as st

import npsoftmax
from npsoftmax import textbook

EPS = 2.0**-52
SOURCE = inspect.getsource(textbook)
CODE = SOURCE.replace(ast.get_docstring(ast.parse(SOURCE), clean=False), "")


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


@pytest.mark.parametrize("name", LAYERS)
@given(data=st.data(), seed=seeds)
def test_a_layer_of_the_page_agrees_with_the_robust_one(name, data, seed):
    inputs = data.draw(LAYERS[name])
    shape = np.shape(getattr(npsoftmax, f"{name}_forward")(*inputs)[0])
    d = np.random.default_rng(seed).normal(size=shape)
    page, robust = (
        forward_and_backward(module, name, inputs, d)
        for module in (textbook, npsoftmax)
    )
    steepest = max(t for t in (1, *inputs) if isinstance(t, int)) ** 2  # of psi: m^2
    for ours, theirs in zip(page, robust, strict=True):
        assert (ours is theirs is None) or close(ours / steepest, theirs / steepest)


@given(rows=spread_rows(), theta=angles, m=margins)
def test_a_function_of_the_page_agrees_with_the_robust_one(rows, theta, m):
    assert close(textbook.logsumexp(rows), npsoftmax.logsumexp(rows))
    assert close(textbook.psi(theta, m), npsoftmax.psi(theta, m))
    slopes = textbook.psi_prime(theta, m), npsoftmax.psi_prime(theta, m)
    assert close(slopes[0] / m**2, slopes[1] / m**2)


def forward_and_backward(module, name, inputs, gradient):
    """Return the output and the gradients, in one tuple."""
    value, cache = getattr(module, f"{name}_forward")(*inputs)
    gradients = getattr(module, f"{name}_backward")(gradient, cache)
    return value, *(gradients if isinstance(gradients, tuple) else (gradients,))


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
