"""The homework: the file that `npsoftmax start` writes, and hints for it.

    homework(path)            the text of the file, with its own name in what it says
    hint(name, more=False)    a first hint for a function, or the first and the second

The functions to fill in stand in stubs.py, which is the homework itself.
"""

import shlex
import textwrap
from pathlib import Path, PurePath

STUBS = Path(__file__).with_name("stubs.py")
WIDTH = 79  # characters in a line of a hint


def homework(path):
    """Return the homework's source, with `path` as the FILE of its commands."""
    text = STUBS.read_text(encoding="utf-8")
    text = text.replace("check FILE", f"check {_quoted(path)}")
    return text.replace("  # noqa: F401", "")


def _quoted(path):
    """Return the path as a shell takes it, inside a docstring that stays Python."""
    name = path.as_posix() if isinstance(path, PurePath) else str(path)
    return shlex.quote(name).replace("\\", r"\\").replace('"', r"\"")


def hint(name, more=False):
    """Return the first hint for the function `name`, and with `more` the second too."""
    hints = HINTS[name] if more else HINTS[name][:1]
    return "\n\n".join(textwrap.fill(" ".join(text.split()), WIDTH) for text in hints)


HINTS = {
    "logsumexp": (
        """exp(1000) is too large for a float, and so is the sum. Which number can be
        taken off every logit of a row and put back after the logarithm, so that the
        largest exponential is exactly 1?""",
        """top = the largest logit along the axis, with keepdims=True. Then log(sum
        exp(z)) = top + log(sum exp(z - top)). Take the axis of length 1 away at the
        end: np.squeeze(..., axis=axis).""",
    ),
    "softmax": (
        """softmax(z) = softmax(z - any number), row by row: the number cancels in the
        fraction. Which number makes every exponent 0 or negative?""",
        """e = np.exp(z - top) with top = z.max(axis=axis, keepdims=True), the largest
        of each row and not of the whole batch; then divide e by its sum along the same
        axis, with keepdims=True again.""",
    ),
    "log_softmax": (
        """Do not take the logarithm of softmax: for [1000, 0] the second probability
        rounds to 0, and log(0) is -inf. Take the logarithm on paper first: what is
        log(e_j / sum e)?""",
        """d = z - top along the axis; log p = d - log(sum exp(d)). An eps inside the
        logarithm is not needed: the sum is never below 1. For [1000, 0] this gives [0,
        -1000].""",
    ),
    "softmax_forward": (
        """This is softmax along the last axis, and something to remember. What does the
        Jacobian p_l (1 - p_j), -p_l p_j need?""",
        """p = softmax(z); return p, (p,). The backward needs p and nothing else.""",
    ),
    "softmax_backward": (
        """Every logit moves every probability of its row, so dz_j is a sum over l of
        dp_l times dp_l/dz_j. Write that sum down for one row, once for l = j and once
        for the others: what do all terms share?""",
        """dz_j = p_j (dp_j - sum_l p_l dp_l). The sum runs along a row: axis=1 with
        keepdims=True. Try it on paper: z = [0, 0], dp = [1, 0] gives dz = [1/4,
        -1/4].""",
    ),
    "log_softmax_forward": (
        """This is log_softmax along the last axis, and something to remember: the
        backward needs the probabilities, or something they can be had from.""",
        """log_p = log_softmax(z); return log_p, (log_p,). In the backward p is
        np.exp(log_p).""",
    ),
    "log_softmax_backward": (
        """log p_l = z_l - logsumexp(z): z_j moves its own log p directly, and all log p
        of its row through logsumexp. The derivative of logsumexp(z) by z_j is p_j.""",
        """dz_j = dlog_p_j - p_j (sum of dlog_p along the row): axis=1 with
        keepdims=True. Try it on paper: z = [0, 0], dlog_p = [1, 0] gives dz = [1/2,
        -1/2].""",
    ),
    "cross_entropy_forward": (
        """Each row has one entry that counts: the log-probability of its own label.
        Pick log p[0, y[0]], log p[1, y[1]], ... and take minus their mean. Start from
        log_softmax, not from log(softmax).""",
        """rows = np.arange(len(y)); log_p[rows, y] picks one entry of each row, while
        log_p[:, y] picks whole columns. Try it on paper: equal logits and C classes
        give loss = log(C).""",
    ),
    "cross_entropy_backward": (
        """The loss of row i is -z[i, y_i] + logsumexp(z[i]). The first part gives a -1
        in one entry; the second gives p. Mind the 1/N of the mean, and dloss.""",
        """dz = p.copy(); dz[np.arange(N), y] -= 1; return dloss * dz / N. Try it on
        paper: z = [[0, 0]], y = [0] gives dz = [[-1/2, 1/2]], and every row of dz sums
        to 0.""",
    ),
    "linear_forward": (
        """One matrix product. Which axis of z does b belong to, rows or columns? And b
        may be missing.""",
        """z = x @ W; if b is not None: z = z + b (NumPy lays b along each row). Not z
        += b where z may be somebody else's array, and not `if b:`, which an array
        cannot answer. Keep x, W and whether there was a b.""",
    ),
    "linear_backward": (
        """z_ic = sum_d x_id W_dc + b_c. Ask for each of x_id, W_dc, b_c: which entries
        of z does it move, and by how much? Shapes help: dx is (N, D), made of dz (N, C)
        and W (D, C).""",
        """dx = dz @ W.T, dW = x.T @ dz, db = dz.sum(axis=0): every row of the batch has
        used the same b. No mean here: the 1/N is already in dz. db is None where b was
        None.""",
    ),
    "relu_forward": (
        """An entry above 0 stays, any other becomes 0. The backward must know which
        entries stayed: remember that, not the values.""",
        """active = h > 0; return np.maximum(h, 0), (active,). Not h[h < 0] = 0: that
        changes the array of whoever called.""",
    ),
    "relu_backward": (
        """Where h was above 0, a moves as h does; elsewhere a does not move at all. The
        question is about h, not about da.""",
        """dh = da * active, with the mask that the forward remembered. At h = 0 either
        side's slope is accepted.""",
    ),
    "psi": (
        """In half a turn cos(m theta) has m pieces, down and up by turns. psi lets it
        go down only: every piece between two knots k pi/m is turned upright by (-1)^k
        and hung on the end of the piece before by -2k. First find k, the number of the
        piece.""",
        """k = floor(m theta / pi), and at theta = pi, where this gives m, the last
        piece k = m - 1: np.minimum(..., m - 1). Round down, do not round. Then (-1)**k
        cos(m theta) - 2k. Try it on paper, m = 2: psi(0) = 1, psi(90 degrees) = -1,
        psi(180 degrees) = -3.""",
    ),
    "psi_prime": (
        """The derivative of (-1)^k cos(m theta) - 2k on one piece is short. psi falls
        everywhere: what does that say about the sign of (-1)^k sin(m theta)?""",
        """-m (-1)^k sin(m theta) with psi's own k. Since (-1)^k is the sign that sin(m
        theta) has on piece k, the same is -m |sin(m theta)|, with no piece to find.""",
    ),
    "psi_forward": (
        """The angle is np.arccos(cos), and psi you have. But a cosine that is the
        product of two rounded vectors may be 1.0000000000000002, and arccos of that is
        nan.""",
        """theta = np.arccos(np.clip(cos, -1, 1)); return psi(theta, m), (theta, m).
        Exact bounds: 1 - 1e-7 would turn every angle below 0.026 degrees into that one.
        Or no angle at all: cos(m theta) = 2 c cos((m-1) theta) - cos((m-2) theta), and
        k = how many of cos(j pi/m), j = 1 .. m-1, lie above cos.""",
    ),
    "psi_backward": (
        """By the chain rule dpsi/dcos = (dpsi/dtheta) (dtheta/dcos), and dcos/dtheta is
        -sin(theta). What is left at theta = 0 and pi, where that is 0/0?""",
        """dcos = dpsi m |sin(m theta)| / sin(theta); where sin(theta) is 0, or below
        1e-7, the quotient is m^2 instead. Divide by 1 there and choose with np.where,
        rather than adding an eps everywhere.""",
    ),
    "lsoftmax_forward": (
        """Start from z = x @ W: only one entry of each row changes, z[i, y_i]. For that
        one: norms of x_i and of W's column y_i, the cosine between them, then psi, then
        g.""",
        """W_y = W[:, y].T is (N, D). x_norm = np.linalg.norm(x, axis=1); divide x and
        W_y by their norms first (by 1 where a norm is 0) and multiply after: the
        product of two tiny norms is 0. z[np.arange(N), y] = w_norm * x_norm *
        g. Prediction needs none of this: argmax(x @ W).""",
    ),
    "lsoftmax_backward": (
        """Two kinds of logits: the other classes are linear, so dx has dz_ij W_j and dW
        has dz_ij x_i. Only the label's entry takes (9): a radial part along xh, with g,
        and a tangential part at right angles to it, with g'.""",
        """others = dz.copy(); others[rows, y] = 0. Then dx = others @ W.T + dz_y df_dx
        and dW = x.T @ others, to which each row adds dz_y df_dw in its own label's
        column: np.add.at(dW.T, y, ...), since dW[:, y] += ... keeps only one row of a
        label that comes twice. With x = 0 or W_y = 0 set g' = 1.""",
    ),
}
