"""SGD, the annealing of lambda, and the training loop."""

import inspect
import itertools
import re
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from draws import read_only
from hypothesis import given

from npsoftmax import training
from npsoftmax.mlp import Params, init_params, mlp_backward, mlp_forward
from npsoftmax.training import (
    LARGE_FROM,
    Annealing,
    DivergenceError,
    Settings,
    annealing_of,
    count_steps,
    rate_at,
    settings_for,
    sgd_step,
    train,
)

SHORT = Settings(hidden=(8, 8), epochs=3, batch=16)


def test_the_same_seed_gives_the_same_run_to_the_last_bit_and_another_another():
    for one, other in zip(short_run(seed=3), short_run(seed=3), strict=True):
        assert one[:5] == other[:5]
        assert all(map(np.array_equal, one.params, other.params))
    assert [e.loss for e in short_run(seed=3)] != [e.loss for e in short_run(seed=4)]


def test_what_an_epoch_yields_is_not_changed_by_later_epochs():
    kept = [(epoch.params, [p.copy() for p in epoch.params]) for epoch in short_run()]
    for params, copies in kept:
        assert all(map(np.array_equal, params, copies))


def test_an_epoch_counts_its_steps_and_says_lambda_and_rate_of_the_last():
    x, y = images()
    settings = SHORT._replace(batch=15)  # 40 images: 15, 15 and 10
    annealing = Annealing(lam_min=2.0, gamma=0.5)
    for n, epoch in enumerate(train(x, y, 3, 0, settings, annealing), start=1):
        assert (epoch.epoch, epoch.step) == (n, 3 * n)
        assert epoch.lam == annealing(3 * n - 1)
        assert epoch.rate == rate_at(3 * n - 1, 9, settings)


def test_one_epoch_of_one_step_is_a_step_down_the_gradient_of_the_mean_loss():
    x, y = images()
    settings = SHORT._replace(epochs=1, batch=len(x))
    annealing = Annealing(lam_min=5.0, gamma=1.0, base=5.0)
    [epoch] = train(x, y, 4, 7, settings, annealing)
    start = init_params(np.random.default_rng(7), 6, (8, 8), 2, 4, x.dtype)
    loss, cache = mlp_forward(start, x, y, 4, 5.0)
    # The loop takes the images in another order, and so rounds its sums differently: N
    # terms each, some ten layers of them.
    tolerance = 10 * len(x) * float(np.finfo(x.dtype).eps)
    assert epoch.loss == pytest.approx(float(loss), rel=tolerance)
    for p, s, d in zip(epoch.params, start, mlp_backward(1.0, cache), strict=True):
        step = settings.rate * (d + settings.decay * s)
        np.testing.assert_allclose(p, s - step, atol=tolerance * np.abs(p).max())


@given(st.floats(0, 0.99), st.floats(0, 1))
def test_a_constant_gradient_moves_by_the_sum_of_a_geometric_series(mu, rate):
    settings = Settings(momentum=mu, decay=0.0)
    p = v = Params(*[np.zeros(1)] * 7)
    d = Params(*[np.ones(1)] * 7)
    for _ in range(5):
        p, v = sgd_step(p, v, d, rate, settings)
    # v after n steps is -rate (1 + mu + ... + mu^(n-1)); p is the sum of all v.
    expected = -rate * sum(mu**j for n in range(5) for j in range(n + 1))
    np.testing.assert_allclose(p.W1, expected, rtol=64 * np.finfo(float).eps)


def test_weight_decay_pulls_towards_zero_where_there_is_no_gradient():
    settings = Settings(momentum=0.0, decay=0.1)
    p, zero = Params(*[np.ones(1)] * 7), Params(*[np.zeros(1)] * 7)
    p, _ = sgd_step(p, zero, zero, 0.5, settings)
    assert p.W4[0] == 1 - 0.5 * 0.1


def test_the_rate_falls_twice_by_ten():
    rates = [rate_at(step, 100, Settings(rate=1.0)) for step in range(100)]
    assert [(rate, len(list(same))) for rate, same in itertools.groupby(rates)] == [
        (1.0, 60), (0.1, 25), (0.01, 15),
    ]  # fmt: skip


@given(
    lam_min=st.floats(1e-3, 100), step=st.integers(1, 10**6), power=st.floats(0.5, 40)
)
def test_lambda_falls_from_its_base_and_reaches_its_smallest_value_in_time(
    lam_min, step, power
):
    annealing = Annealing.reaching(lam_min, step, power=power)
    lams = [annealing(n) for n in (0, step // 3, step // 2, step, 2 * step)]
    assert lams[0] == 1000
    assert lams == sorted(lams, reverse=True)
    # gamma step + 1 is rounded, and its power makes of one EPS `power` of them.
    rounding = (8 + 4 * power) * np.finfo(float).eps
    assert lams[3] == pytest.approx(lam_min, rel=rounding)
    assert lams[4] == lam_min


@pytest.mark.parametrize("N", [1437, LARGE_FROM])
@pytest.mark.parametrize("m", [2, 3, 4, 5, 30])
def test_by_default_lambda_is_at_its_smallest_well_before_the_rate_first_falls(m, N):
    settings = settings_for(m, N)
    steps = count_steps(N, settings)
    annealing = annealing_of(settings, N)
    rates = [rate_at(step, steps, settings) for step in range(steps)]
    first_fall = next(n for n, rate in enumerate(rates) if rate < rates[0])
    assert annealing(2 * first_fall // 3) == pytest.approx(settings.lam_min)
    assert annealing(first_fall) == settings.lam_min


@pytest.mark.parametrize("N", [1, LARGE_FROM - 1, LARGE_FROM, 60_000])
def test_margins_differ_in_rate_and_lam_min_alone_and_from_4_on_not_at_all(N):
    softmax, *margins = (settings_for(m, N) for m in range(1, 7))
    for chosen in margins:
        same = {"rate": softmax.rate, "lam_min": softmax.lam_min}
        assert chosen._replace(**same) == softmax
    assert margins[2] == margins[3] == margins[4]


def test_the_rule_by_size_has_one_step():
    for m in (1, 2, 3, 4):
        sizes = [settings_for(m, N) for N in (1, LARGE_FROM - 1, LARGE_FROM, 10**6)]
        assert sizes[0] == sizes[1] != sizes[2] == sizes[3]


def rows_of_the_search(section):
    """Return rows of settings.md at the decay that was taken: rate, and errors."""
    page = (Path(__file__).parent / "settings.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| ([\d.]+) \| 0.0005 (.*)$", re.MULTILINE)
    found = row.findall(page.split("\n## ")[section])
    return [(rate, *re.findall(r"([\d.]+),", cells)) for rate, cells in found]


def test_the_errors_beside_the_settings_are_those_of_the_search():
    row = re.compile(r"^# .* (0\.\d+)" + 4 * r" +([\d.]+)" + "$", re.MULTILINE)
    quoted = row.findall(inspect.getsource(training))
    assert quoted == rows_of_the_search(1) + rows_of_the_search(2)


@pytest.mark.parametrize(("section", "N"), [(1, 1437), (2, 60_000)])
def test_the_rate_of_each_margin_has_the_smallest_error_of_the_search(section, N):
    rows = np.array(rows_of_the_search(section), float)
    for m in (1, 2, 3, 4):
        assert settings_for(m, N).rate == rows[rows[:, m].argmin(), 0]


@pytest.mark.parametrize("m", [1, 4])
def test_without_settings_those_of_the_margin_and_the_size_are_taken(m):
    x, y = images()
    first, chosen = next(train(x, y, m, 0)), settings_for(m, len(x))
    assert first.loss == next(train(x, y, m, 0, chosen)).loss
    assert first.rate == chosen.rate


@pytest.mark.parametrize("lam_min", [0, -1, 1001, float("nan")])
def test_a_smallest_lambda_that_cannot_be_reached_is_an_error(lam_min):
    with pytest.raises(ValueError, match=r"lam_min is .* must be in \(0, 1000\]"):
        Annealing.reaching(lam_min, 100)


def test_the_loss_of_softmax_falls():
    losses = [epoch.loss for epoch in short_run(m=1, settings=SHORT._replace(epochs=9))]
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize(("m", "rate"), [(1, 1e4), (4, 1e4), (4, 1e30)])
def test_a_run_that_diverges_says_so_and_what_to_do(m, rate):
    with pytest.raises(DivergenceError) as caught:
        list(short_run(m, settings=SHORT._replace(rate=rate, epochs=30)))
    message = str(caught.value)
    assert re.search(r"in epoch \d+, at step \d+: the loss is (inf|nan)", message)
    assert f"learning rate below {rate:g}" in message
    assert ("lam_min above" in message) == (m > 1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"m": 2.5}, "m is 2.5"),
        ({"y": np.full(40, -1)}, r"y\[0\] is -1"),
        ({"x": np.full((40, 6), np.nan)}, r"x\[0, 0\] is nan"),
        ({"settings": SHORT._replace(epochs=0)}, "epochs is 0"),
        ({"settings": SHORT._replace(batch=1.5)}, r"batch is 1\.5"),
        ({"settings": SHORT._replace(rate=-1)}, "rate is -1"),
        ({"settings": SHORT._replace(momentum="0.9")}, "momentum is '0.9'"),
    ],
)
def test_a_wrong_argument_is_an_error_when_train_is_called(changed, message):
    x, y = images()
    arguments = {"x": x, "y": y, "m": 2, "seed": 0, "settings": SHORT} | changed
    with pytest.raises((ValueError, TypeError), match=message):
        train(**arguments)


def images():
    """Return 40 images of 6 pixels, and labels of 4 learnable classes, read-only."""
    rng = np.random.default_rng(1)
    y = np.arange(40) % 4
    x = (np.eye(4, 6)[y] + 0.1 * rng.normal(size=(40, 6))).astype(np.float32)
    return read_only(x), read_only(y)


def short_run(m=2, seed=0, settings=SHORT):
    x, y = images()
    return train(x, y, m, seed, settings)
