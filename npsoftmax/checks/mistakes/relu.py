"""Mistakes in ReLU, as edits of the page."""

from functools import partial

from npsoftmax.checks.edits import POSITIVE, edit, mistake
from npsoftmax.checks.generic import OWN, VALUE

_value = partial(mistake, f"relu_forward {VALUE}")
_gradient = partial(mistake, f"relu_backward {OWN}")
_A, _DH = "np.maximum(h, 0)", "da * active"

MISTAKES = (
    _value("absolute value", "this is |h|, not max(h, 0)",
            edit("relu_forward", _A, "np.abs(h)")),
    _value("smaller of two", "this is min(h, 0), not max",
            edit("relu_forward", _A, "np.minimum(h, 0)")),
    _value("a leak", "a part of what is negative comes through",
            edit("relu_forward", _A, "np.maximum(h, slope * h)", slope=POSITIVE),
            edit("relu_backward", _DH, "np.where(active, da, a * da)", a=POSITIVE)),
    _value("h returned", "h comes back as it went in",
            edit("relu_forward", _A, "h.copy()")),
    _value("mask returned", "this is whether h > 0",
            edit("relu_forward", _A, "1.0 * active")),
    _gradient("mask forgotten", "da comes back as it went in",
            edit("relu_backward", _DH, "da + 0")),
    _gradient("mask of da", "the mask is where da > 0, not where h > 0",
            edit("relu_backward", _DH, "da * (da > 0)")),
    _gradient("mask turned round",
            "the gradient goes through where h < 0, not where h > 0",
            edit("relu_backward", _DH, "da * ~active")),
    _gradient("da forgotten", "da is not multiplied in",
            edit("relu_backward", _DH, "1.0 * active")),
    _gradient("h for da", "h is masked, not da",
            (edit("relu_backward", _DH, "active"),
             edit("relu_forward", "active = h > 0", "active = np.maximum(h, 0)"))),
)  # fmt: skip
