"""Mistakes in softmax, its logarithm and logsumexp, as edits of the page.

All of them, and the loss, run `shifted_exponentials`: an edit there is for them all.
"""

from functools import partial

from npsoftmax.checks.edits import POSITIVE, edit, mistake
from npsoftmax.checks.generic import OWN, VALUE

_value = partial(mistake, f"softmax {VALUE}")
_wide = partial(mistake, "softmax is right for logits up to 10000")
_lse_value = partial(mistake, f"logsumexp {VALUE}")
_log_value = partial(mistake, f"log_softmax {VALUE}")
_log_wide = partial(mistake, "log_softmax is right for logits up to 10000")
_gradient = partial(mistake, f"softmax_backward {OWN}")
_log_gradient = partial(mistake, f"log_softmax_backward {OWN}")

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
    _wide("no shift", "exp(z) without the shift: it overflows for z > 709",
            _z_max(_ZERO)),
    _wide("max over the whole batch",
            "the largest logit of the whole batch is subtracted, not that of each row",
            _z_max("np.max(z, keepdims=True)")),
    _wide("max(0, max)", "the shift is max(0, max z): logits far below 0 underflow",
            _z_max("np.maximum(np.max(z, axis=axis, keepdims=True), 0)")),
    _wide("a shift that is not the max",
            "what is subtracted from the logits is not the largest of each row",
            _z_max("np.mean(z, axis=axis, keepdims=True)"),
            _z_max("np.min(z, axis=axis, keepdims=True)"),
            _z_max("np.max(np.abs(z), axis=axis, keepdims=True)")),
    _wide("clipped", "the logits are cut off before exp",
            (_d("np.clip(z, -bound, bound)", bound=POSITIVE), _z_max(_ZERO)),
            _d("np.maximum(z - z_max, -bound)", bound=POSITIVE)),
    _value("powers of two", "powers of 2 instead of powers of e",
            edit("shifted_exponentials", "np.exp(d)", "np.exp2(d)")),
    _value("wrong axis", "the sum runs along the wrong axis",
            _e_sum("np.sum(e, axis=fixed, keepdims=True)", fixed=_AXES),
            _e_sum("np.sum(e, axis=axis - 1, keepdims=True)"),
            _z_max("np.max(z, axis=fixed, keepdims=True)", fixed=_AXES),
            (_e_sum("np.sum(e, axis=fixed, keepdims=True)", fixed=_AXES),
             _z_max("np.max(z, axis=fixed, keepdims=True)"),
             _squeezed("np.squeeze(lse, axis=fixed)")),
            (_e_sum("np.sum(e, axis=axis - 1, keepdims=True)"),
             _z_max("np.max(z, axis=axis - 1, keepdims=True)"),
             _squeezed("np.squeeze(lse, axis=axis - 1)"))),
    _value("sum over everything",
            "the sum runs over the whole batch, not over each row",
            _e_sum("np.sum(e, keepdims=True)"),
            (_e_sum("np.sum(e, keepdims=True)"), _z_max("np.max(z, keepdims=True)"))),
    _lse_value("mean, not sum", "the mean of the exponentials is taken, not their sum",
            _e_sum("np.mean(e, axis=axis, keepdims=True)")),
    _value("shift in the numerator only",
            "the exponentials that are summed are not shifted",
            _e_sum("np.sum(np.exp(z), axis=axis, keepdims=True)")),
    # ------------------------------------------------------------------------ logsumexp
    _lse_value("shift not added back",
            "the shift is subtracted inside the exp, but not added again outside",
            _lse("np.log(e_sum)")),
    # -------------------------------------------------------------------------- softmax
    _value("not normalised", "the exponentials are not divided by their sum",
            _p("e"),
            _p("np.exp(z)")),
    _value("eps in the denominator",
            "a small number is added to the sum of the exponentials",
            _p("e / (e_sum + eps)", eps=POSITIVE),
            _log_p("np.log(e / (e_sum + eps))", eps=POSITIVE)),
    _value("clipped", "the probabilities are cut off",
            _p(_CLIPPED, eps=POSITIVE),
            _p("np.maximum(e / e_sum, eps)", eps=POSITIVE),
            _log_p(f"np.log({_CLIPPED})", eps=POSITIVE),
            _log_p("np.log(np.maximum(e / e_sum, eps))", eps=POSITIVE),
            edit(_LOG_BACK, "e / e_sum", _CLIPPED, eps=POSITIVE)),
    _value("logarithm", "this is log_softmax, not softmax",
            _p("d - np.log(e_sum)"),
            _p("np.log(e / e_sum)")),
    _value("// for /", "// rounds down to a whole number",
            _p("e // e_sum")),
    # ---------------------------------------------------------------------- log_softmax
    _log_wide("log of softmax",
            "the logarithm is taken of softmax, whose small entries have become 0",
            _log_p("np.log(e / e_sum)")),
    _log_value("eps in the logarithm", "a small number is added inside the logarithm",
            _log_p("np.log(e / e_sum + eps)", eps=POSITIVE),
            _log_sum("np.log(e_sum + eps)", eps=POSITIVE)),
    _log_value("shift in one place only",
            "the shift is inside the sum but not taken off the logits themselves",
            _log_p("z - np.log(e_sum)"),
            _p("np.exp(z) / e_sum")),
    _log_value("another base", "the logarithm is to base 2 or 10, not e",
            _log_sum("np.log(e_sum) / np.log(base)", base=(2, 10)),
            _log_p("(d - np.log(e_sum)) / np.log(base)", base=(2, 10)),
            _lse("(z_max + np.log(e_sum)) / np.log(base)", base=(2, 10))),
    _log_value("no logarithm", "these are the probabilities, without their logarithm",
            _log_p("e / e_sum"),
            (edit("cross_entropy_forward", "d - np.log(e_sum)", "e / e_sum"),
             edit("cross_entropy_forward", "-np.mean", "np.mean"))),
    # ----------------------------------------------------------------- softmax_backward
    _gradient("wrong axis", "the sum runs over the batch, not over each row",
            edit(f"{_BACK} {_LOG_BACK}", "axis=1", "axis=0")),
    _gradient("sum over everything",
            "the sum runs over the whole batch, not over each row",
            edit(f"{_BACK} {_LOG_BACK}", "axis=1", "axis=None")),
    _gradient("dp not weighted", "the row's sum is of dp, not of p dp",
            edit(_BACK, "dp * p,", "dp,")),
    _gradient("first row's p",
            "the probabilities of the first row are used for every row",
            (edit(_BACK, "dp * p,", "dp * p[:1],"), _dz("p[:1] * (dp - weighted)"))),
    _gradient("diagonal only", "only the diagonal p (1 - p) of the Jacobian is used",
            _dz("p * (1 - p) * dp")),
    _gradient("row sum missing", "the sum over the row, sum_j p_j dp_j, is missing",
            _dz("p * dp")),
    _gradient("factor p missing", "the factor p before the bracket is missing",
            _dz("dp - weighted")),
    _gradient("factor p twice", "the sum over the row is multiplied by p twice",
            _dz("p * (dp - p * weighted)")),
    _gradient("dp returned", "dp comes back as it went in",
            _dz("dp + 0")),
    # ------------------------------------------------------------- log_softmax_backward
    _log_gradient("mean, not sum", "the mean of the row is taken, not its sum",
            edit(_LOG_BACK, "np.sum(", "np.mean(")),
    _log_gradient("row sum missing", "the sum over the row, sum_j dlog_p_j, is missing",
            _log_dz("dlog_p - p"),
            _log_dz("dlog_p - p * dlog_p")),
    _log_gradient("log p for p", "log p is used where p belongs",
            _log_dz("dlog_p - log_p * total")),
    _log_gradient("softmax part missing", "the part - p sum_j dlog_p_j is missing",
            _log_dz("dlog_p + 0")),
)  # fmt: skip
