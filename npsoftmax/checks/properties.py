"""The table of properties: what must be true of each function of the contract.

A property is a short function whose name, read after the name of the function it is
about, is a true sentence: `softmax sums to one`. It gets the function as `f` and inputs
by name, drawn by a strategy, and raises `Wrong` where the sentence is not true.

The properties of a function are asked gate after gate, and no further than the first
that does not hold:

    call          it can be called as the contract says
    types         arrays of the right type and exact shape
    inputs        its arguments are left alone, and it has no memory
    value         the definition's value, by expected.py
    stability     also for wide logits, parallel and zero vectors, tiny and huge norms
    invariants    what the mathematics promises
    own gradient  the backward is the gradient of the same solution's forward
    gradient      the backward is the right gradient
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from npsoftmax.checks import strategies as draw
from npsoftmax.checks.contract import CONTRACT
from npsoftmax.checks.expected import expected
from npsoftmax.checks.own_gradient import agree_with_own_loss
from npsoftmax.checks.subject import Wrong, agree, copied, described

POINTS = {  # what a property of each gate is worth
    "call": 1,
    "types": 1,
    "inputs": 1,
    "value": 3,
    "stability": 2,
    "invariants": 1,
    "own gradient": 3,
    "gradient": 2,
}
GATES = tuple(POINTS)

EVERYONE, STUDENT, REFERENCE = "everyone", "student", "reference"


class Property(NamedTuple):
    """One row of the table: `test(f, **inputs)` for the inputs that `draws` gives."""

    function: str
    gate: str
    test: Callable
    draws: SearchStrategy
    demand: str = EVERYONE

    @property
    def name(self):
        return f"{self.function}_{self.test.__name__}"

    @property
    def sentence(self):
        return f"{self.function} {self.test.__name__.replace('_', ' ')}"

    @property
    def points(self):
        return POINTS[self.gate]

    @property
    def always(self):
        """The inputs on which it is asked before any are drawn."""
        return draw.logits_in_three_dimensions() if self.draws is ANY_AXIS else ()

    @property
    def needs(self):
        """The functions of a solution without which the property cannot be asked."""
        forward = CONTRACT[self.function].forward
        return (self.function, forward) if forward else (self.function,)


def properties_of(function, demand="student"):
    """Return the rows of one function, in the order of their gates."""
    rows = [row for row in PROPERTIES if row.function == function]
    rows = [row for row in rows if row.demand in (EVERYONE, demand)]
    return sorted(rows, key=lambda row: GATES.index(row.gate))


# ------------------------------------------------------------ asked of every function


def can_be_called(f, **inputs):
    f.results(**inputs)


def gives_the_right_types_and_shapes(f, **inputs):
    results, right = f.results(**inputs), expected(f.name, inputs)
    for name, value in results.items():
        if right[name] is not None:
            _is_array(name, value, np.shape(right[name][0]), np.float64)


def gives_float32_for_float32(f, **inputs):
    inputs = {name: _as_float32(value) for name, value in inputs.items()}
    for name, value in f.results(**inputs).items():
        if value is not None and value.dtype != np.float32:
            raise Wrong(f"{name} is {value.dtype}, but float32 went in")


def leaves_its_inputs_alone(f, **inputs):
    arguments = {name: copied(value) for name, value in inputs.items()}
    _compare_after(f, arguments, inputs)


def works_on_read_only_arrays(f, **inputs):
    arguments = {name: copied(value) for name, value in inputs.items()}
    given = _arguments_of(f, arguments)
    if f.function.forward:
        _read_only(given[0])  # the cache is the forward's own
    else:
        given = [_read_only(value) for value in given]
    try:
        f.split(f.raw(given))
    except Wrong as wrong:
        if "read-only" not in str(wrong.error):
            raise
        raise Wrong("it writes into its arguments", error=wrong.error) from None


def gives_the_same_when_called_twice(f, **inputs):
    arguments = {name: copied(value) for name, value in inputs.items()}
    arguments = _arguments_of(f, arguments)
    first = [copied(value) for value in f.split(f.raw(arguments))[0]]
    again, _ = f.split(f.raw(arguments))
    for one, other in zip(first, again, strict=True):
        if not (one is other is None or np.array_equal(one, other, equal_nan=True)):
            raise Wrong("it gives something else when it is called a second time")


def gives_the_right_value(f, **inputs):
    results, right = f.results(**inputs), expected(f.name, inputs)
    for name, value in results.items():
        agree(name, value, *(right[name] or (None,)))


def is_the_gradient_of_its_own_forward(f, **inputs):
    agree_with_own_loss(f, inputs)


def is_the_gradient_of_its_own_forward_on_hard_inputs(f, **inputs):
    agree_with_own_loss(f, inputs)


def gives_the_right_gradient(f, **inputs):
    gives_the_right_value(f, **inputs)


# ------------------------------------------------------ the hard cases, one by one


def is_right_for_logits_up_to_10000(f, **inputs):
    gives_the_right_value(f, **inputs)


def stays_finite_for_logits_up_to_10000(f, **inputs):
    _stays_finite(f, inputs)


def is_right_for_any_norm_and_for_zero_vectors(f, **inputs):
    gives_the_right_value(f, **inputs)


def stays_finite_for_any_norm_and_for_zero_vectors(f, **inputs):
    _stays_finite(f, inputs)


def is_right_for_parallel_vectors(f, **inputs):
    gives_the_right_value(f, **inputs)


def stays_finite_for_parallel_vectors(f, **inputs):
    _stays_finite(f, inputs)


def is_right_for_a_cosine_rounded_past_1(f, **inputs):
    gives_the_right_value(f, **inputs)


def stays_finite_at_every_angle(f, **inputs):
    _stays_finite(f, inputs)


def gives_the_right_gradient_for_logits_up_to_10000(f, **inputs):
    gives_the_right_value(f, **inputs)


def gives_the_right_gradient_for_any_norm(f, **inputs):
    gives_the_right_value(f, **inputs)


def is_right_for_norms_from_1e_300_to_1e300(f, **inputs):
    gives_the_right_value(f, **inputs)


# ------------------------------------------------------------------------ softmaxes


def sums_to_one(f, z, axis):
    p = f(z=z, axis=axis)
    slack = z.shape[axis] + np.ptp(z)
    agree("sum of p", p.sum(axis), 1.0, slack, "the probabilities do not sum to 1")


def has_exponentials_that_sum_to_one(f, z, axis):
    p = np.exp(f(z=z, axis=axis))
    slack = z.shape[axis] + np.ptp(z)
    agree("sum of p", p.sum(axis), 1.0, slack, "the exp(log_p) do not sum to 1")


def ignores_a_shift_of_all_logits(f, z, axis, shift):
    _unchanged(f, z, axis, shift, f(z=z, axis=axis))


def moves_with_a_shift_of_all_logits(f, z, axis, shift):
    _unchanged(f, z, axis, shift, f(z=z, axis=axis) + shift)


def _unchanged(f, z, axis, shift, expected):
    name = f.function.gives[0]
    slack = z.shape[axis] + np.abs(z).max() + abs(shift)
    agree(f"{name}(z + {shift:g})", f(z=z + shift, axis=axis), expected, slack)


def lies_between_max_and_max_plus_log_of_C(f, z, axis):
    above = f(z=z, axis=axis) - z.max(axis)
    within = np.clip(above, 0, np.log(z.shape[axis]))
    slack = z.shape[axis] + np.abs(z).max()
    agree("lse - max z", above, within, slack, "lse is not within log(C) of the max")


def treats_every_row_by_itself(f, **inputs):
    together = f(**inputs)
    for i in range(len(together)):
        row = {name: value[i : i + 1] for name, value in inputs.items()}
        slack = inputs["z"].shape[1] + np.abs(inputs["z"][i]).max()
        what = f"row {i} depends on the other rows"
        agree(f"row {i} alone", f(**row)[0], together[i], slack, what)


# -------------------------------------------------------------------- cross-entropy


def is_never_negative(f, z, y):
    loss = np.asarray(f(z=z, y=y))
    slack = z.shape[1] + np.abs(z).max()
    agree("loss", loss, np.maximum(loss, 0), slack, "the loss is negative")


def is_log_of_C_for_equal_logits(f, z, y):
    equal = np.full(z.shape, z[0, 0])
    slack = z.shape[1] + abs(z[0, 0])
    agree("loss", f(z=equal, y=y), np.log(z.shape[1]), slack)


def is_the_same_for_the_batch_twice(f, z, y):
    loss = f(z=z, y=y)
    twice = f(z=np.concatenate([z, z]), y=np.concatenate([y, y]))
    slack = z.shape[1] + np.abs(z).max()
    agree("loss of the batch twice", twice, loss, slack, "the loss is not a mean")


# ------------------------------------------------------------------ linear and ReLU


def is_the_bias_where_x_is_zero(f, x, W, b):
    bias = np.zeros(W.shape[1]) if b is None else b
    agree("z", f(x=0 * x, W=W, b=b), np.broadcast_to(bias, (len(x), W.shape[1])))


def changes_nothing_when_done_twice(f, h):
    agree("a", f(h=f(h=h)), f(h=h), 0)


# ------------------------------------------------------------------------------ psi


def is_1_at_0_degrees(f, m):
    agree("psi", _psi_at(f, [0], m), [1.0], m)


def is_1_minus_2m_at_180_degrees(f, m):
    agree("psi", _psi_at(f, [180], m), [1.0 - 2 * m], m * 2.5**m)


def never_rises(f, m, degrees):
    psi = _psi_at(f, sorted(degrees), m)
    rise = np.maximum(np.diff(psi), 0)
    agree("rise of psi", rise, 0 * rise, m * 2.5**m, "psi rises with the angle")


def has_no_jump_at_its_knots(f, m, k):
    knot = 180 * min(k, m) / m
    below, above = _psi_at(f, [max(knot - 1e-6, 0), min(knot + 1e-6, 180)], m)
    jump = np.array([above - below])
    agree("jump of psi", jump, [0.0], m * 2.5**m, f"psi jumps at {knot:g} degrees")


def lies_below_the_cosine(f, m, degrees):
    psi = _psi_at(f, degrees, m)
    cos = np.array([draw.cosine(angle) for angle in degrees])
    what = "psi is above the cosine"
    agree("psi", psi, np.minimum(psi, cos), m * 2.5**m, what)


def is_never_positive(f, theta, m):
    slope = f(theta=theta, m=m)
    agree("slope", slope, np.minimum(slope, 0), m * m, "the slope is positive")


def _psi_at(f, degrees, m):
    degrees = np.array(degrees, dtype=np.float64)
    if f.function.takes[0] == "theta":
        return f(theta=np.deg2rad(degrees), m=m)
    return f(cos=np.array([draw.cosine(angle) for angle in degrees]), m=m)


# ------------------------------------------------------------------------ L-Softmax


def is_the_plain_product_for_m_1(f, x, W, y, m, lam):
    slack = np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(W, axis=0) * 8
    agree("z", f(x=x, W=W, y=y, m=1, lam=lam), x @ W, slack)


def changes_the_label_s_column_only(f, x, W, y, m, lam):
    z, plain = f(x=x, W=W, y=y, m=m, lam=lam), x @ W
    plain[np.arange(len(y)), y] = z[np.arange(len(y)), y]
    slack = np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(W, axis=0) * 8
    agree("z", z, plain, slack, "the margin changes columns that are not the label's")


def has_x_dx_equal_to_z_dz(f, x, W, y, m, lam, dz):
    """Euler: f is homogeneous of degree 1 in x, so that x . df/dx = f, row by row."""
    dx, _ = f(x=x, W=W, y=y, m=m, lam=lam, dz=dz)
    z = f.of("lsoftmax_forward")(x=x, W=W, y=y, m=m, lam=lam)
    x_dx, z_dz, slack = (x * dx).sum(axis=1), (z * dz).sum(axis=1), _euler(x, W, m, dz)
    agree("x . dx", x_dx, z_dz, slack, "x . dx differs from the sum of z dz (Euler)")


def has_W_dW_equal_to_z_dz(f, x, W, y, m, lam, dz):
    """Euler: f_c is homogeneous of degree 1 in W_c, so that W_c . df/dW_c = f_c."""
    _, dW = f(x=x, W=W, y=y, m=m, lam=lam, dz=dz)
    z = f.of("lsoftmax_forward")(x=x, W=W, y=y, m=m, lam=lam)
    W_dW, z_dz, slack = (W * dW).sum(axis=0), (z * dz).sum(axis=0), _euler(x, W, m, dz)
    agree("W . dW", W_dW, z_dz, slack, "W . dW differs from the sum of z dz (Euler)")


def _euler(x, W, m, dz):
    size = np.linalg.norm(x, axis=1).max() * np.linalg.norm(W, axis=0).max()
    return 8 * dz.size * np.abs(dz).max() * size * (m * m + m * 2.5**m)


# -------------------------------------------------------------------------- helpers


def _is_array(name, value, shape, dtype):
    if shape == () and type(value) is float:
        return
    if not isinstance(value, np.ndarray | np.generic):
        raise Wrong(f"{name} is {described(value)}, not an array of shape {shape}")
    if value.shape != shape:
        raise Wrong(f"{name} has shape {value.shape}, but it must have shape {shape}")
    if value.dtype != dtype:
        raise Wrong(f"{name} is {value.dtype}, but float64 went in and must come back")


def _arguments_of(f, inputs):
    """Return what `f` is called with: a backward's cache by its forward, just run."""
    if not f.function.forward:
        return [inputs[name] for name in f.function.takes]
    _, cache = f.forward_of(inputs)
    return [inputs[f.function.takes[0]], cache]


def _compare_after(f, arguments, before):
    """Raise `Wrong` where the call has changed an argument, its forward aside."""
    given = _arguments_of(f, arguments)
    if f.function.forward:
        before = {each: copied(value) for each, value in arguments.items()}
    f.split(f.raw(given))
    for each, value in before.items():
        if not np.array_equal(value, arguments[each]):
            after = arguments[each]
            table = (f"{each} afterwards", after, value, after != value)
            raise Wrong(f"it changes its argument {each} in place", table)


def _stays_finite(f, inputs):
    right = expected(f.name, inputs)
    for name, value in f.results(**inputs).items():
        if right[name] is not None:
            what = f"{name} is not finite"
            agree(name, value, right[name][0], np.inf, what)


def _as_float32(value):
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        return value.astype(np.float32)
    return value


def _read_only(value):
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    return value


# ------------------------------------------------------------------------ the table


def _rows(function, draws, *rows):
    """Return the rows every function has, and its own: (gate, test, draws, ...)."""
    first = (
        ("call", can_be_called, draws),
        ("types", gives_the_right_types_and_shapes, draws),
        ("types", gives_float32_for_float32, draws, REFERENCE),
        ("inputs", leaves_its_inputs_alone, draws),
        ("inputs", works_on_read_only_arrays, draws),
        ("inputs", gives_the_same_when_called_twice, draws),
    )
    return tuple(Property(function, *row) for row in (*first, *rows))


def _with(strategy, **more):
    return st.builds(lambda inputs, **new: inputs | new, strategy, **more)


ANY_AXIS, LOGITS = draw.logits_along_an_axis(), draw.logits()
WIDE = draw.wide_logits()
WIDE_LAST = draw.with_last_axis(WIDE)
SHIFTED = _with(ANY_AXIS, shift=st.sampled_from([1.0, -2.0, 10.0, -100.0]))
LABELLED, LABELLED_WIDE = draw.with_labels(LOGITS), draw.with_labels(WIDE)
LINEAR = draw.linear_inputs()
H = draw.activations()
H_NOT_0 = draw.activations(draw.NONZERO)
ANGLES, COSINES = draw.angles(), draw.cosines()
PAST_THE_ENDS = draw.cosines_past_the_ends()
MARGIN = st.fixed_dictionaries({"m": draw.MARGINS})
SOME_DEGREES = st.lists(st.integers(0, 180), min_size=2, max_size=5)
MARGIN_AND_DEGREES = _with(MARGIN, degrees=SOME_DEGREES)
KNOTS = _with(MARGIN, k=st.integers(1, 5))
FEATURES, PARALLEL = draw.any_features(), draw.parallel_features()
ANY_NORM = draw.features_of_any_norm()


def _cotangent(of, name, like=None):
    return draw.with_cotangent(of, name, like)


def _softmax_pair(name, cotangent):
    """Return the rows of softmax_forward and _backward, or of those of log_softmax."""
    given = _cotangent(LOGITS, cotangent, "z")
    wide = _cotangent(WIDE, cotangent, "z")
    return (
        *_rows(
            f"{name}_forward",
            LOGITS,
            ("value", gives_the_right_value, LOGITS),
            ("stability", is_right_for_logits_up_to_10000, WIDE),
            ("invariants", treats_every_row_by_itself, LOGITS),
        ),
        *_rows(
            f"{name}_backward",
            given,
            ("stability", stays_finite_for_logits_up_to_10000, wide),
            ("own gradient", is_the_gradient_of_its_own_forward, given),
            (
                "own gradient",
                is_the_gradient_of_its_own_forward_on_hard_inputs,
                wide,
                REFERENCE,
            ),
            ("gradient", gives_the_right_gradient, given, STUDENT),
            (
                "gradient",
                gives_the_right_gradient_for_logits_up_to_10000,
                wide,
                STUDENT,
            ),
        ),
    )


_SOFTMAX = (
    *_rows(
        "logsumexp",
        ANY_AXIS,
        ("value", gives_the_right_value, ANY_AXIS),
        ("stability", is_right_for_logits_up_to_10000, WIDE_LAST),
        ("invariants", moves_with_a_shift_of_all_logits, SHIFTED),
        ("invariants", lies_between_max_and_max_plus_log_of_C, ANY_AXIS),
    ),
    *_rows(
        "softmax",
        ANY_AXIS,
        ("value", gives_the_right_value, ANY_AXIS),
        ("stability", is_right_for_logits_up_to_10000, WIDE_LAST),
        ("invariants", sums_to_one, ANY_AXIS),
        ("invariants", ignores_a_shift_of_all_logits, SHIFTED),
    ),
    *_rows(
        "log_softmax",
        ANY_AXIS,
        ("value", gives_the_right_value, ANY_AXIS),
        ("stability", is_right_for_logits_up_to_10000, WIDE_LAST),
        ("invariants", has_exponentials_that_sum_to_one, ANY_AXIS),
        ("invariants", ignores_a_shift_of_all_logits, SHIFTED),
    ),
    *_softmax_pair("softmax", "dp"),
    *_softmax_pair("log_softmax", "dlog_p"),
)

_LOSS = _cotangent(LABELLED, "dloss")
_WIDE_LOSS = _cotangent(LABELLED_WIDE, "dloss")
_CROSS_ENTROPY = (
    *_rows(
        "cross_entropy_forward",
        LABELLED,
        ("value", gives_the_right_value, LABELLED),
        ("stability", is_right_for_logits_up_to_10000, LABELLED_WIDE),
        ("invariants", is_never_negative, LABELLED),
        ("invariants", is_log_of_C_for_equal_logits, LABELLED),
        ("invariants", is_the_same_for_the_batch_twice, LABELLED),
    ),
    *_rows(
        "cross_entropy_backward",
        _LOSS,
        ("stability", stays_finite_for_logits_up_to_10000, _WIDE_LOSS),
        ("own gradient", is_the_gradient_of_its_own_forward, _LOSS),
        (
            "own gradient",
            is_the_gradient_of_its_own_forward_on_hard_inputs,
            _WIDE_LOSS,
            REFERENCE,
        ),
        ("gradient", gives_the_right_gradient, _LOSS, STUDENT),
        (
            "gradient",
            gives_the_right_gradient_for_logits_up_to_10000,
            _WIDE_LOSS,
            STUDENT,
        ),
    ),
)

_LINEAR_BACK, _RELU_BACK = draw.with_dz(LINEAR), _cotangent(H_NOT_0, "da", "h")
_LINEAR_AND_RELU = (
    *_rows(
        "linear_forward",
        LINEAR,
        ("value", gives_the_right_value, LINEAR),
        ("invariants", is_the_bias_where_x_is_zero, LINEAR),
    ),
    *_rows(
        "linear_backward",
        _LINEAR_BACK,
        ("own gradient", is_the_gradient_of_its_own_forward, _LINEAR_BACK),
        ("gradient", gives_the_right_gradient, _LINEAR_BACK, STUDENT),
    ),
    *_rows(
        "relu_forward",
        H,
        ("value", gives_the_right_value, H),
        ("invariants", changes_nothing_when_done_twice, H),
    ),
    *_rows(
        "relu_backward",
        _RELU_BACK,
        ("own gradient", is_the_gradient_of_its_own_forward, _RELU_BACK),
        ("gradient", gives_the_right_gradient, _RELU_BACK, STUDENT),
    ),
)


def _psi_rows(function, draws, *more):
    return _rows(
        function,
        draws,
        ("value", gives_the_right_value, draws),
        *more,
        ("invariants", is_1_at_0_degrees, MARGIN),
        ("invariants", is_1_minus_2m_at_180_degrees, MARGIN),
        ("invariants", never_rises, MARGIN_AND_DEGREES),
        ("invariants", has_no_jump_at_its_knots, KNOTS),
        ("invariants", lies_below_the_cosine, MARGIN_AND_DEGREES),
    )


_PSI_BACK = _cotangent(COSINES, "dpsi", "cos")
_PSI_INSIDE = _cotangent(draw.cosines(draw.degrees_inside), "dpsi", "cos")
_PSI = (
    *_psi_rows("psi", ANGLES),
    *_rows(
        "psi_prime",
        ANGLES,
        ("value", gives_the_right_value, ANGLES),
        ("invariants", is_never_positive, ANGLES),
    ),
    *_psi_rows(
        "psi_forward",
        COSINES,
        ("stability", is_right_for_a_cosine_rounded_past_1, PAST_THE_ENDS),
    ),
    *_rows(
        "psi_backward",
        _PSI_INSIDE,
        ("stability", stays_finite_at_every_angle, _PSI_BACK),
        ("own gradient", is_the_gradient_of_its_own_forward, _PSI_INSIDE),
        (
            "own gradient",
            is_the_gradient_of_its_own_forward_on_hard_inputs,
            _PSI_BACK,
            REFERENCE,
        ),
        ("gradient", gives_the_right_gradient, _PSI_BACK, STUDENT),
    ),
)

_BACK = draw.with_dz(FEATURES)
_INSIDE = draw.with_dz(draw.features_inside())
_PARALLEL_BACK, _ANY_NORM_BACK = draw.with_dz(PARALLEL), draw.with_dz(ANY_NORM)
_HARD_BACK = _BACK | _PARALLEL_BACK | _ANY_NORM_BACK
_HUGE = draw.features_of_any_norm(sizes=draw.HUGE_NORMS)
_ORDINARY = draw.ordinary_features()
_LSOFTMAX = (
    *_rows(
        "lsoftmax_forward",
        _ORDINARY,
        ("value", gives_the_right_value, _ORDINARY),
        ("stability", is_right_for_parallel_vectors, PARALLEL),
        ("stability", is_right_for_any_norm_and_for_zero_vectors, ANY_NORM),
        ("stability", is_right_for_norms_from_1e_300_to_1e300, _HUGE, REFERENCE),
        ("invariants", is_the_plain_product_for_m_1, FEATURES),
        ("invariants", changes_the_label_s_column_only, FEATURES),
    ),
    *_rows(
        "lsoftmax_backward",
        _INSIDE,
        ("stability", stays_finite_for_parallel_vectors, _PARALLEL_BACK),
        ("stability", stays_finite_for_any_norm_and_for_zero_vectors, _ANY_NORM_BACK),
        ("invariants", has_x_dx_equal_to_z_dz, _INSIDE),
        ("invariants", has_W_dW_equal_to_z_dz, _INSIDE),
        ("own gradient", is_the_gradient_of_its_own_forward, _INSIDE),
        (
            "own gradient",
            is_the_gradient_of_its_own_forward_on_hard_inputs,
            _HARD_BACK,
            REFERENCE,
        ),
        ("gradient", gives_the_right_gradient, _BACK, STUDENT),
        ("gradient", gives_the_right_gradient_for_any_norm, _ANY_NORM_BACK, STUDENT),
    ),
)

PROPERTIES = (*_SOFTMAX, *_CROSS_ENTROPY, *_LINEAR_AND_RELU, *_PSI, *_LSOFTMAX)
