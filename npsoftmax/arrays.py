"""The types that the signatures speak of, by names that do not drown a line.

What goes in may be whatever NumPy makes an array of numbers of; what comes out is an
array of floating-point numbers. (A complex array goes through too, for the complex step
of `gradcheck`; no annotation speaks of that.) textbook.py has no types: a learner reads
it for the shape of each line. Under `mypy --strict` its callers write
`untyped_calls_exclude = npsoftmax.textbook`, and its results are Any.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers: TypeAlias = ArrayLike
Array: TypeAlias = NDArray[np.floating]
Integers: TypeAlias = NDArray[np.integer]
Booleans: TypeAlias = NDArray[np.bool_]
Function: TypeAlias = Callable[[Any], Any]  # of an array: an array or a number
Seed: TypeAlias = "int | np.random.Generator"  # loaded by nobody who draws nothing
Values: TypeAlias = Array | Any  # an array; a NumPy number where one number went in
