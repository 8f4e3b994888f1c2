"""Bad input: every error names the argument, what it was, and what it may be."""

import numpy as np
import pytest

from npsoftmax import (
    cross_entropy_backward,
    cross_entropy_forward,
    features,
    init_params,
    linear_backward,
    linear_forward,
    log_softmax,
    log_softmax_backward,
    log_softmax_forward,
    logits,
    logsumexp,
    lsoftmax_backward,
    lsoftmax_forward,
    mlp_forward,
    predict,
    psi,
    psi_backward,
    psi_forward,
    psi_prime,
    relu_backward,
    relu_forward,
    softmax,
    softmax_backward,
    softmax_forward,
)

nan, inf = np.nan, np.inf
X = [[1.0, 2.0], [3.0, 4.0]]
W = [[1.0, 0.0, -1.0], [0.5, 1.0, 2.0]]
Z = [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]
Y = [0, 2]
RNG = np.random.default_rng(0)
PARAMS = init_params(RNG, D=4, H=(3, 3), F=2, C=3)
PIXELS = np.ones((2, 4), np.float32)

# What each function is called with; a test below replaces one of the arguments.
CALLS = {
    logsumexp: {"z": Z, "axis": -1},
    softmax: {"z": Z, "axis": -1},
    log_softmax: {"z": Z, "axis": -1},
    softmax_forward: {"z": Z},
    softmax_backward: {"dp": Z, "cache": softmax_forward(Z)[1]},
    log_softmax_forward: {"z": Z},
    log_softmax_backward: {"dlog_p": Z, "cache": log_softmax_forward(Z)[1]},
    cross_entropy_forward: {"z": Z, "y": Y},
    cross_entropy_backward: {"dloss": 1.0, "cache": cross_entropy_forward(Z, Y)[1]},
    linear_forward: {"x": X, "W": W, "b": [1.0, 2.0, 3.0]},
    linear_backward: {"dz": Z, "cache": linear_forward(X, W)[1]},
    relu_forward: {"h": Z},
    relu_backward: {"da": Z, "cache": relu_forward(Z)[1]},
    psi: {"theta": [0.5, 1.0], "m": 2},
    psi_prime: {"theta": [0.5, 1.0], "m": 2},
    psi_forward: {"cos": [0.5, 1.0], "m": 2},
    psi_backward: {"dpsi": [1.0, 1.0], "cache": psi_forward([0.5, 1.0], 2)[1]},
    lsoftmax_forward: {"x": X, "W": W, "y": Y, "m": 2, "lam": 0.0},
    lsoftmax_backward: {"dz": Z, "cache": lsoftmax_forward(X, W, Y, 2)[1]},
    init_params: {"rng": RNG, "D": 4, "H": (3, 3), "F": 2, "C": 3},
    mlp_forward: {"params": PARAMS, "x": PIXELS, "y": Y, "m": 2, "lam": 0.0},
    features: {"params": PARAMS, "x": PIXELS},
    logits: {"params": PARAMS, "x": PIXELS},
    predict: {"params": PARAMS, "x": PIXELS},
}

NO_NUMBERS = ["0.5", None, ["a", "b"], [[1.0], [1.0, 2.0]], {"z": 1}]
ARRAYS = [
    (function, name)
    for function, call in CALLS.items()
    for name, value in call.items()
    if name not in ("axis", "cache", "m", "lam", "params", "rng", "D", "H", "F", "C")
]


def called(function, **changed):
    return function(**{**CALLS[function], **changed})


def refuse(function, name, value, error, *parts):
    """Assert that the function refuses the value, with each part in its message."""
    with pytest.raises(error) as raised:
        called(function, **{name: value})
    assert type(raised.value) is error
    for part in parts:
        assert part in str(raised.value)


@pytest.mark.parametrize("function", CALLS, ids=lambda f: f.__name__)
def test_every_call_is_right_before_it_is_made_wrong(function):
    called(function)


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
@pytest.mark.parametrize(
    ("function", "name"), ARRAYS, ids=[f"{f.__name__}-{name}" for f, name in ARRAYS]
)
def test_what_is_no_array_of_numbers_is_refused(function, name, value):
    if (function, name, value) != (linear_forward, "b", None):  # no bias
        refuse(function, name, value, TypeError, f"{name} is {value!r}", "array of num")


# Shapes

MATRICES = [
    (softmax_forward, "z", "(N, C)"),
    (log_softmax_forward, "z", "(N, C)"),
    (cross_entropy_forward, "z", "(N, C)"),
    (linear_forward, "x", "(N, D)"),
    (linear_forward, "W", "(D, C)"),
    (lsoftmax_forward, "x", "(N, D)"),
    (lsoftmax_forward, "W", "(D, C)"),
    (mlp_forward, "x", "(N, D)"),
    (features, "x", "(N, D)"),
    (logits, "x", "(N, D)"),
    (predict, "x", "(N, D)"),
]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
@pytest.mark.parametrize(("function", "name", "wanted"), MATRICES)
def test_what_is_no_matrix_is_refused(function, name, wanted, shape):
    parts = f"{name} has shape {shape}", f"must be {wanted}"
    refuse(function, name, np.ones(shape), ValueError, *parts)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0, 0)])
@pytest.mark.parametrize(("function", "name", "wanted"), MATRICES)
def test_no_rows_and_no_columns_are_refused(function, name, wanted, shape):
    parts = f"{name} has shape {shape}", "empty", "at least one row and one column"
    refuse(function, name, np.ones(shape), ValueError, *parts)


@pytest.mark.parametrize("function", [linear_forward, lsoftmax_forward])
def test_matrices_that_do_not_fit_are_refused(function):
    parts = "x has shape (2, 2)", "W (3, 3)", "as many columns in x as rows in W"
    refuse(function, "W", np.ones((3, 3)), ValueError, *parts)


@pytest.mark.parametrize("b", [[1.0, 2.0], 1.0, [[1.0, 2.0, 3.0]]])
def test_a_bias_that_does_not_fit_is_refused(b):
    parts = f"b has shape {np.shape(b)}", "3 columns", "must be (3,)"
    refuse(linear_forward, "b", b, ValueError, *parts)


@pytest.mark.parametrize(
    ("function", "name", "shape"),
    [
        (softmax_backward, "dp", (2, 3)),
        (log_softmax_backward, "dlog_p", (2, 3)),
        (cross_entropy_backward, "dloss", ()),
        (linear_backward, "dz", (2, 3)),
        (relu_backward, "da", (2, 3)),
        (psi_backward, "dpsi", (2,)),
        (lsoftmax_backward, "dz", (2, 3)),
    ],
)
def test_a_gradient_of_another_shape_than_its_output_is_refused(function, name, shape):
    for other in ((3,), (1, 3), (3, 2), (2, 3, 1)):
        parts = f"{name} has shape {other}", str(shape)
        refuse(function, name, np.ones(other), ValueError, *parts)


@pytest.mark.parametrize("function", [logsumexp, softmax, log_softmax])
def test_an_axis_that_is_not_there_is_refused(function):
    for axis in (2, -3, 7):
        refuse(function, "axis", axis, ValueError, f"axis is {axis}", "(2, 3)")
    for axis in (None, 0.5, "1", True, (0, 1)):
        refuse(function, "axis", axis, TypeError, f"axis is {axis!r}", "integer")


@pytest.mark.parametrize("function", [logsumexp, softmax, log_softmax])
def test_an_axis_without_classes_is_refused(function):
    for z in ([], [[], []], np.ones((2, 0, 3)).swapaxes(1, 2)):
        parts = f"z has shape {np.shape(z)}", "one class or more"
        refuse(function, "z", z, ValueError, *parts)
    refuse(function, "z", 3.0, ValueError, "z has shape ()")


# Labels

WITH_LABELS = [cross_entropy_forward, lsoftmax_forward, mlp_forward]


@pytest.mark.parametrize("function", WITH_LABELS)
@pytest.mark.parametrize("label", [3, 12, -1, -3, 2**40, -(2**63)])
def test_a_label_that_is_no_class_is_refused(function, label):
    parts = f"y[1] is {label}", "there are 3 classes", "labels are 0 to 2"
    refuse(function, "y", [0, label], ValueError, *parts)


@pytest.mark.parametrize("function", WITH_LABELS)
def test_labels_that_are_no_integers_are_refused(function):
    for y in ([0.0, 1.0], [0.5, 1.0], [0, nan]):
        refuse(function, "y", y, TypeError, "y", "float64", "integers", "0 to 2")
    refuse(function, "y", [True, False], TypeError, "y", "bool", "integers", "0 to 2")


@pytest.mark.parametrize("function", WITH_LABELS)
def test_labels_for_another_number_of_rows_are_refused(function):
    for y in (0, [0], [0, 1, 2], [[0], [1]], []):
        parts = f"y has shape {np.shape(y)}", "2 rows", "must be (2,)"
        refuse(function, "y", y, ValueError, *parts)


def test_one_class_has_one_label():
    with pytest.raises(
        ValueError, match=r"y\[0\] is 1, but there is 1 class: .* 0 to 0"
    ):
        cross_entropy_forward([[1.0]], [1])


# Margins, lambda, sizes

WITH_MARGIN = [psi, psi_prime, psi_forward, lsoftmax_forward, mlp_forward]


@pytest.mark.parametrize("function", WITH_MARGIN)
def test_a_margin_below_one_is_refused(function):
    for m in (0, -2, np.int64(0)):
        refuse(function, "m", m, ValueError, f"m is {m}", "integer 1, 2, 3")


@pytest.mark.parametrize("function", WITH_MARGIN)
def test_a_margin_that_is_no_integer_is_refused(function):
    for m in (2.5, 2.0, True, np.True_, "2", None, [2], nan):
        refuse(function, "m", m, TypeError, "m is ", str(m), "integer 1, 2, 3")


@pytest.mark.parametrize("function", WITH_MARGIN)
def test_an_integer_of_numpy_is_a_margin(function):
    called(function, m=np.int8(3))
    called(function, m=np.array(3))


@pytest.mark.parametrize("function", [lsoftmax_forward, mlp_forward])
def test_a_lambda_that_is_no_finite_number_from_zero_is_refused(function):
    for lam in (-1, -1e-300, nan, inf, -inf):
        refuse(function, "lam", lam, ValueError, f"lam is {lam}", "finite", "from 0")
    for lam in ("5", None, True, np.True_, 1j, [5.0], np.array([5.0])):
        refuse(function, "lam", lam, TypeError, f"lam is {lam!r}", "a number from 0")


@pytest.mark.parametrize("name", ["D", "F", "C"])
def test_sizes_that_are_no_integers_from_one_are_refused(name):
    for size in (0, -1, 2.5, True, "3", None):
        refuse(init_params, name, size, ValueError, f"{name} is {size!r}", "from 1")


# Ranges


@pytest.mark.parametrize("name", ["x", "W"])
@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_features_and_weights_that_are_not_finite_are_refused(name, value):
    a = np.array(CALLS[lsoftmax_forward][name])
    a[1, 0] = value
    parts = f"{name}[1, 0] is {value}", "finite"
    refuse(lsoftmax_forward, name, a, ValueError, *parts)


@pytest.mark.parametrize("function", [psi, psi_prime])
@pytest.mark.parametrize("theta", [-0.1, 3.2, 90.0, nan, inf])
def test_an_angle_outside_zero_to_pi_is_refused(function, theta):
    parts = f"theta is {theta}", "[0, pi]", "radians"
    refuse(function, "theta", [0.5, theta], ValueError, *parts)


@pytest.mark.parametrize("cos", [1.1, -2.0, nan, inf])
def test_a_cosine_beyond_one_by_more_than_rounding_is_refused(cos):
    refuse(psi_forward, "cos", [0.5, cos], ValueError, f"cos is {cos}", "[-1, 1]")


def test_a_cache_of_another_forward_is_named():
    _, cache = log_softmax_forward([[1.0, 2.0]])
    with pytest.raises(TypeError, match="cache is a LogSoftmaxCache, but it must be a"):
        softmax_backward([[1.0, 0.0]], cache)


def test_a_mask_is_not_left_out_in_silence():
    with pytest.raises(TypeError, match="z is a masked array"):
        softmax(np.ma.masked_array([1.0, 2.0], mask=[0, 1]))
