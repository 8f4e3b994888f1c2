"""The contract: a record for each function, a file a layer, in the page's order.

A layer's file says what is right, what is drawn, what is asked, and how it goes on
paper; its records end it. Besides it, a new layer has a module of npsoftmax, its lines
in textbook.py, its mistakes in mistakes/, and its name in three lists: here, there, and
in npsoftmax. A row in conventions.FAMILIES says how other people call it.
"""

from types import ModuleType

from npsoftmax.checks.contract import Function
from npsoftmax.checks.layers import cross_entropy, linear, lsoftmax, psi, relu, softmax

LAYERS = {  # by the names that head their columns in a table
    "softmax": softmax,
    "cross-e.": cross_entropy,
    "linear": linear,
    "ReLU": relu,
    "psi": psi,
    "L-Softmax": lsoftmax,
}


def functions_of(layer: ModuleType) -> list[Function]:
    """Return the records of a layer's file, in its order."""
    return [each for each in vars(layer).values() if isinstance(each, Function)]


CONTRACT: dict[str, Function] = {
    each.name: each for layer in LAYERS.values() for each in functions_of(layer)
}
