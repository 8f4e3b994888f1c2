"""Layers for one sample; eps in the logarithm, and a gradient by p."""

import numpy as np


class Linear:
    def __init__(self, in_features, out_features):
        self.params = {
            "weight": np.random.normal(size=(out_features, in_features)),
            "bias": np.zeros(out_features),
        }
        self.grads = {name: np.zeros_like(p) for name, p in self.params.items()}

    def forward(self, x):
        self.params["x"] = np.squeeze(x)
        return self.params["weight"] @ self.params["x"] + self.params["bias"]

    def backward(self, dout):
        self.grads["weight"] += np.outer(dout, self.params["x"])
        self.grads["bias"] += dout
        return self.params["weight"].T @ dout


class SoftMax:
    def forward(self, x):
        powers = np.exp(x - np.max(x))
        self.out = powers / powers.sum()
        return self.out

    def backward(self, dout):
        return self.out * (dout - (dout * self.out).sum(axis=0))


class CrossEntropy:
    def forward(self, x, y):
        return -np.sum(y * np.log(x + 1e-5))

    def backward(self, x, y):
        return -y / (x + 1e-5)
