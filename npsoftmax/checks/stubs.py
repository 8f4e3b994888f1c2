"""Softmax and large-margin softmax by hand: the homework.

Fill in the functions from top to bottom. Take out a `raise NotImplementedError`,
write what belongs there, and have it checked; what is still missing is no mistake.

    npsoftmax check FILE
        every function you have written so far
    npsoftmax check FILE -k logsumexp
        one of them
    npsoftmax hint logsumexp
        a first hint; with --more a second

Sizes: N rows (one for each sample), D inputs, C classes. W is (D, C): a class is
a column. y holds labels, whole numbers from 0 to C-1. `d<name>` is the derivative
of the final loss by `<name>`, and has its shape.

Pairs: a forward returns its value and a cache; the cache is whatever you like, and
your backward gets it back as it was. A backward's first argument is the gradient by
the forward's value.

Rules: leave the arguments unchanged; float64 in, float64 back, and float32 in,
float32 back; N = 1 and C = 1 are batches too; large logits, vectors of zeros, and
tiny and huge norms are welcome.
"""

import numpy as np  # noqa: F401


def logsumexp(z, axis=-1):
    """Return the logarithm of the sum of exp(z) along an axis.

    z: any shape -> z's shape without `axis`.

    (1)  logsumexp(z) = log(sum_j exp(z_j)) = max z + log(sum_j exp(z_j - max z))
    """
    raise NotImplementedError


def softmax(z, axis=-1):
    """Return the probabilities p along an axis.

    z: any shape -> the same shape; along `axis`, p sums to 1.

    (1)  p_j = exp(z_j) / sum_l exp(z_l)
    """
    raise NotImplementedError


def log_softmax(z, axis=-1):
    """Return the logarithms of the probabilities along an axis.

    z: any shape -> the same shape.

    (1)  log p_j = z_j - logsumexp(z)
    """
    raise NotImplementedError


def softmax_forward(z):
    """Return the probabilities p of each row, and a cache.

    z (N, C) -> p (N, C), cache.
    """
    raise NotImplementedError


def softmax_backward(dp, cache):
    """Return dz, the gradient by the logits.

    dp (N, C), the cache of softmax_forward -> dz (N, C).

         p_l changes with z_j by p_l (1 - p_j) for l = j, by -p_l p_j for l != j
    """
    raise NotImplementedError


def log_softmax_forward(z):
    """Return log p of each row, and a cache.

    z (N, C) -> log_p (N, C), cache.
    """
    raise NotImplementedError


def log_softmax_backward(dlog_p, cache):
    """Return dz, the gradient by the logits.

    dlog_p (N, C), the cache of log_softmax_forward -> dz (N, C).

         log p_l changes with z_j by 1 - p_j for l = j, by -p_j for l != j
    """
    raise NotImplementedError


def cross_entropy_forward(z, y):
    """Return the mean loss of logits z and labels y, and a cache.

    z (N, C), y (N,) -> loss, one number; cache.

    (2)  loss = -(1/N) sum_i log p_{i, y_i}
    """
    raise NotImplementedError


def cross_entropy_backward(dloss, cache):
    """Return dz, the gradient by the logits.

    dloss, one number, the cache of cross_entropy_forward -> dz (N, C).

    (3)  dloss/dz_ij = (p_ij - 1)/N for j = y_i,  p_ij/N for j != y_i
    """
    raise NotImplementedError


def linear_forward(x, W, b=None):
    """Return z = x W + b, and a cache.

    x (N, D), W (D, C), b (C,) or None for no bias -> z (N, C), cache.
    """
    raise NotImplementedError


def linear_backward(dz, cache):
    """Return the gradients by x, W and b.

    dz (N, C), the cache of linear_forward -> dx (N, D), dW (D, C), db (C,); db is None
    where b was None.
    """
    raise NotImplementedError


def relu_forward(h):
    """Return a = max(h, 0), and a cache.

    h: any shape -> a, of the same shape; cache.
    """
    raise NotImplementedError


def relu_backward(da, cache):
    """Return dh, the gradient by h.

    da: h's shape, the cache of relu_forward -> dh, of the same shape.
    """
    raise NotImplementedError


def psi(theta, m):
    """Return psi of an angle: cos(m theta), unfolded so that it always falls.

    theta: angles in radians from 0 to pi, any shape; m: a whole number from 1, the
    margin -> the same shape.

    (5)  psi(theta) = (-1)^k cos(m theta) - 2k   for theta in [k pi/m, (k+1) pi/m],
                                                 k = 0, 1, .. m-1
    """
    raise NotImplementedError


def psi_prime(theta, m):
    """Return the derivative of psi by the angle.

    theta: angles in radians from 0 to pi, any shape; m: the margin -> the same shape.

    (8)  the derivative of (5), piece by piece
    """
    raise NotImplementedError


def psi_forward(cos, m):
    """Return psi of the angle with this cosine, and a cache.

    cos: cosines, any shape; rounding may leave one a little outside [-1, 1]; m: the
    margin -> psi, of the same shape; cache.

    (5)  psi(theta) with theta = arccos(cos)
    (7)  or without any angle: cos(2 theta) = 2 cos^2 - 1, and so on for each m
    """
    raise NotImplementedError


def psi_backward(dpsi, cache):
    """Return dcos, the gradient by the cosine.

    dpsi: cos's shape, the cache of psi_forward -> dcos, of the same shape.

    (8)  dpsi/dcos = m |sin(m theta) / sin(theta)|; its limit is m^2 at 0 and at pi
    """
    raise NotImplementedError


def lsoftmax_forward(x, W, y, m, lam=0.0):
    """Return the logits with the margin m in the label's column, and a cache.

    x (N, D) features, W (D, C) weights, y (N,) labels, m the margin, lam >= 0 how much
    of the plain cosine is mixed in -> z (N, C), cache.

    (4)  W_c . x = |W_c| |x| cos(theta_c)
    (6)  z_j = W_j . x for j != y;   z_y = f_y = |W_y| |x| g,
         g = (lam cos(theta_y) + psi(theta_y)) / (1 + lam)
    (10) x = 0 or W_y = 0: there is no angle, and z_y = 0
    """
    raise NotImplementedError


def lsoftmax_backward(dz, cache):
    """Return the gradients by x and W.

    dz (N, C), the cache of lsoftmax_forward -> dx (N, D), dW (D, C).

    (9)  with xh = x/|x|, wh = W_y/|W_y|, c = xh . wh, g' = (lam + dpsi/dcos)/(1 + lam):
         df_y/dx   = |W_y| (g xh + g' (wh - c xh))
         df_y/dW_y = |x|   (g wh + g' (xh - c wh))
    (10) x = 0 or W_y = 0: df_y/dx = W_y and df_y/dW_y = x
    """
    raise NotImplementedError
