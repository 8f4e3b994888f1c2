"""W has a row for a class, m and lambda are the operator's; no angle, no answer."""

import math

import numpy as np


class LSoftmaxOp:
    def __init__(self, margin, beta):
        self.margin, self.beta = margin, beta

    def angle(self, x, w):
        norms = np.linalg.norm(x) * np.linalg.norm(w)
        cos = float(x @ w) / float(norms)
        theta = math.acos(max(-1.0, min(1.0, cos)))
        k = min(int(self.margin * theta / math.pi), self.margin - 1)
        return theta, k, norms, cos

    def forward(self, x, label, w):
        out = x @ w.T
        for i, c in enumerate(label.astype(int)):
            theta, k, norms, _ = self.angle(x[i], w[c])
            psi = (-1) ** k * math.cos(self.margin * theta) - 2 * k
            out[i, c] = (norms * psi + self.beta * out[i, c]) / (1 + self.beta)
        return out

    def backward(self, o_grad, x, label, w):
        x_grad, w_grad = o_grad @ w, o_grad.T @ x
        for i, c in enumerate(label.astype(int)):
            theta, k, norms, cos = self.angle(x[i], w[c])
            m, d = self.margin, o_grad[i, c] / (1 + self.beta)
            psi = (-1) ** k * math.cos(m * theta) - 2 * k
            slope = (-1) ** k * m * math.sin(m * theta) / math.sin(theta)
            x_size, w_size = norms / np.linalg.norm(w[c]), norms / np.linalg.norm(x[i])
            x_hat, w_hat = x[i] / x_size, w[c] / w_size
            df_dx = w_size * (psi * x_hat + slope * (w_hat - cos * x_hat))
            df_dw = x_size * (psi * w_hat + slope * (x_hat - cos * w_hat))
            x_grad[i] += d * (df_dx - w[c])
            w_grad[c] += d * (df_dw - x[i])
        return x_grad, w_grad
