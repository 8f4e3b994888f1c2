"""The bias is a row (1, C), and so is its gradient."""

import matplotlib.pyplot as plt
import numpy as np


def linear_forward(x, weights, bias):
    return x @ weights + bias, (x, weights)


def linear_backward(grad_output, result):
    x, weights = result
    grad_bias = grad_output.sum(axis=0, keepdims=True)
    return grad_output @ weights.T, x.T @ grad_output, grad_bias


def relu(x):
    return np.maximum(x, 0)


def relu_deriv(output):
    return 1.0 * (output > 0)


def plot(losses):
    plt.plot(losses)
    plt.show()


if __name__ == "__main__":
    plot([1, 2])
