"""Mistakes in psi and its slopes, as edits of the page. L-Softmax runs these lines."""

from functools import partial

from npsoftmax.checks.edits import POSITIVE, edit, mistake
from npsoftmax.checks.generic import OWN, VALUE

_value = partial(mistake, f"psi {VALUE}")
_prime = partial(mistake, f"psi_prime {VALUE}")
_cosine = partial(mistake, f"psi_forward {VALUE}")
_past_1 = partial(mistake, "psi_forward is right for a cosine rounded past 1")
_gradient = partial(mistake, f"psi_backward {OWN}")
_finite = partial(mistake, "psi_backward stays finite at every angle")

_floor = partial(edit, "piece", "np.floor(m * theta / np.pi)")
_k = partial(edit, "piece", "np.minimum(k, m - 1)")
_psi = partial(edit, "psi", "(-1.0) ** k * np.cos(m * theta) - 2 * k")
_psi_k = partial(edit, "psi", "piece(theta, m)")
_psi_2k = partial(edit, "psi", "- 2 * k")
_psi_cos = partial(edit, "psi", "np.cos(m * theta)")
_slope = partial(edit, "psi_prime", "-m * np.abs(np.sin(m * theta))")
_clip = partial(edit, "psi_forward", "np.clip(cos, -1, 1)")
_theta = partial(edit, "psi_forward", "np.arccos(c)")
_dpsi_dc = partial(edit, "psi_backward", "m * np.abs(U)")

_SIN = "m * np.abs(np.sin(m * theta))"
_COS = "np.sum(x_hat * w_hat, axis=1, keepdims=True)"
_QUOTIENT = "np.sum(x * w, 1, keepdims=True) / np.where(has_angle, x_norm * w_norm, 1)"
_OTHER_M = range(2, 9)

MISTAKES = (
    # ---------------------------------------------------------------------------- piece
    _value("k rounded", "k is rounded to the nearest piece, not down",
            _floor("np.round(m * theta / np.pi)"),
            (_floor("np.round(m * theta / np.pi)"), _k("k"))),
    _value("k always 0",
            "k is always 0: m theta goes into the cosine, but the pieces are missing",
            _floor("0 * theta")),
    _value("knots in the wrong places", "the knots are at k pi/(m+1) or k pi/(m-1)",
            _floor("np.floor((m + 1) * theta / np.pi)"),
            _floor("np.floor((m - 1) * theta / np.pi)"),
            (_floor("np.floor((m + 1) * theta / np.pi)"), _k("k"))),
    _value("pieces of a fixed width", "the pieces are as wide for every m",
            _floor("np.floor(fixed * theta / np.pi)", fixed=_OTHER_M),
            (_floor("np.floor(fixed * theta / np.pi)", fixed=_OTHER_M), _k("k"))),
    _value("last piece missing",
            "the last piece, k = m - 1, is missing: k stops one too early",
            _k("np.minimum(k, max(m - 2, 0))")),
    _value("only the first knot", "k stops at 1: the other knots are missing",
            _k("np.minimum(k, 1)")),
    _value("k one too large", "k is one too large: the first piece is k = 0",
            _k("np.minimum(k + 1, m - 1)"),
            _k("k + 1")),
    # ------------------------------------------------------------------------------ psi
    _value("sign (-1)^k missing", "the sign (-1)^k is missing",
            edit("psi", "(-1.0) ** k * ", "")),
    _value("-2k missing", "the - 2k is missing: the pieces are not hung on each other",
            _psi_2k("")),
    _value("k for 2k", "k is subtracted, not 2k",
            _psi_2k("- k")),
    _value("+2k", "2k is added, not subtracted",
            _psi_2k("+ 2 * k")),
    _value("cos^m", "this has cos(theta) to the power m, where cos(m theta) belongs",
            _psi("np.cos(theta) ** m"),
            _psi_cos("np.cos(theta) ** m")),
    _value("m cos", "this has m cos(theta), not cos(m theta)",
            _psi("m * np.cos(theta)"),
            _psi_cos("m * np.cos(theta)")),
    _value("m fixed", "m is fixed: the argument m is not used",
            (_psi_cos("np.cos(fixed * theta)", fixed=_OTHER_M),
             _psi_k("piece(theta, fixed)")),
            _slope("-fixed * np.abs(np.sin(fixed * theta))", fixed=_OTHER_M),
            (_dpsi_dc("fixed * np.abs(U)", fixed=_OTHER_M),
             edit("psi_forward", "chebyshev(c, m)", "chebyshev(c, fixed)"))),
    _value("degrees", "the angle is taken for degrees",
            (_psi_cos("np.cos(m * np.radians(theta))"),
             _psi_k("piece(np.radians(theta), m)")),
            _psi_cos("np.cos(m * np.radians(theta))")),
    _value("sin for cos", "sin(m theta) stands where cos(m theta) belongs",
            _psi_cos("np.sin(m * theta)")),
    _value("no margin", "this is the plain cosine: m = 1",
            _psi("np.cos(theta)")),
    # ------------------------------------------------ psi_prime, and psi_backward alike
    _prime("derivative by cos", "this is the derivative by cos(theta), not by theta",
            _slope(f"{_SIN} / np.sin(theta)"),
            _slope(f"{_SIN} / np.where(np.sin(theta) == 0, 1, np.sin(theta))")),
    _prime("cos for sin", "cos(m theta) stands where sin(m theta) belongs",
            _slope("-m * np.abs(np.cos(m * theta))"),
            _dpsi_dc("m * np.abs(np.cos(m * theta)) / np.sin(theta)")),
    _prime("k always 0",
            "the absolute value is missing in the slope: the sign (-1)^k of the pieces",
            _slope("-m * np.sin(m * theta)"),
            _dpsi_dc("m * U")),
    _prime("m forgotten", "the factor m, of the inner derivative, is missing",
            _slope("-np.abs(np.sin(m * theta))"),
            _dpsi_dc("np.abs(U)")),
    # ------------------------------------------------------------------------ chebyshev
    _gradient("U_m for U_{m-1}", "U_m is taken: the recurrence goes one step too far",
            edit("chebyshev", "range(m - 1)", "range(m)")),
    # ---------------------------------------------------------------------- psi_forward
    _past_1("arccos without a bound",
            "arccos without a bound: rounding makes a cosine larger than 1",
            _clip("cos"),
            (_clip("cos"), edit("lsoftmax_forward", _COS, _QUOTIENT))),
    _cosine("clipped", "the cosine is kept away from 1 and -1",
            _clip("np.clip(cos, eps - 1, 1 - eps)", eps=POSITIVE)),
    _cosine("cos for the angle", "the cosine is taken for the angle: arccos is missing",
            _theta("c"),
            (_theta("c"), _k("np.clip(k, 0, m - 1)"))),
    _cosine("degrees", "arccos is turned into degrees before the cosine",
            _theta("np.degrees(np.arccos(c))")),
    # --------------------------------------------------------------------- psi_backward
    _gradient("derivative by theta",
            "this is the derivative by theta, not by cos(theta)",
            _dpsi_dc(_SIN),
            _dpsi_dc(f"-{_SIN}")),
    _finite("division by sin(theta) = 0", "divided by sin(theta) = 0",
            _dpsi_dc(f"{_SIN} / np.sin(theta)"),
            _dpsi_dc(f"{_SIN} / np.sqrt(1 - c**2)")),
    _gradient("eps beside sin", "a small number is added to sin(theta)",
            _dpsi_dc(f"{_SIN} / (np.sin(theta) + eps)", eps=POSITIVE)),
    _gradient("dpsi forgotten", "dpsi is not multiplied in",
            edit("psi_backward", "dpsi * dpsi_dc", "dpsi_dc")),
)  # fmt: skip
