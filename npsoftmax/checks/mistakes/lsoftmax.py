"""Mistakes in L-Softmax, as edits of the page. Those in psi, which it runs, are in
psi.py.
"""

from functools import partial

from npsoftmax.checks.edits import POSITIVE, edit, mistake, one_or_both
from npsoftmax.checks.generic import OWN, TYPES, VALUE

_call = partial(mistake, "lsoftmax_forward can be called")
_value = partial(mistake, f"lsoftmax_forward {VALUE}")
_any_norm = partial(
    mistake, "lsoftmax_forward is right for any norm and for zero vectors"
)
_gradient = partial(mistake, f"lsoftmax_backward {OWN}")
_x_dx = partial(mistake, "lsoftmax_backward has x dx equal to z dz")
_w_dw = partial(mistake, "lsoftmax_backward has W dW equal to z dz")
_types = partial(mistake, f"lsoftmax_backward {TYPES}")

_X = "np.linalg.norm(x, axis=1, keepdims=True)"
_W = "np.linalg.norm(w, axis=1, keepdims=True)"
_forward = partial(edit, "lsoftmax_forward")
_x_norm, _w_norm = partial(_forward, _X), partial(_forward, _W)
_below_x = partial(_forward, "np.where(x_norm > 0, x_norm, 1)")
_below_w = partial(_forward, "np.where(w_norm > 0, w_norm, 1)")
_c = partial(_forward, "np.sum(x_hat * w_hat, axis=1, keepdims=True)")
_g = partial(_forward, "(lam * c + psi_y) / (1 + lam)")
_f_y = partial(_forward, "w_norm * x_norm * g")
_z = partial(_forward, "x @ W")
_z_y = partial(_forward, "z[np.arange(len(y)), y] = f_y[:, 0]")

_backward = partial(edit, "lsoftmax_backward")
_g_prime = partial(_backward, "(lam + dpsi_dc) / (1 + lam)")
_dpsi_dc = partial(_backward, "dpsi_dc =")
_df_dx = partial(_backward, "w_norm * (g * x_hat + g_prime * (w_hat - c * x_hat))")
_df_dw = partial(_backward, "x_norm * (g * w_hat + g_prime * (x_hat - c * w_hat))")
_others = partial(_backward, "dz * ~onehot")
_dx = partial(_backward, "dz_others @ W.T + dz_y * df_dx")
_dW = partial(_backward, "x.T @ dz_others + (dz_y * df_dw).T @ onehot")

_X_W = "np.sum(x * w, axis=1, keepdims=True)"
_EVERY_CLASS = """x @ W
    sizes = x_norm * np.linalg.norm(W, axis=0)
    cosines = z / np.where(sizes > 0, sizes, 1)
    z = sizes * (lam * cosines + psi_forward(cosines, m)[0]) / (1 + lam)"""
_GATHERED = "x.T @ dz_others; np.add.at(dW.T, y, dz_y * df_dw)"
_KEPT_ONCE = """x.T @ dz_others
    dW[:, y] += (dz_y * df_dw).T"""

MISTAKES = (
    # --------------------------------------------------------- the norms and cos(theta)
    _value("eps in the norm", "a small number is added to a norm",
            *one_or_both(_x_norm(f"{_X} + eps", eps=POSITIVE),
                         _w_norm(f"{_W} + eps", eps=POSITIVE)),
            *one_or_both(_x_norm(f"np.sqrt({_X}**2 + eps)", eps=POSITIVE),
                         _w_norm(f"np.sqrt({_W}**2 + eps)", eps=POSITIVE)),
            *one_or_both(_below_x("(x_norm + eps)", eps=POSITIVE),
                         _below_w("(w_norm + eps)", eps=POSITIVE)),
            _c(f"{_X_W} / (x_norm * w_norm + eps)", eps=POSITIVE),
            (_c(f"{_X_W} / (x_norm * w_norm + eps)"),
             _f_y("(w_norm * x_norm + eps) * g", eps=POSITIVE))),
    _any_norm("division by a norm of 0", "the vector 0 is divided by its norm, 0",
            *one_or_both(_below_x("x_norm"), _below_w("w_norm")),
            (_dpsi_dc("x_hat, w_hat = x / x_norm, w / w_norm; dpsi_dc ="),
             _dW(_GATHERED)),
            (_dpsi_dc("x_hat = x / x_norm; dpsi_dc ="), _dW(_GATHERED)),
            (_dpsi_dc("w_hat = w / w_norm; dpsi_dc ="), _dW(_GATHERED))),
    # --------------------------------------------------------------- the label's column
    _value("lam forgotten", "lam is not used",
            *one_or_both(_g("psi_y"), _g_prime("dpsi_dc"))),
    _value("1 + lam forgotten", "lam cos + psi is not divided by 1 + lam",
            _g("lam * c + psi_y"),
            _g_prime("lam + dpsi_dc")),
    _value("cos and psi change places", "lam multiplies psi, where it belongs to cos",
            _g("(c + lam * psi_y) / (1 + lam)"),
            _g_prime("(1 + lam * dpsi_dc) / (1 + lam)")),
    _value("norm of W_y forgotten", "the norm of W_y is missing in the label's column",
            _f_y("x_norm * g"),
            _df_dx("g * x_hat + g_prime * (w_hat - c * x_hat)")),
    _value("norm of x forgotten", "the norm of x is missing in the label's column",
            _f_y("w_norm * g"),
            _df_dw("g * w_hat + g_prime * (x_hat - c * w_hat)")),
    _call("wrong axis", "the norms are those of W's rows, but a class is a column",
            _f_y("np.linalg.norm(W, axis=1)[y, None] * x_norm * g")),
    # ---------------------------------------------------------------- the other columns
    _value("margin on every class",
            "the margin is on every class, not on the label's alone",
            _z(_EVERY_CLASS)),
    _value("lam/(1+lam) on the other classes",
            "the other classes are scaled by lam/(1 + lam)",
            _z("x @ W * lam / (1 + lam)"),
            _z("x @ W / (1 + lam)"),
            _others("dz * ~onehot * lam / (1 + lam)"),
            _others("dz * ~onehot / (1 + lam)")),
    _value("W normalised", "W is divided by its norms: |W_c| is lost",
            (_z("x @ (W / np.linalg.norm(W, axis=0))"), _f_y("x_norm * g")),
            _z("x @ (W / np.linalg.norm(W, axis=0))")),
    _value("one-hot in column y[0]",
            "every row takes the column of label y[0], not of its own label",
            _z_y("z[np.arange(len(y)), y[0]] = f_y[:, 0]")),
    _value("all labels' columns", "z[:, y] takes all the labels' columns in every row",
            _z_y("z[:, y] = f_y[:, 0]"),
            _z_y("z[:, y] = f_y")),
    # -------------------------------------------------------- the label's gradients (9)
    _x_dx("radial part missing in dx", "the radial part g x/|x| is missing in dx",
            _df_dx("w_norm * g_prime * (w_hat - c * x_hat)")),
    _gradient("tangential part missing in dx",
            "the tangential part g' (W_y/|W_y| - c x/|x|) is missing in dx",
            _df_dx("w_norm * g * x_hat")),
    _gradient("sign of the tangential part", "the tangential part has the wrong sign",
            _df_dx("w_norm * (g * x_hat - g_prime * (w_hat - c * x_hat))"),
            _df_dw("x_norm * (g * w_hat - g_prime * (x_hat - c * w_hat))")),
    _x_dx("projection forgotten",
            "the tangential part has no projection - c x/|x| (or - c W_y/|W_y|)",
            *one_or_both(_df_dx("w_norm * (g * x_hat + g_prime * w_hat)"),
                         _df_dw("x_norm * (g * w_hat + g_prime * x_hat)"))),
    _x_dx("x for x/|x|", "x (or W_y) stands where x/|x| (or W_y/|W_y|) belongs",
            _df_dx("w_norm * (g * x + g_prime * (w - c * x))"),
            _df_dw("x_norm * (g * w + g_prime * (x - c * w))"),
            _df_dx("w_norm * (g * x + g_prime * (w_hat - c * x_hat))"),
            _df_dw("x_norm * (g * w + g_prime * (x_hat - c * w_hat))")),
    _w_dw("radial part missing in dW", "the radial part g W_y/|W_y| is missing in dW",
            _df_dw("x_norm * g_prime * (x_hat - c * w_hat)")),
    _gradient("tangential part missing in dW",
            "the tangential part g' (x/|x| - c W_y/|W_y|) is missing in dW",
            _df_dw("x_norm * g * w_hat")),
    _w_dw("norms change places", "|x| and |W_y| change places",
            _df_dw("w_norm * (g * w_hat + g_prime * (x_hat - c * w_hat))"),
            _df_dx("x_norm * (g * x_hat + g_prime * (w_hat - c * x_hat))")),
    # ------------------------------------------------------------------------ dx and dW
    _x_dx("label's class twice",
            "the label's class counts twice: as a plain class and with its margin",
            _others("dz"),
            _dx("dz @ W.T + dz_y * df_dx"),
            _dW("x.T @ dz + (dz_y * df_dw).T @ onehot")),
    _x_dx("other classes missing", "the other classes' part is missing",
            _dx("dz_y * df_dx"),
            _dW("(dz_y * df_dw).T @ onehot")),
    _x_dx("label's class missing",
            "the label's class is missing: only the other classes are there",
            _dx("dz_others @ W.T"),
            _dW("x.T @ dz_others")),
    _x_dx("gradient of the plain product",
            "this is the gradient without a margin, dz W^T or x^T dz",
            *one_or_both(_dx("dz @ W.T"), _dW("x.T @ dz"))),
    _w_dw("repeated labels kept once",
            "dW[:, y] += ... keeps one of several rows with the same label",
            _dW(_KEPT_ONCE)),
    _w_dw("last row missing", "dW leaves out the last row",
            _dW("x.T @ dz_others + (dz_y * df_dw)[:-1].T @ onehot[:-1]")),
    _types("dW before dx", "dW comes before dx",
            _backward("return dx, dW", "return dW, dx")),
)  # fmt: skip
