"""The whole network: its gradient by three methods, its features, its predictions."""

import re

import numpy as np
import pytest
from draws import margins, read_only, seeds, some
from hypothesis import given
from hypothesis import strategies as st

import npsoftmax as nps
from npsoftmax.gradcheck import check_gradients, taylor_rate


def network(seed, N=3):
    """Return a small network with drawn parameters, images and labels, read-only."""
    rng = np.random.default_rng(seed)
    params = nps.init_params(rng, D=5, H=(6, 4), F=2, C=4, dtype=np.float64)
    params = nps.Params(
        *(read_only(p + 0.1 * rng.normal(size=p.shape)) for p in params)
    )
    return params, read_only(rng.normal(size=(N, 5))), rng.integers(0, 4, N)


lams = st.sampled_from([0.0, 2.5, 1000.0])


@some
@given(seeds, margins, lams, st.booleans(), st.sampled_from([1, 2, 7]))
def test_the_gradient_of_every_parameter_is_that_of_the_complex_step(
    seed, m, lam, second_relu, N
):
    params, x, y = network(seed, N)
    report = check_gradients(
        lambda params: nps.mlp_forward(params, x, y, m, lam, second_relu),
        lambda dloss, cache: (nps.mlp_backward(dloss, cache),),
        (params,),
    )
    assert report.verdict == "right", report


@some
@given(seeds, margins, lams)
def test_a_step_along_the_gradient_leaves_a_remainder_of_second_order(seed, m, lam):
    params, x, y = network(seed)
    _, cache = nps.mlp_forward(params, x, y, m, lam)
    gradient = flat(nps.mlp_backward(1.0, cache))
    pieces = cache.relu1.active, cache.relu2.active, cache.lsoftmax.k

    def loss(t):
        """Return the loss; inf beyond the pieces of ReLU and psi of this network."""
        value, there = nps.mlp_forward(unflat(t, params), x, y, m, lam)
        moved = there.relu1.active, there.relu2.active, there.lsoftmax.k
        same = all(map(np.array_equal, pieces, moved))
        return float(value) if same else np.inf

    inside = 2.0**-8  # of a direction as long as this, all steps stay in the pieces
    v = inside * np.random.default_rng(seed).normal(size=gradient.shape)
    while loss(flat(params) + v) == np.inf:
        v /= 2
    assert taylor_rate(loss, flat(params), gradient, v) > 1.9
    assert taylor_rate(loss, flat(params), 1.01 * gradient, v) < 1.5


def flat(params):
    """Return all parameters as one vector."""
    return np.concatenate([p.ravel() for p in params])


def unflat(vector, params):
    """Return a vector of all parameters as Params."""
    ends = np.cumsum([p.size for p in params])[:-1]
    parts = np.split(vector, ends)
    return nps.Params(*(a.reshape(p.shape) for a, p in zip(parts, params, strict=True)))


@given(seeds)
def test_prediction_needs_no_label_and_is_the_largest_plain_logit(seed):
    params, x, _ = network(seed)
    f = nps.features(params, x)
    assert f.shape == (3, 2)
    np.testing.assert_array_equal(nps.logits(params, x), f @ params.W4)
    np.testing.assert_array_equal(
        nps.predict(params, x), (f @ params.W4).argmax(axis=1)
    )


@given(seeds, st.booleans())
def test_with_margin_1_the_loss_is_the_cross_entropy_of_the_plain_logits(seed, relu):
    params, x, y = network(seed)
    loss, cache = nps.mlp_forward(params, x, y, second_relu=relu)
    plain, _ = nps.cross_entropy_forward(nps.logits(params, x, relu), y)
    assert loss == pytest.approx(plain, rel=1e-14)
    a2 = cache.linear3.x
    f = nps.features(params, x, relu)
    np.testing.assert_array_equal(a2 @ params.W3 + params.b3, f)
    h2 = cache.linear2.x @ params.W2 + params.b2
    np.testing.assert_array_equal(a2, np.maximum(h2, 0) if relu else h2)


def test_the_first_parameters_are_he_normal_with_biases_of_zero():
    params = nps.init_params(np.random.default_rng(0), D=400, H=(300, 200))
    for W in params[0:5:2]:
        assert W.dtype == np.float32
        assert W.std() == pytest.approx(np.sqrt(2 / len(W)), rel=0.1)
    assert not any(b.any() for b in params[1:6:2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_of_the_parameters_is_kept(dtype):
    rng = np.random.default_rng(0)
    params = nps.init_params(rng, D=5, H=(6, 4), dtype=dtype)
    loss, cache = nps.mlp_forward(params, rng.random((3, 5)).astype(dtype), [0, 1, 9])
    gradient = nps.mlp_backward(1.0, cache)
    assert {loss.dtype, *(g.dtype for g in gradient)} == {np.dtype(dtype)}
    assert [g.shape for g in gradient] == [p.shape for p in params]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"rng": 0}, "rng is 0, but it must be a numpy.random.Generator"),
        ({"H": (3,)}, "H is (3,), but it must be two widths"),
        ({"H": 3}, "H is 3, but it must be two widths"),
        ({"dtype": int}, "dtype is <class 'int'>, but it must be a floating-point"),
    ],
)
def test_what_no_network_can_be_drawn_from_is_named(wrong, words):
    with pytest.raises((TypeError, ValueError), match=re.escape(words)):
        nps.init_params(**{"rng": np.random.default_rng(0)} | wrong)
