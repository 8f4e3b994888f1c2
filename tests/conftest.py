"""Profiles for Hypothesis: `default` for every day, `thorough` for a long run."""

import os

from hypothesis import settings

settings.register_profile("default", max_examples=20, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
