"""The contract: a record for each function, a file a layer, in the page's order.

A layer's file says what is right, what is drawn, what is asked, and how it goes on
paper; FUNCTIONS are its records. Besides it, a new layer has its lines in textbook.py,
its mistakes in mistakes/, and its name in the lists of both folders.
"""

from npsoftmax.checks.contract import Function
from npsoftmax.checks.layers import (
    cross_entropy,
    linear,
    lsoftmax,
    psi,
    relu,
    softmax,
)

LAYERS = {  # by the names that head their columns in a table
    "softmax": softmax,
    "cross-e.": cross_entropy,
    "linear": linear,
    "ReLU": relu,
    "psi": psi,
    "L-Softmax": lsoftmax,
}
CONTRACT: dict[str, Function] = {
    each.name: each for layer in LAYERS.values() for each in layer.FUNCTIONS
}
