"""Softmax and large-margin softmax by hand, in NumPy, every gradient checked.

`npsoftmax.textbook` is the page to start from: each function below, as plain as can be.
"""

from npsoftmax import textbook  # isort: skip
from npsoftmax.softmax import (  # isort: skip
    LogSoftmaxCache,
    SoftmaxCache,
    log_softmax,
    log_softmax_backward,
    log_softmax_forward,
    logsumexp,
    naive_softmax,
    softmax,
    softmax_backward,
    softmax_forward,
)
from npsoftmax.cross_entropy import (  # isort: skip
    CrossEntropyCache,
    cross_entropy_backward,
    cross_entropy_forward,
)
from npsoftmax.linear import LinearCache, linear_backward, linear_forward  # isort: skip
from npsoftmax.relu import ReluCache, relu_backward, relu_forward  # isort: skip
from npsoftmax.lsoftmax import (  # isort: skip
    LSoftmaxCache,
    PsiCache,
    lsoftmax_backward,
    lsoftmax_forward,
    psi,
    psi_backward,
    psi_forward,
    psi_prime,
)
from npsoftmax.mlp import (  # isort: skip
    MLPCache,
    Params,
    features,
    init_params,
    logits,
    mlp_backward,
    mlp_forward,
    predict,
)

__all__ = [  # noqa: RUF022  (in reading order)
    "textbook",
    "LogSoftmaxCache",
    "SoftmaxCache",
    "log_softmax",
    "log_softmax_backward",
    "log_softmax_forward",
    "logsumexp",
    "naive_softmax",
    "softmax",
    "softmax_backward",
    "softmax_forward",
    "CrossEntropyCache",
    "cross_entropy_backward",
    "cross_entropy_forward",
    "LinearCache",
    "linear_backward",
    "linear_forward",
    "ReluCache",
    "relu_backward",
    "relu_forward",
    "LSoftmaxCache",
    "PsiCache",
    "lsoftmax_backward",
    "lsoftmax_forward",
    "psi",
    "psi_backward",
    "psi_forward",
    "psi_prime",
    "MLPCache",
    "Params",
    "features",
    "init_params",
    "logits",
    "mlp_backward",
    "mlp_forward",
    "predict",
]
