"""Lists of one sample; log(1 - p) for each class that is not the label's."""

import numpy as np


def softmax(z):
    powers = [np.exp(each) for each in z]
    return [each / sum(powers) for each in powers]


def average_cross_entropy(outputs, targets):
    pairs = zip(outputs, targets, strict=True)
    return np.mean([-np.log(p if t == 1 else 1 - p) for p, t in pairs])
