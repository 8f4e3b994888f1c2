"""The contract: a record for each function, a file a layer, in the page's order."""

from npsoftmax.checks.contract import Function
from npsoftmax.checks.layers import (
    cross_entropy,
    linear,
    lsoftmax,
    psi,
    relu,
    softmax,
)

LAYERS = (softmax, cross_entropy, linear, relu, psi, lsoftmax)
CONTRACT: dict[str, Function] = {
    each.name: each for layer in LAYERS for each in layer.FUNCTIONS
}
