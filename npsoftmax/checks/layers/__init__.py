"""The contract: the record of each function, a file a layer, in the order of the page."""

from npsoftmax.checks.layers import (
    cross_entropy,
    linear,
    lsoftmax,
    psi,
    relu,
    softmax,
)

LAYERS = (softmax, cross_entropy, linear, relu, psi, lsoftmax)
CONTRACT = {each.name: each for layer in LAYERS for each in layer.FUNCTIONS}
