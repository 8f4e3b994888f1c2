"""Bad input: every error names the argument, what it was, and what it may be."""

import inspect

import numpy as np
import pytest

import npsoftmax as nps

nan, inf = np.nan, np.inf
X = [[1.0, 2.0], [3.0, 4.0]]
W = [[1.0, 0.0, -1.0], [0.5, 1.0, 2.0]]
Z = [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]
Y = [0, 2]
RNG = np.random.default_rng(0)
PARAMS = nps.init_params(RNG, D=4, H=(3, 3), F=2, C=3)
PIXELS = np.ones((2, 4), np.float32)

# What each function is called with; a test below replaces one of the arguments.
CALLS = {
    "logsumexp": {"z": Z, "axis": -1},
    "softmax": {"z": Z, "axis": -1},
    "log_softmax": {"z": Z, "axis": -1},
    "naive_softmax": {"z": Z, "axis": -1},
    "softmax_forward": {"z": Z},
    "softmax_backward": {"dp": Z, "cache": nps.softmax_forward(Z)[1]},
    "log_softmax_forward": {"z": Z},
    "log_softmax_backward": {"dlog_p": Z, "cache": nps.log_softmax_forward(Z)[1]},
    "cross_entropy_forward": {"z": Z, "y": Y},
    "cross_entropy_backward": {
        "dloss": 1.0, "cache": nps.cross_entropy_forward(Z, Y)[1]
    },
    "linear_forward": {"x": X, "W": W, "b": [1.0, 2.0, 3.0]},
    "linear_backward": {"dz": Z, "cache": nps.linear_forward(X, W)[1]},
    "relu_forward": {"h": Z},
    "relu_backward": {"da": Z, "cache": nps.relu_forward(Z)[1]},
    "psi": {"theta": [0.5, 1.0], "m": 2},
    "psi_prime": {"theta": [0.5, 1.0], "m": 2},
    "psi_forward": {"cos": [0.5, 1.0], "m": 2},
    "psi_backward": {"dpsi": [1.0, 1.0], "cache": nps.psi_forward([0.5, 1.0], 2)[1]},
    "lsoftmax_forward": {"x": X, "W": W, "y": Y, "m": 2, "lam": 0.0},
    "lsoftmax_backward": {"dz": Z, "cache": nps.lsoftmax_forward(X, W, Y, 2)[1]},
    "init_params": {"rng": RNG, "D": 4, "H": (3, 3), "F": 2, "C": 3},
    "mlp_forward": {"params": PARAMS, "x": PIXELS, "y": Y, "m": 2, "lam": 0.0},
    "mlp_backward": {"dloss": 1.0, "cache": nps.mlp_forward(PARAMS, PIXELS, Y)[1]},
    "features": {"params": PARAMS, "x": PIXELS},
    "logits": {"params": PARAMS, "x": PIXELS},
    "predict": {"params": PARAMS, "x": PIXELS},
}  # fmt: skip
ARRAYS = [
    (function, name)
    for function, call in CALLS.items()
    for name in call
    if name not in ("axis", "cache", "m", "lam", "params", "rng", "D", "H", "F", "C")
]


def taking(*names):
    """Return the functions that take one of the arguments."""
    return [function for function, call in CALLS.items() if call.keys() & set(names)]


def called(function, **changed):
    return getattr(nps, function)(**{**CALLS[function], **changed})


def refuse(function, name, value, error, *parts):
    """Assert that the function refuses the value, in one line that has each part."""
    with pytest.raises(error) as raised:
        called(function, **{name: value})
    assert type(raised.value) is error
    said = str(raised.value)
    for part in parts:
        assert part in said
    assert "\n" not in said
    assert len(said) < 200


@pytest.mark.parametrize("function", CALLS)
def test_every_call_is_right_before_it_is_made_wrong(function):
    called(function)


def test_every_function_of_npsoftmax_is_called():
    functions = {name for name in nps.__all__ if inspect.isfunction(getattr(nps, name))}
    assert functions == {*CALLS}


# Arrays, and what else may come in their place


class Tensor:
    """What a framework's tensor does whose gradient is recorded."""

    requires_grad = True

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


class Broken:
    """An array of somebody's whose conversion, text and number all fail."""

    def _fail(self, *given, **more):
        raise KeyError("broken")

    __array__ = __repr__ = __float__ = _fail


LONG = [[["a"] * 9] * 9] * 9
NO_NUMBERS = [
    "0.5", None, ["a", "b"], [[1.0], [1.0, 2.0]], {"z": 1}, {1.0, 2.0}, LONG,
    np.array(LONG), np.array([1.0, None]), np.array(["2026-01-01"], "M8[D]"),
    np.zeros(2, "f8, f8"), Broken(),
]  # fmt: skip


@pytest.mark.parametrize(("function", "name"), ARRAYS)
def test_what_is_no_array_of_numbers_is_refused(function, name):
    for value in NO_NUMBERS:
        if (name, value is None) != ("b", True):  # no bias
            refuse(function, name, value, TypeError, f"{name} is ", "array of numbers")
    refuse(function, name, "0.5", TypeError, f"{name} is '0.5', but it must be")
    refuse(function, name, Broken(), TypeError, f"{name} is of type Broken, but it")
    refuse(function, name, LONG, TypeError, "..., but it must be")
    words = f"{name} is a tensor that requires a gradient, but gradients are not"
    refuse(function, name, Tensor(), TypeError, words, f"give {name}.detach().numpy()")


@pytest.mark.parametrize(("function", "name"), ARRAYS)
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


# Shapes

AXES = taking("axis")
MATRICES = [
    (function, name, wanted)
    for name, wanted in (("z", "(N, C)"), ("x", "(N, D)"), ("W", "(D, C)"))
    for function in taking(name)
    if function not in AXES
]


@pytest.mark.parametrize(("function", "name", "wanted"), MATRICES)
def test_what_is_no_matrix_with_a_row_and_a_column_is_refused(function, name, wanted):
    for shape in ((), (3,), (2, 3, 4)):
        parts = f"{name} has shape {shape}", f"must be {wanted}"
        refuse(function, name, np.ones(shape), ValueError, *parts)
    for shape in ((0, 3), (2, 0), (0, 0)):
        parts = f"{name} has shape {shape}", "empty", "at least one row and one column"
        refuse(function, name, np.ones(shape), ValueError, *parts)


@pytest.mark.parametrize("function", taking("W"))
def test_matrices_that_do_not_fit_are_refused(function):
    parts = "x has shape (2, 2)", "W (3, 3)", "as many columns in x as rows in W"
    refuse(function, "W", np.ones((3, 3)), ValueError, *parts)


def test_a_bias_that_does_not_fit_is_refused():
    for b in ([1.0, 2.0], 1.0, [[1.0, 2.0, 3.0]]):
        parts = f"b has shape {np.shape(b)}", "3 columns", "must be (3,)"
        refuse("linear_forward", "b", b, ValueError, *parts)


BACKWARDS = taking("cache")
COTANGENTS = [(function, next(iter(CALLS[function]))) for function in BACKWARDS]


@pytest.mark.parametrize(("function", "name"), COTANGENTS)
def test_a_gradient_of_another_shape_than_its_output_is_refused(function, name):
    own = np.shape(CALLS[function][name])
    for shape in ((1,), (3,), (1, 3), (3, 2), (2, 3, 1)):
        parts = f"{name} has shape {shape}", "its output", str(own)
        refuse(function, name, np.ones(shape), ValueError, *parts)


@pytest.mark.parametrize("function", AXES)
def test_an_axis_that_is_not_there_or_has_no_classes_is_refused(function):
    for axis in (2, -3, 7):
        refuse(function, "axis", axis, ValueError, f"axis is {axis}", "(2, 3)")
    refuse(function, "axis", 10**5000, ValueError, "axis is of type int", "(2, 3)")
    for axis in (None, 0.5, "1", True, (0, 1)):
        refuse(function, "axis", axis, TypeError, f"axis is {axis!r}", "integer")
    for z in ([], [[], []], np.ones((2, 0, 3)).swapaxes(1, 2)):
        parts = f"z has shape {np.shape(z)}", "one class or more"
        refuse(function, "z", z, ValueError, *parts)
    refuse(function, "z", 3.0, ValueError, "z has shape ()")


# Labels


@pytest.mark.parametrize("function", taking("y"))
def test_labels_are_classes_one_for_each_row(function):
    for label in (3, 12, -1, -3, 2**40, -(2**63)):
        parts = f"y[1] is {label}", "there are 3 classes", "labels are 0 to 2"
        refuse(function, "y", [0, label], ValueError, *parts)
    most = np.array([0, 2**64 - 1], np.uint64)
    refuse(function, "y", most, ValueError, f"y[1] is {2**64 - 1}")
    refuse(function, "y", [10**400, 0], TypeError, "y is [1000")
    for y in ([0.0, 1.0], [0.5, 1.0], [0, nan]):
        refuse(function, "y", y, TypeError, "y", "float64", "integers", "0 to 2")
    refuse(function, "y", [True, False], TypeError, "y", "bool", "integers", "0 to 2")
    for y in (0, [0], [0, 1, 2], [[0], [1]], []):
        parts = f"y has shape {np.shape(y)}", "2 rows", "must be (2,)"
        refuse(function, "y", y, ValueError, *parts)


def test_one_class_has_one_label():
    said = r"y\[0\] is 1, but there is 1 class: .* 0 to 0"
    with pytest.raises(ValueError, match=said):
        nps.cross_entropy_forward([[1.0]], [1])


# Margins, lambda, sizes


@pytest.mark.parametrize("function", taking("m"))
def test_a_margin_is_an_integer_from_1_to_100(function):
    for m in (0, -2, np.int64(0), 101, 10**9, 2**63):
        refuse(function, "m", m, ValueError, f"m is {m}", "integer 1, 2, 3")
    refuse(function, "m", 10**5000, ValueError, "m is of type int", "at most 100")
    for m in (2.5, 2.0, True, np.True_, "2", None, [2], nan):
        refuse(function, "m", m, TypeError, "m is ", str(m), "integer 1, 2, 3")
    refuse(function, "m", Broken(), TypeError, "m is of type Broken", "integer 1, 2")
    refuse(function, "m", np.ones((30, 30)), TypeError, "..., but the margin is an")
    called(function, m=np.int8(3))
    called(function, m=np.array(3))


@pytest.mark.parametrize("function", taking("lam"))
def test_a_lambda_that_is_no_finite_number_from_zero_is_refused(function):
    for lam in (-1, -1e-300, nan, inf, -inf):
        refuse(function, "lam", lam, ValueError, f"lam is {lam}", "finite", "from 0")
    for lam in (10**400, -(10**400), 10**5000):
        refuse(function, "lam", lam, ValueError, "must be a finite number from 0")
    for lam in (
        "5", None, True, np.True_, 1j, [5.0], np.array([5.0]), np.complex128(1 + 2j),
        np.complex64(1), b"0.5", bytearray(b"1"), object,
    ):  # fmt: skip
        refuse(function, "lam", lam, TypeError, f"lam is {lam!r}", "a number from 0")
    for lam in (np.ones((30, 30)), Broken()):
        refuse(function, "lam", lam, TypeError, "but it must be a number from 0")


@pytest.mark.parametrize("name", ["D", "F", "C"])
def test_sizes_that_are_no_integers_from_one_are_refused(name):
    for size in (0, -1, 2.5, True, "3", None):
        refuse("init_params", name, size, ValueError, f"{name} is {size!r}", "from 1")


# Ranges


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_features_and_weights_that_are_not_finite_are_refused(value):
    for name in ("x", "W"):
        a = np.array(CALLS["lsoftmax_forward"][name])
        a[1, 0] = value
        parts = f"{name}[1, 0] is {value}", "finite"
        refuse("lsoftmax_forward", name, a, ValueError, *parts)


@pytest.mark.parametrize("function", taking("theta"))
def test_an_angle_outside_zero_to_pi_is_refused(function):
    for theta in (-0.1, 3.2, 90.0, nan, inf):
        parts = f"theta is {theta}", "[0, pi]", "radians"
        refuse(function, "theta", [0.5, theta], ValueError, *parts)
        refuse(function, "theta", [[[theta]]], ValueError, *parts)


@pytest.mark.parametrize("cos", [1.1, -2.0, nan, inf])
def test_a_cosine_beyond_one_by_more_than_rounding_is_refused(cos):
    refuse("psi_forward", "cos", [0.5, cos], ValueError, f"cos is {cos}", "[-1, 1]")


# Caches


@pytest.mark.parametrize("function", BACKWARDS)
def test_a_wrong_or_foreign_cache_is_named_with_the_forward_that_makes_the_right_one(
    function,
):
    own = CALLS[function]["cache"]
    others = [CALLS[f]["cache"] for f in BACKWARDS if f != function]
    for cache in (*others, tuple(own), (Z, own), list(own), None, {}, 3, np.ones(3)):
        kinds = f"cache is a {type(cache).__name__}", type(own).__name__
        forward = function.replace("backward", "forward")
        refuse(function, "cache", cache, TypeError, *kinds, forward)
