"""The names of the contract: what each function takes and what it gives.

A file of anybody's that defines some of these names can be checked. The argument of a
backward that comes first is a gradient by the forward's value; the second, `cache`, is
whatever the forward of the same file gave as its second result.
"""

from typing import NamedTuple


class Function(NamedTuple):
    """One name of the contract; `forward` is where a backward's cache comes from."""

    name: str
    signature: str
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    forward: str | None = None


def _plain(signature, gives):
    name, takes = _parts(signature)
    return Function(name, signature, takes, (gives,))


def _pair(forward, value, backward, *gradients):
    name, takes = _parts(forward)
    backward_name, backward_takes = _parts(backward)
    return (
        Function(name, forward, takes, (value, "cache")),
        Function(backward_name, backward, backward_takes, gradients, name),
    )


def _parts(signature):
    name, _, inside = signature.rstrip(")").partition("(")
    return name, tuple(word.split("=")[0] for word in inside.split(", "))


_FUNCTIONS = (
    _plain("logsumexp(z, axis=-1)", "lse"),
    _plain("softmax(z, axis=-1)", "p"),
    _plain("log_softmax(z, axis=-1)", "log_p"),
    *_pair("softmax_forward(z)", "p", "softmax_backward(dp, cache)", "dz"),
    *_pair(
        "log_softmax_forward(z)", "log_p", "log_softmax_backward(dlog_p, cache)", "dz"
    ),
    *_pair(
        "cross_entropy_forward(z, y)",
        "loss",
        "cross_entropy_backward(dloss, cache)",
        "dz",
    ),
    *_pair(
        "linear_forward(x, W, b=None)",
        "z",
        "linear_backward(dz, cache)",
        "dx",
        "dW",
        "db",
    ),
    *_pair("relu_forward(h)", "a", "relu_backward(da, cache)", "dh"),
    _plain("psi(theta, m)", "psi"),
    _plain("psi_prime(theta, m)", "slope"),
    *_pair("psi_forward(cos, m)", "psi", "psi_backward(dpsi, cache)", "dcos"),
    *_pair(
        "lsoftmax_forward(x, W, y, m, lam=0.0)",
        "z",
        "lsoftmax_backward(dz, cache)",
        "dx",
        "dW",
    ),
)

CONTRACT = {function.name: function for function in _FUNCTIONS}
