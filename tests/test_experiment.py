"""What is said of trained networks: rows, pairs, and which of them collapsed."""

import numpy as np
import pytest

from npsoftmax import experiment
from npsoftmax.data import Dataset
from npsoftmax.metrics import measure_each
from npsoftmax.mlp import init_params
from npsoftmax.training import settings_for


def run_of_features(features, W, y):
    """Return the Run of a network whose features are these, by identity layers."""
    eye, zero = np.eye(2), np.zeros(2)
    params = init_params(np.random.default_rng(0), 2, (4, 4), 2, W.shape[1], float)
    both = np.hstack([eye, -eye])  # relu(x) - relu(-x) = x
    params = params._replace(
        W1=both, b1=np.zeros(4), W2=np.eye(4), b2=np.zeros(4), W3=both.T, b3=zero, W4=W
    )
    measures, each = measure_each(params, np.asarray(features, float), np.asarray(y))
    return experiment.Run(2, 0, 0, settings_for(2, 1), measures, measures, each, params)


AXES = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # (2, 3): weights at 0, 90, 180


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ([[1, 0], [0, 1], [-1, 0]], []),
        (
            [[1, 0.1], [1, 0.2], [-1, 0]],
            ["classes 0 and 1 are 5.6 degrees apart", "class 1 never predicted"],
        ),
        ([[1, 0], [0, 0], [-1, 0]], ["class 1 never predicted", "1 features are 0"]),
    ],
)
def test_a_network_that_collapsed_is_described(features, words):
    run = run_of_features(features, AXES, [0, 1, 2])
    assert experiment.collapsed(run) == words


def test_classes_are_called_by_their_labels():
    run = run_of_features([[1, 0.1], [1, 0.2], [-1, 0]], AXES, [0, 1, 2])
    assert experiment.collapsed(run, labels=[3, 5, 250]) == [
        "classes 3 and 5 are 5.6 degrees apart", "class 5 never predicted",
    ]  # fmt: skip


def test_each_seed_has_its_fold_and_margins_of_a_seed_share_it():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(9, 3)).astype(np.float32), np.arange(9) % 3
    folds = [Dataset(x, y, x[k::3], y[k::3]) for k in range(3)]
    short = {"epochs": 1, "hidden": (4, 4)}
    runs = list(
        experiment.trained(
            folds,
            [1, 2],
            range(2, 6),
            lambda m, N: settings_for(m, N)._replace(**short),
        )
    )
    assert [(run.m, run.seed, run.fold) for run in runs] == [
        (m, seed, seed % 3) for seed in range(2, 6) for m in (1, 2)
    ]
    [pair] = experiment.pairs(runs)
    assert pair.seeds == (2, 3, 4, 5)
    assert pair.images == 9
    assert [row.m for row in experiment.table(runs)] == [1, 2]
