"""The line "on paper" of a message: its last number is the entry itself."""

import numpy as np
import pytest

import npsoftmax as nps
from npsoftmax.checks import CONTRACT

Z = np.array([[0.0, 1.0], [2.0, 0.0]])
X, W, Y = np.array([[1.0, -2.0]]), np.array([[3.0, 0.0], [1.0, -1.0]]), np.array([0])
DZ = np.array([[1.0, -2.0]])
H, DA = np.array([-1.0, 0.0, 2.0]), np.array([3.0, 4.0, 5.0])
COS = np.cos(np.radians([0.0, 30.0, 150.0]))
LINEAR = nps.linear_backward(DZ, nps.linear_forward(X, W, np.zeros(2))[1])
DPSI = np.array([1.0, 2.0, 2.0])
SLOPES = nps.psi_backward(DPSI, nps.psi_forward(COS, 3)[1])


@pytest.mark.parametrize(
    ("function", "inputs", "result", "right"),
    [
        ("softmax", {"z": Z, "axis": -1}, "p", nps.softmax(Z)),
        ("linear_forward", {"x": X, "W": W, "b": None}, "z", X @ W),
        ("linear_forward", {"x": X, "W": -W, "b": np.ones(2)}, "z", 1 - X @ W),
        ("linear_backward", {"x": X, "W": W, "dz": DZ}, "dx", LINEAR[0]),
        ("linear_backward", {"x": X, "W": W, "dz": DZ}, "dW", LINEAR[1]),
        ("linear_backward", {"x": X, "W": W, "dz": DZ}, "db", LINEAR[2]),
        ("relu_backward", {"h": H, "da": DA}, "dh", np.array([0.0, 0.0, 5.0])),
        ("psi_backward", {"cos": COS, "m": 3, "dpsi": DPSI}, "dcos", SLOPES),
    ],
    ids=str,
)
def test_it_ends_with_the_entry_as_it_should_be(function, inputs, result, right):
    for index in np.ndindex(right.shape):
        line = CONTRACT[function].on_paper(inputs, result, index)
        assert line, f"nothing on paper for {result}{list(index)}"
        last = line.split(" = ")[-1].split()[0]
        assert float(last.rstrip(";,")) == pytest.approx(right[index], rel=1e-5)
