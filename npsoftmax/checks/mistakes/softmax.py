"""Mistakes in softmax, its logarithm and logsumexp, as edits of the page.

All of them, and the loss, run `shifted_exponentials`: an edit there is for them all.
"""

from functools import partial

from npsoftmax.checks.edits import POSITIVE, edit, mistake

_VALUE = "softmax gives the right value"
_WIDE = "softmax is right for logits up to 10000"
_LSE = "logsumexp gives the right value"
_LOG = "log_softmax gives the right value"
_LOG_WIDE = "log_softmax is right for logits up to 10000"
_GRADIENT = "softmax_backward is the gradient of its own forward"
_LOG_GRADIENT = "log_softmax_backward is the gradient of its own forward"

_LOGS = "log_softmax log_softmax_forward cross_entropy_forward"
_BACK, _LOG_BACK = "softmax_backward", "log_softmax_backward"

_z_max = partial(edit, "shifted_exponentials", "np.max(z, axis=axis, keepdims=True)")
_d = partial(edit, "shifted_exponentials", "z - z_max")
_e_sum = partial(edit, "shifted_exponentials", "np.sum(e, axis=axis, keepdims=True)")
_lse = partial(edit, "logsumexp", "z_max + np.log(e_sum)")
_squeezed = partial(edit, "logsumexp", "np.squeeze(lse, axis=axis)")
_p = partial(edit, "softmax softmax_forward", "e / e_sum")
_log_p = partial(edit, _LOGS, "d - np.log(e_sum)")
_log_sum = partial(edit, f"{_LOGS} logsumexp", "np.log(e_sum)")
_dz = partial(edit, _BACK, "p * (dp - weighted)")
_log_dz = partial(edit, _LOG_BACK, "dlog_p - p * total")

_ZERO = "0 * np.max(z, axis=axis, keepdims=True)"
_CLIPPED = "np.clip(e / e_sum, eps, 1 - eps)"
_AXES = (0, 1, -1)

MISTAKES = (
    # ------------------------------------------------------------- shifted_exponentials
    mistake("no shift", "exp(z) without the shift: it overflows for z > 709", _WIDE,
            _z_max(_ZERO)),
    mistake("max over the whole batch",
            "the largest logit of the whole batch is subtracted, not that of each row",
            _WIDE,
            _z_max("np.max(z, keepdims=True)")),
    mistake("max(0, max)", "the shift is max(0, max z): logits far below 0 underflow",
            _WIDE,
            _z_max("np.maximum(np.max(z, axis=axis, keepdims=True), 0)")),
    mistake("a shift that is not the max",
            "what is subtracted from the logits is not the largest of each row", _WIDE,
            _z_max("np.mean(z, axis=axis, keepdims=True)"),
            _z_max("np.min(z, axis=axis, keepdims=True)"),
            _z_max("np.max(np.abs(z), axis=axis, keepdims=True)")),
    mistake("clipped", "the logits are cut off before exp", _WIDE,
            (_d("np.clip(z, -bound, bound)", bound=POSITIVE), _z_max(_ZERO)),
            _d("np.maximum(z - z_max, -bound)", bound=POSITIVE)),
    mistake("powers of two", "powers of 2 instead of powers of e", _VALUE,
            edit("shifted_exponentials", "np.exp(d)", "np.exp2(d)")),
    mistake("wrong axis", "the sum runs along the wrong axis", _VALUE,
            _e_sum("np.sum(e, axis=fixed, keepdims=True)", fixed=_AXES),
            _e_sum("np.sum(e, axis=axis - 1, keepdims=True)"),
            _z_max("np.max(z, axis=fixed, keepdims=True)", fixed=_AXES),
            (_e_sum("np.sum(e, axis=fixed, keepdims=True)", fixed=_AXES),
             _z_max("np.max(z, axis=fixed, keepdims=True)"),
             _squeezed("np.squeeze(lse, axis=fixed)")),
            (_e_sum("np.sum(e, axis=axis - 1, keepdims=True)"),
             _z_max("np.max(z, axis=axis - 1, keepdims=True)"),
             _squeezed("np.squeeze(lse, axis=axis - 1)"))),
    mistake("sum over everything",
            "the sum runs over the whole batch, not over each row", _VALUE,
            _e_sum("np.sum(e, keepdims=True)"),
            (_e_sum("np.sum(e, keepdims=True)"), _z_max("np.max(z, keepdims=True)"))),
    mistake("mean, not sum", "the mean of the exponentials is taken, not their sum",
            _LSE,
            _e_sum("np.mean(e, axis=axis, keepdims=True)")),
    mistake("shift in the numerator only",
            "the exponentials that are summed are not shifted", _VALUE,
            _e_sum("np.sum(np.exp(z), axis=axis, keepdims=True)")),
    # ------------------------------------------------------------------------ logsumexp
    mistake("shift not added back",
            "the shift is subtracted inside the exp, but not added again outside", _LSE,
            _lse("np.log(e_sum)")),
    # -------------------------------------------------------------------------- softmax
    mistake("not normalised", "the exponentials are not divided by their sum", _VALUE,
            _p("e"),
            _p("np.exp(z)")),
    mistake("eps in the denominator",
            "a small number is added to the sum of the exponentials", _VALUE,
            _p("e / (e_sum + eps)", eps=POSITIVE),
            _log_p("np.log(e / (e_sum + eps))", eps=POSITIVE)),
    mistake("clipped", "the probabilities are cut off", _VALUE,
            _p(_CLIPPED, eps=POSITIVE),
            _p("np.maximum(e / e_sum, eps)", eps=POSITIVE),
            _log_p(f"np.log({_CLIPPED})", eps=POSITIVE),
            _log_p("np.log(np.maximum(e / e_sum, eps))", eps=POSITIVE),
            edit(_LOG_BACK, "e / e_sum", _CLIPPED, eps=POSITIVE)),
    mistake("logarithm", "this is log_softmax, not softmax", _VALUE,
            _p("d - np.log(e_sum)"),
            _p("np.log(e / e_sum)")),
    mistake("// for /", "// rounds down to a whole number", _VALUE,
            _p("e // e_sum")),
    # ---------------------------------------------------------------------- log_softmax
    mistake("log of softmax",
            "the logarithm is taken of softmax, whose small entries have become 0",
            _LOG_WIDE,
            _log_p("np.log(e / e_sum)")),
    mistake("eps in the logarithm", "a small number is added inside the logarithm",
            _LOG,
            _log_p("np.log(e / e_sum + eps)", eps=POSITIVE),
            _log_sum("np.log(e_sum + eps)", eps=POSITIVE)),
    mistake("shift in one place only",
            "the shift is inside the sum but not taken off the logits themselves", _LOG,
            _log_p("z - np.log(e_sum)"),
            _p("np.exp(z) / e_sum")),
    mistake("another base", "the logarithm is to base 2 or 10, not e", _LOG,
            _log_sum("np.log(e_sum) / np.log(base)", base=(2, 10)),
            _log_p("(d - np.log(e_sum)) / np.log(base)", base=(2, 10)),
            _lse("(z_max + np.log(e_sum)) / np.log(base)", base=(2, 10))),
    mistake("no logarithm", "these are the probabilities, without their logarithm",
            _LOG,
            _log_p("e / e_sum"),
            (edit("cross_entropy_forward", "d - np.log(e_sum)", "e / e_sum"),
             edit("cross_entropy_forward", "-np.mean", "np.mean"))),
    # ----------------------------------------------------------------- softmax_backward
    mistake("wrong axis", "the sum runs over the batch, not over each row", _GRADIENT,
            edit(f"{_BACK} {_LOG_BACK}", "axis=1", "axis=0")),
    mistake("sum over everything",
            "the sum runs over the whole batch, not over each row", _GRADIENT,
            edit(f"{_BACK} {_LOG_BACK}", "axis=1", "axis=None")),
    mistake("dp not weighted", "the row's sum is of dp, not of p dp", _GRADIENT,
            edit(_BACK, "dp * p,", "dp,")),
    mistake("first row's p",
            "the probabilities of the first row are used for every row", _GRADIENT,
            (edit(_BACK, "dp * p,", "dp * p[:1],"), _dz("p[:1] * (dp - weighted)"))),
    mistake("diagonal only", "only the diagonal p (1 - p) of the Jacobian is used",
            _GRADIENT,
            _dz("p * (1 - p) * dp")),
    mistake("row sum missing", "the sum over the row, sum_j p_j dp_j, is missing",
            _GRADIENT,
            _dz("p * dp")),
    mistake("factor p missing", "the factor p before the bracket is missing", _GRADIENT,
            _dz("dp - weighted")),
    mistake("factor p twice", "the sum over the row is multiplied by p twice",
            _GRADIENT,
            _dz("p * (dp - p * weighted)")),
    mistake("dp returned", "dp comes back as it went in", _GRADIENT,
            _dz("dp + 0")),
    # ------------------------------------------------------------- log_softmax_backward
    mistake("mean, not sum", "the mean of the row is taken, not its sum", _LOG_GRADIENT,
            edit(_LOG_BACK, "np.sum(", "np.mean(")),
    mistake("row sum missing", "the sum over the row, sum_j dlog_p_j, is missing",
            _LOG_GRADIENT,
            _log_dz("dlog_p - p"),
            _log_dz("dlog_p - p * dlog_p")),
    mistake("log p for p", "log p is used where p belongs", _LOG_GRADIENT,
            _log_dz("dlog_p - log_p * total")),
    mistake("softmax part missing", "the part - p sum_j dlog_p_j is missing",
            _LOG_GRADIENT,
            _log_dz("dlog_p + 0")),
)  # fmt: skip
