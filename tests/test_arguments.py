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
    mlp_backward,
    mlp_forward,
    naive_softmax,
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
    naive_softmax: {"z": Z, "axis": -1},
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
    mlp_backward: {"dloss": 1.0, "cache": mlp_forward(PARAMS, PIXELS, Y)[1]},
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

AXES = [logsumexp, softmax, log_softmax, naive_softmax]

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


@pytest.mark.parametrize("function", AXES)
def test_an_axis_that_is_not_there_is_refused(function):
    for axis in (2, -3, 7):
        refuse(function, "axis", axis, ValueError, f"axis is {axis}", "(2, 3)")
    for axis in (None, 0.5, "1", True, (0, 1)):
        refuse(function, "axis", axis, TypeError, f"axis is {axis!r}", "integer")


@pytest.mark.parametrize("function", AXES)
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
def test_a_margin_below_one_or_above_a_hundred_is_refused(function):
    for m in (0, -2, np.int64(0), 101, 10**9):
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


# Caches

BACKWARDS = [f for f in CALLS if f.__name__.endswith("_backward")]


@pytest.mark.parametrize("function", BACKWARDS, ids=lambda f: f.__name__)
def test_a_wrong_or_foreign_cache_is_named_with_the_forward_that_makes_the_right_one(
    function,
):
    forward = function.__name__.replace("backward", "forward")
    own = CALLS[function]["cache"]
    others = [CALLS[f]["cache"] for f in BACKWARDS if f is not function]
    for cache in (*others, tuple(own), (Z, own), list(own), None, {}, 3, np.ones(3)):
        parts = f"cache is a {type(cache).__name__}", type(own).__name__, forward
        refuse(function, "cache", cache, TypeError, *parts)


# What else may come, and the words it meets


class Tensor:
    """What a framework's tensor does whose gradient is recorded."""

    requires_grad = True

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


class Broken:
    """An array of somebody's whose conversion, text and number all fail."""

    def __array__(self, dtype=None, copy=None):
        raise KeyError("broken")

    def __repr__(self):
        raise KeyError("broken")

    def __float__(self):
        raise KeyError("broken")


LONG = [[["a"] * 9] * 9] * 9
TENSOR = (
    "that requires a gradient, but gradients are not recorded here: give z.detach()"
)
ATTEMPTS = [
    (lsoftmax_forward, "lam", np.complex128(1 + 2j), "lam is np.complex128(1+2j), but"),
    (lsoftmax_forward, "lam", np.complex64(1), "lam is np.complex64(1+0j), but"),
    (lsoftmax_forward, "lam", 1 + 0j, "lam is (1+0j), but it must be a number from 0"),
    (lsoftmax_forward, "lam", b"0.5", "lam is b'0.5', but it must be a number from 0"),
    (lsoftmax_forward, "lam", bytearray(b"1"), "lam is bytearray(b'1'), but it must"),
    (lsoftmax_forward, "lam", 10**400, "but it must be a finite number from 0"),
    (
        lsoftmax_forward,
        "lam",
        10**5000,
        "lam is of type int, but it must be a finite number",
    ),
    (lsoftmax_forward, "lam", -(10**400), "must be a finite number from 0"),
    (lsoftmax_forward, "lam", np.ones((30, 30)), "but it must be a number from 0"),
    (
        lsoftmax_forward,
        "lam",
        Broken(),
        "lam is of type Broken, but it must be a number",
    ),
    (lsoftmax_forward, "lam", object, "lam is <class 'object'>, but it must be"),
    (softmax, "z", Tensor(), TENSOR),
    (logsumexp, "z", Tensor(), TENSOR),
    (log_softmax, "z", Tensor(), TENSOR),
    (naive_softmax, "z", Tensor(), TENSOR),
    (softmax_forward, "z", Tensor(), TENSOR),
    (cross_entropy_forward, "z", Tensor(), TENSOR),
    (cross_entropy_forward, "y", Tensor(), "y is a tensor that requires a gradient"),
    (linear_forward, "b", Tensor(), "give b.detach().numpy()"),
    (lsoftmax_forward, "x", Tensor(), "x is a tensor that requires a gradient"),
    (lsoftmax_backward, "dz", Tensor(), "dz is a tensor that requires a gradient"),
    (softmax, "z", Broken(), "z is of type Broken, but it must be an array of numbers"),
    (softmax, "z", LONG, "..., but it must be an array of numbers"),
    (softmax, "z", np.array(LONG), "..., but it must be an array of numbers"),
    (softmax, "z", np.array([1.0, None]), "but it must be an array of numbers"),
    (softmax, "z", np.array(["2026-01-01"], "M8[D]"), "must be an array of numbers"),
    (softmax, "z", np.zeros(2, "f8, f8"), "must be an array of numbers"),
    (softmax, "z", {1.0, 2.0}, "z is {1.0, 2.0}, but it must be an array of numbers"),
    (softmax, "z", "1 2", "z is '1 2', but it must be an array of numbers"),
    (naive_softmax, "z", "1 2", "z is '1 2', but it must be an array of numbers"),
    (naive_softmax, "z", [[1.0], [1.0, 2.0]], "but it must be an array of numbers"),
    (naive_softmax, "z", None, "z is None, but it must be an array of numbers"),
    (naive_softmax, "z", [], "z has shape (0,): along axis -1 it must have one class"),
    (naive_softmax, "axis", 7, "axis is 7, but z has shape (2, 3)"),
    (naive_softmax, "axis", 0.5, "axis is 0.5, but an axis is an integer, -1 the last"),
    (softmax, "axis", 10**5000, "axis is of type int, but z has shape (2, 3)"),
    (psi, "m", 10**9, "m is 1000000000, but the margin is an integer 1, 2, 3, ..., at"),
    (psi, "m", 101, "m is 101, but the margin is an integer 1, 2, 3, ..., at most 100"),
    (psi_prime, "m", 2**63, "m is 9223372036854775808, but the margin is an integer"),
    (
        psi_forward,
        "m",
        10**5000,
        "m is of type int, but the margin is an integer 1, 2, 3",
    ),
    (lsoftmax_forward, "m", 10**9, "m is 1000000000, but the margin is an integer"),
    (mlp_forward, "m", 101, "m is 101, but the margin is an integer 1, 2, 3, ..., at"),
    (psi, "m", Broken(), "m is of type Broken, but the margin is an integer 1, 2, 3"),
    (psi, "m", np.ones((30, 30)), "..., but the margin is an integer 1, 2, 3"),
    (psi, "theta", [[[4.0]]], "theta is 4.0, but an angle is in [0, pi], in radians"),
    (psi_forward, "cos", [[1.5], [nan]], "cos is 1.5, but a cosine is in [-1, 1]"),
    (cross_entropy_forward, "y", [10**400, 0], "y is [1000"),
    (
        cross_entropy_forward,
        "y",
        np.array([0, 2**64 - 1], np.uint64),
        "y[1] is 18446744",
    ),
    (
        cross_entropy_backward,
        "dloss",
        [1.0],
        "dloss has shape (1,), but its output has",
    ),
    (
        cross_entropy_backward,
        "dloss",
        None,
        "dloss is None, but it must be an array of",
    ),
    (mlp_backward, "dloss", None, "dloss is None, but it must be an array of numbers"),
]


@pytest.mark.parametrize(
    ("function", "name", "value", "words"),
    ATTEMPTS,
    ids=[f"{function.__name__}: {words}" for function, _, _, words in ATTEMPTS],
)
def test_what_cannot_be_taken_is_refused_in_one_line(function, name, value, words):
    with pytest.raises((TypeError, ValueError)) as raised:
        called(function, **{name: value})
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    ("function", "name"), ARRAYS, ids=[f"{f.__name__}-{name}" for f, name in ARRAYS]
)
def test_arrays_of_every_kind_are_taken_as_they_are_or_refused_by_name(function, name):
    plain = np.array(CALLS[function][name])
    expected = arrays_of(called(function))
    for kind in (
        plain.astype(plain.dtype.newbyteorder("S")),
        np.array(plain, order="F"),
        np.repeat(plain, 2, axis=-1)[..., ::2] if plain.ndim else plain,
        plain.view(type("Subclass", (np.ndarray,), {})),
    ):
        found = arrays_of(called(function, **{name: kind}))
        for a, b in zip(found, expected, strict=True):
            assert type(a) in (np.ndarray, np.float64, np.float32)
            assert a.dtype.isnative
            np.testing.assert_allclose(a, b, rtol=1e-14)
    masked = np.ma.masked_array(plain, mask=False)
    refuse(function, name, masked, TypeError, f"{name} is a masked array", "fill it")
    if plain.dtype.kind == "f" and np.finfo(np.longdouble).bits > 64:
        wide = plain.astype(np.longdouble)
        refuse(function, name, wide, TypeError, f"{name} has type", "float64")


def arrays_of(value):
    """Return the arrays of what a function gives, but not those of its cache."""
    if isinstance(value, tuple) and hasattr(value[-1], "_fields"):
        value = value[:1]
    arrays = value if isinstance(value, tuple) else (value,)
    return [a for a in arrays if a is not None]
