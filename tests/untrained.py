"""Runs of networks that are not trained, for what only reads Runs."""

import numpy as np

from npsoftmax.experiment import Run
from npsoftmax.metrics import Measures, PerImage
from npsoftmax.mlp import init_params
from npsoftmax.training import settings_for


def run_of(m, seed=0, error=0.5):
    """Return a Run of an untrained network, with an error of its own."""
    params = init_params(np.random.default_rng(0), H=(64, 64))
    measures = Measures(error, 5.0 / m, 4.0, 30.0, (0, 1), (), 0)
    each = PerImage(np.arange(20) < 20 * error, np.full(20, 5.0 / m))
    settings = settings_for(m, 1)
    return Run(m, seed, seed % 5, settings, measures, measures, each, params)
