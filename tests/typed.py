"""Every public name, as a person uses it who has a type checker look on:

    mypy --strict tests/typed.py

`assert_type` is for the checker: it says what a call is known to give. The file also
runs, so that what is asserted is what happens.
"""

import contextlib
from collections.abc import Callable
from typing import Any, Literal, assert_type

import numpy as np

import npsoftmax as nps
from npsoftmax import checks, gradcheck
from npsoftmax.arrays import Array, Integers, Numbers, Values

x: Array = np.array([[3.0, 4.0], [-2.0, 1.0]])
W, y, m = np.eye(2), [0, 1], 4
h: Array = x - 0.5


def layers() -> None:
    page: Callable[[Array], Any] = nps.textbook.softmax
    page(x)

    assert_type(nps.logsumexp(x, axis=0), Values)
    assert_type(nps.softmax([1000, 0]), Array)
    assert_type(nps.log_softmax(x), Array)
    assert_type(nps.naive_softmax(x), Array)
    p, of_p = nps.softmax_forward(x)
    assert_type(of_p, nps.SoftmaxCache)
    assert_type(nps.softmax_backward(p, of_p), Array)
    log_p, of_log_p = nps.log_softmax_forward(x)
    assert_type(of_log_p, nps.LogSoftmaxCache)
    assert_type(nps.log_softmax_backward(log_p, of_log_p), Array)

    loss, of_loss = nps.cross_entropy_forward(x, y)
    assert_type(loss, np.floating[Any])
    assert_type(of_loss, nps.CrossEntropyCache)
    assert_type(of_loss.y, Integers)
    assert_type(nps.cross_entropy_backward(1.0, of_loss), Array)

    z, of_z = nps.linear_forward(x, W, b=[0, 1])
    assert_type(of_z, nps.LinearCache)
    dx, dW, db = nps.linear_backward(z, of_z)
    assert_type(db, Array | None)
    a, of_a = nps.relu_forward(h)
    assert_type(of_a, nps.ReluCache)
    assert_type(nps.relu_backward(a, of_a), Values)


def margins() -> None:
    assert_type(nps.psi(0.5, m), Values)
    assert_type(nps.psi_prime([0.5], m), Values)
    psi, of_psi = nps.psi_forward(0.5, m)
    assert_type(of_psi, nps.PsiCache)
    assert_type(nps.psi_backward(1.0, of_psi), Values)
    z, of_z = nps.lsoftmax_forward(x, W, y, m, lam=0.5)
    assert_type(of_z, nps.LSoftmaxCache)
    assert_type(nps.lsoftmax_backward(z, of_z), tuple[Array, Array])


def network() -> None:
    rng = np.random.default_rng(0)
    params = nps.init_params(rng, D=2, H=(4, 4), C=2, dtype=np.float64)
    assert_type(params, nps.Params)
    loss, cache = nps.mlp_forward(params, x, y, m, lam=1.0)
    assert_type(loss, np.floating[Any])
    assert_type(cache, nps.MLPCache)
    assert_type(nps.mlp_backward(1.0, cache).W1, Array)
    assert_type(nps.features(params, x), Array)
    assert_type(nps.logits(params, x), Array)
    assert_type(nps.predict(params, x), Integers)


def gradients() -> None:
    def cubes(x: Array) -> np.floating[Any]:
        total: np.floating[Any] = np.sum(x**3)
        return total

    def of_labels(x: Numbers, W: Numbers) -> tuple[Array, nps.LSoftmaxCache]:
        return nps.lsoftmax_forward(x, W, y, m)

    gradient: Array = 3 * x**2
    assert_type(gradcheck.complex_step(cubes, x), Array)
    assert_type(gradcheck.central_difference(cubes, x), Array)
    assert_type(gradcheck.five_point(cubes, x), Array)
    assert_type(gradcheck.taylor_rate(cubes, x, gradient), float)
    quick = gradcheck.quick_check(lambda x: x**3, x, gradient, np.ones_like(x))
    assert_type(quick, gradcheck.InputCheck)
    for method in gradcheck.METHODS:
        report = gradcheck.check_gradients(
            of_labels, nps.lsoftmax_backward, (x, W), wrt=["x", "W"], method=method
        )
        assert_type(report, gradcheck.GradientReport)
        assert_type(report.verdict, Literal["right", "wrong", "inconclusive"])
        assert_type(report.worst, gradcheck.Entry | None)
        assert_type(report.kinks, tuple[gradcheck.Kink, ...])
        for check in report.inputs:
            assert_type(check, gradcheck.InputCheck | gradcheck.RateCheck)


def checked() -> None:
    outcome = checks.check(nps.psi_prime, examples=2)
    assert_type(outcome["psi_prime"], checks.FunctionReport)
    solution = checks.Solution.from_object({"softmax": np.tanh})
    for report in checks.check_solution(solution, only=["softmax"], examples=2):
        assert_type(report, checks.FunctionReport)
        failure = report.failure
        assert_type(failure, checks.Failure | None)
        assert failure is not None
        assert_type(failure.diagnosis, str | None)
    assert_type(checks.Solution.reference().written, list[str])
    assert_type(checks.CONTRACT["softmax"].values, tuple[str, ...])
    with contextlib.suppress(checks.SolutionError):
        assert_type(checks.load_solution("nowhere.py"), checks.Solution)


if __name__ == "__main__":
    layers()
    margins()
    network()
    gradients()
    checked()
