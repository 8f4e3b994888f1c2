"""Names the likely mistake: which change of the page does what this function does?

In goes a function that has failed; it is run on further inputs. The page is run with
each known mistake in it; what can go wrong in any function is seen by comparing its
results with the right ones; its own lines are changed, to see where one change makes it
right, at last on ordinary inputs alone. Out comes the mistake that agrees on all the
inputs. Where none does, or more than one, nothing is said.
"""

from functools import partial

import numpy as np

from npsoftmax.checks.agree import Kind, copied
from npsoftmax.checks.engine.compare import by_comparing, float32
from npsoftmax.checks.engine.own_lines import in_own_lines
from npsoftmax.checks.engine.page import Page
from npsoftmax.checks.engine.trials import Cause, trials_of


def cause_of(subject, failure, seed=0):
    """Return the `Cause` of a failure of the function `subject`, or None."""
    at_once = _seen_at_once(subject, failure)
    if at_once or failure.wrong.kind is Kind.ENDLESS:
        return at_once
    if failure.gate == "gradient" and failure.loss_is_right is False:
        return None
    trials = trials_of(subject, seed)
    if not any(not trial.dangerous for trial in trials):
        return None
    call = failure.call or {}
    page = Page(
        subject.function,
        trials,
        failure.loss_is_right,
        shown=lambda cause: cause.explains(subject, call),
    )
    for causes in (
        page.known,
        partial(by_comparing, subject.function, trials),
        partial(float32, subject, trials, seed),
        partial(in_own_lines, subject, trials, call),
        page.changed,
        page.two_known,
        partial(in_own_lines, subject, page.decide, call),
    ):
        found = {cause.name: cause for cause in causes()}
        if found:
            return next(iter(found.values())) if len(found) == 1 else None
    return None


def _seen_at_once(subject, failure):
    """Return what the failure itself says already, without any trial."""
    kind = failure.wrong.kind
    if kind is Kind.IN_PLACE:
        words = "an operation in place, such as z -= ..., on the caller's own array"
        return Cause("in-place edit", words)
    if kind is Kind.FLOAT32 and subject.demand != "reference":
        words = "a conversion to float32, which has 7 digits, where 16 went in"
        return Cause("float32 inside", words)
    if kind is Kind.MEMORY and subject.function.forward:
        return _cache_changed(subject, failure)
    return None


def _cache_changed(subject, failure):
    """Return the cause of a backward that leaves another cache behind, or None."""
    inputs = {name: copied(value) for name, value in failure.inputs.items()}
    _, cache = subject.forward_of(inputs)
    before = [copied(array) for array in _arrays(cache)]
    subject.raw([inputs[subject.function.takes[0]], cache])
    after = list(_arrays(cache))
    if len(before) == len(after) and all(map(_equal, before, after)):
        return None
    words = "an operation in place on the cache: take a copy"
    return Cause("cache changed in place", words)


def _arrays(cache):
    """Yield the arrays of a cache: tuples, lists, dicts and objects may hold them."""
    if isinstance(cache, np.ndarray):
        yield cache
        return
    if isinstance(cache, dict):
        cache = list(cache.values())
    elif hasattr(cache, "__dict__"):
        cache = list(vars(cache).values())
    if isinstance(cache, tuple | list):
        for value in cache:
            yield from _arrays(value)


def _equal(a, b):
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
