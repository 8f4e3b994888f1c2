"""Mistakes in ReLU, as edits of the page."""

from npsoftmax.checks.edits import POSITIVE, edit, mistake

_VALUE = "relu_forward gives the right value"
_GRADIENT = "relu_backward is the gradient of its own forward"
_A, _DH = "np.maximum(h, 0)", "da * active"

MISTAKES = (
    mistake("absolute value", "this is |h|, not max(h, 0)", _VALUE,
            edit("relu_forward", _A, "np.abs(h)")),
    mistake("smaller of two", "this is min(h, 0), not max", _VALUE,
            edit("relu_forward", _A, "np.minimum(h, 0)")),
    mistake("a leak", "a part of what is negative comes through", _VALUE,
            edit("relu_forward", _A, "np.maximum(h, slope * h)", slope=POSITIVE),
            edit("relu_backward", _DH, "np.where(active, da, a * da)", a=POSITIVE)),
    mistake("h returned", "h comes back as it went in", _VALUE,
            edit("relu_forward", _A, "h.copy()")),
    mistake("mask returned", "this is whether h > 0", _VALUE,
            edit("relu_forward", _A, "1.0 * active")),
    mistake("mask forgotten", "da comes back as it went in", _GRADIENT,
            edit("relu_backward", _DH, "da + 0")),
    mistake("mask of da", "the mask is where da > 0, not where h > 0", _GRADIENT,
            edit("relu_backward", _DH, "da * (da > 0)")),
    mistake("mask turned round",
            "the gradient goes through where h < 0, not where h > 0", _GRADIENT,
            edit("relu_backward", _DH, "da * ~active")),
    mistake("da forgotten", "da is not multiplied in", _GRADIENT,
            edit("relu_backward", _DH, "1.0 * active")),
    mistake("h for da", "h is masked, not da", _GRADIENT,
            (edit("relu_backward", _DH, "active"),
             edit("relu_forward", "active = h > 0", "active = np.maximum(h, 0)"))),
)  # fmt: skip
