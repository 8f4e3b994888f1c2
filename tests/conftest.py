"""Profiles for Hypothesis: `default` for every day, `thorough` for a long run; and
Ctrl-C reaches the tests, also in the background of a shell, which ignores it.
"""

import os
import signal

from hypothesis import settings

settings.register_profile("default", max_examples=20, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

signal.signal(signal.SIGINT, signal.default_int_handler)
