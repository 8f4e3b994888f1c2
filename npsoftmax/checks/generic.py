"""What must be true of any function: it can be called, gives arrays of the right type
and shape, leaves its arguments alone, and is right by its own definition.

Each test takes the function under test as `f`, and inputs by their names; the
definition is that of its record, `f.function`, so that no layer is known here.
"""

import functools

import numpy as np

import npsoftmax
from npsoftmax.checks.agree import Kind, Wrong, agree, copied, described, of_shape
from npsoftmax.checks.contract import REFERENCE, STUDENT, Function
from npsoftmax.checks.draws import one_of, with_cotangent, with_random_cotangent
from npsoftmax.checks.own_gradient import own_gradient

VALUE = "gives the right value"
TYPES = "gives the right types and shapes"
OWN = "is the gradient of its own forward"


def _everyone(draws):
    """Return the rows that every function has."""
    return (
        ("call", "can be called", can_be_called, draws),
        ("types", TYPES, right_types, draws),
        ("inputs", "leaves its inputs alone", leaves_inputs_alone, draws),
        ("inputs", "works on read only arrays", works_on_read_only_arrays, draws),
        ("inputs", "gives the same when called twice", same_twice, draws),
        ("inputs", "gives a new array each time", new_each_time, draws),
        ("float32", "gives float32 for float32", float32_for_float32, draws),
    )


def value_rows(draws, extremes=()):
    """Return the rows of a function of which nothing but the value is known.

    extremes: pairs of words, such as `for wide logits`, and a way to draw what must be
    borne, too.
    """
    hard = [("stability", f"is right {w}", right_value, more) for w, more in extremes]
    return (*_everyone(draws), ("value", VALUE, right_value, draws), *hard)


def backward_of(
    forward, signature, *, slack, inside, anywhere=None, extremes=(), rows=(), **record
):
    """Return the record of a backward, of which the forward's record knows the most.

    Its inputs are the forward's, and a gradient by the forward's value. What is right
    is npsoftmax's own gradients, held to the complex step elsewhere: slack(**inputs)
    gives by how much the roundings of each are magnified.

    inside: draws inputs of the forward where finite differences can be trusted.
    anywhere: where else the gradient must be right. extremes: where it must be finite,
    as for `value_rows`. rows: what else is asked.
    """
    value = forward.gives[0]
    given = functools.cache(lambda draws: with_cotangent(draws, forward))
    rows = (*_gradient_rows(inside, anywhere, extremes), *rows)
    return Function(
        signature,
        forward=forward.name,
        right=_gradients_of(forward, slack),
        rows=tuple((*row[:3], given(row[3]), *row[4:]) for row in rows),
        ordinary=with_random_cotangent(forward.ordinary, forward),
        dangerous=with_random_cotangent(forward.dangerous, forward),
        shapes=forward.shapes | {f"d{value}": forward.shapes[value]},
        about=forward.about,
        keeps=forward.keeps,
        **record,
    )


def _gradient_rows(inside, anywhere, extremes):
    """Yield the rows of a backward: its own forward's gradient, and the right one."""
    right = "gives the right gradient"
    hard = dict.fromkeys(filter(None, (anywhere, *(more for _, more in extremes))))
    yield from _everyone(inside)
    yield "own gradient", OWN, own_gradient, inside
    yield "gradient", right, right_value, anywhere or inside, STUDENT
    for words, more in extremes:
        yield "stability", f"stays finite {words}", stays_finite, more
    if hard:
        words = f"{OWN} on hard inputs"
        yield "own gradient", words, own_gradient, one_of(*hard), REFERENCE


def _gradients_of(forward, slack):
    """Return the definition of a backward: npsoftmax's gradients, with their slack."""
    backward = forward.name.replace("_forward", "_backward")

    @functools.wraps(slack)  # it has its arguments
    def right(**inputs):
        given = (inputs[name] for name in forward.takes)
        _, cache = getattr(npsoftmax, forward.name)(*given)
        gradients = getattr(npsoftmax, backward)(inputs[f"d{forward.gives[0]}"], cache)
        if not isinstance(gradients, tuple):
            gradients = (gradients,)
        pairs = zip(gradients, slack(**inputs), strict=True)
        return tuple(None if pair[0] is None else pair for pair in pairs)

    return right


def has_default(**default):
    """Return the test that an argument which is left out has the contract's default."""

    def test(f, **inputs):
        f.last = {key: value for key, value in inputs.items() if key not in default}
        arguments = [copied(f.last[key]) for key in f.function.takes if key in f.last]
        yours, _ = f.split(f.raw(arguments))
        right = f.expected(inputs | default)
        for name, value in zip(f.function.values, yours, strict=True):
            agree(name, value, *right[name])

    [(name, value)] = default.items()
    test.__doc__ = f"it was called without {name}, whose default is {value}"
    return test


def can_be_called(f, **inputs):
    f.results(**inputs)


def right_types(f, **inputs):
    results, right = f.results(**inputs), f.expected(inputs)
    for name, value in results.items():
        if right[name] is not None:
            _is_array(name, value, np.shape(right[name][0]))


def _is_array(name, value, shape):
    if shape == () and type(value) is float:
        return
    if type(value) is not np.ndarray and not isinstance(value, np.generic):
        what = f"{name} is {described(value)}, not an array of shape {shape}"
        raise Wrong(Kind.TYPE, what)
    of_shape(name, value, shape)
    if value.dtype != np.float64:
        what = f"{name} is {value.dtype}, but float64 went in and must come back"
        kind = Kind.FLOAT32 if value.dtype == np.float32 else Kind.TYPE
        raise Wrong(kind, what)


def float32_for_float32(f, **inputs):
    inputs = {name: _as_float32(value) for name, value in inputs.items()}
    for name, value in f.results(**inputs).items():
        plain = value is None or type(value) is float
        if not plain and value.dtype != np.float32:
            raise Wrong(Kind.FLOAT32, f"{name} is {value.dtype}, but float32 went in")


def _as_float32(value):
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        return value.astype(np.float32)
    return value


def leaves_inputs_alone(f, **inputs):
    arguments = _copies(inputs)
    given = f.arguments_of(arguments)
    if f.function.forward:  # what the forward has done is not the backward's
        inputs = _copies(arguments)
    f.split(f.raw(given))
    for name, before in inputs.items():
        after = arguments[name]
        if not np.array_equal(before, after):
            table = (f"{name} afterwards", after, before, after != before)
            what = f"it changes its argument {name} in place"
            raise Wrong(Kind.IN_PLACE, what, table)


def works_on_read_only_arrays(f, **inputs):
    given = f.arguments_of(_copies(inputs))
    of_caller = given[:1] if f.function.forward else given  # the cache is the forward's
    for value in of_caller:
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    try:
        f.split(f.raw(given))
    except Wrong as wrong:
        if "read-only" not in str(wrong.error):
            raise
        what = "it writes into its arguments"
        raise Wrong(Kind.IN_PLACE, what, error=wrong.error) from None


def same_twice(f, **inputs):
    arguments = f.arguments_of(_copies(inputs))
    first = [copied(value) for value in f.split(f.raw(arguments))[0]]
    again, _ = f.split(f.raw(arguments))
    for one, other in zip(first, again, strict=True):
        if not (one is other is None or np.array_equal(one, other, equal_nan=True)):
            what = "it gives something else when it is called a second time"
            raise Wrong(Kind.MEMORY, what)


def new_each_time(f, **inputs):
    first, second = (f.values_and_cache(_copies(inputs))[0] for _ in range(2))
    for one, other in zip(first, second, strict=True):
        if isinstance(one, np.ndarray) and np.may_share_memory(one, other):
            what = "it gives one and the same array at each call: a result kept changes"
            raise Wrong(Kind.MEMORY, what)


def _copies(inputs):
    return {name: copied(value) for name, value in inputs.items()}


def right_value(f, **inputs):
    results, right = f.results(**inputs), f.expected(inputs)
    for name, value in results.items():
        agree(name, value, *(right[name] or (None,)))


def stays_finite(f, **inputs):
    results, right = f.results(**inputs), f.expected(inputs)
    for name, value in results.items():
        if right[name] is not None:
            agree(name, value, right[name][0], np.inf, f"{name} is not finite")
