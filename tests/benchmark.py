"""How right and how fast it is: `python tests/benchmark.py` measures, and writes the
tables of benchmark.md anew; the words between them stay.

Everything that is compared runs in one process with one thread, in turns (a, b, c, a,
b, c, ...), and what is reported is the fastest turn, in time of the processor, which
stands still while others run: ratios hold where seconds drift. SciPy and PyTorch, from
the extra `benchmark`, are measured beside when they are installed.
"""

import functools
import importlib
import os
import platform
import re
import statistics
import subprocess
import sys
import time
import timeit
import warnings
from pathlib import Path

os.environ |= dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)  # before NumPy is loaded

import exact
import numpy as np
from gradient_cases import CASES
from tables import table

import npsoftmax as nps
from npsoftmax.data import load_digits
from npsoftmax.gradcheck import check_gradients
from npsoftmax.training import Settings, train

PAGE = Path(__file__).with_name("benchmark.md")
TURNS = 15
BOTH = nps.textbook, nps


def main():
    tables = [
        whole_processes,  # first: a large parent would count as theirs
        accuracy, costs, steps, softmaxes, epochs, checks, hard_cases, growth,
    ]  # fmt: skip
    page = PAGE.read_text(encoding="utf-8")
    for table_of in tables:
        titles, *rows = table_of()
        lines = "\n".join([f"### {table_of.__doc__}", "", *table(titles, rows), ""])
        old = rf"^### {re.escape(table_of.__doc__)}\n\n(\|.*\n)+"
        page = re.sub(old, lambda _, new=lines: new, page, count=1, flags=re.MULTILINE)
    page = re.sub("^Measured with .*$", measured(), page, flags=re.MULTILINE)
    PAGE.write_text(page, encoding="utf-8")


def measured():
    """Return in words what was measured on."""
    parts = [f"Measured with Python {platform.python_version()}"]
    for name in ("numpy", "scipy", "torch"):
        module = optional(name)
        parts += [f"{name} {module.__version__}" if module else f"no {name}"]
    return f"{', '.join(parts)}, on {platform.machine()}, {os.cpu_count()} cores."


# The tables: each function has its heading, and yields the titles and then the rows


def whole_processes():
    """Whole processes"""
    imports = [[], []]
    for _ in range(TURNS):
        for seconds, module in zip(imports, ("npsoftmax", "numpy"), strict=True):
            began = time.perf_counter()
            printed_by(f"import {module}")
            seconds.append(time.perf_counter() - began)
    ours, theirs = map(statistics.median, imports)
    peak = float(printed_by(PEAK_OF_A_TRAINING_RUN))
    yield "what", "figure"
    yield "`import npsoftmax` / `import numpy`", ratio(ours, theirs)
    yield "peak memory, training on 60,000 x 784 float32 / data", f"{peak:.2f}"


def printed_by(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


PEAK_OF_A_TRAINING_RUN = """
import pathlib, resource, tempfile
import numpy as np
from npsoftmax.data import load
from npsoftmax.training import Settings, train

with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "noise.npz")
    rng = np.random.default_rng(0)
    parts = {}
    for part, N in (("train", 60000), ("test", 10000)):
        parts[f"x_{part}"] = rng.integers(0, 256, (N, 28, 28), np.uint8)
        parts[f"y_{part}"] = rng.integers(0, 10, N, np.uint8)
    np.savez(path, **parts)
    del parts
    data, _ = load(path)
    next(train(data.x_train, data.y_train, 4, 0, Settings(epochs=1, batch=256)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(peak / (data.x_train.nbytes + data.x_test.nbytes))
"""


def accuracy():
    """The largest error, in ULP"""
    z = 300 * np.random.default_rng(0).uniform(-1, 1, (20, 10))
    y = z.argmax(axis=1)  # right, and confident
    rows, of = z.tolist(), "20 rows of 10 logits from -300 to 300"
    loss = [exact.cross_entropy(rows, y)]
    dz = exact.cross_entropy_gradient(rows, y)
    yield "what", "of", "the page", "npsoftmax"
    for name in ("softmax", "log_softmax"):
        right = list(map(getattr(exact, name), rows))
        yield name, of, *errors([getattr(library, name)(z) for library in BOTH], right)
    both = [forward_and_backward(library, "cross_entropy", (z, y)) for library in BOTH]
    yield "cross-entropy", f"{of}, all right", *errors([t for t, _ in both], loss)
    yield "its gradient", f"{of}, all right", *errors([d for _, d in both], dz)
    W, y = np.array([[2.0], [1.0]]), np.array([0])
    for size in (1e-200, 1.0, 1e200):
        x = size * np.array([[3.0, 4.0]])
        right, _ = exact.lsoftmax_gradient(x, W, y, 4, 0.0, [[1.0]])
        found = [
            forward_and_backward(library, "lsoftmax", (x, W, y, 4), np.ones((1, 1)))
            for library in BOTH
        ]
        of = f"features of length {5 * size:g}"
        yield "dx of L-Softmax, m = 4", of, *errors([d[0] for _, d in found], right)


@np.errstate(all="ignore")
def forward_and_backward(library, name, inputs, d=1.0):
    output, cache = getattr(library, f"{name}_forward")(*inputs)
    return output, getattr(library, f"{name}_backward")(d, cache)


def errors(values, right):
    found = [exact.ulps(value, right) for value in values]
    return ["no digit right" if ulps > 1e15 else f"{ulps:.2g}" for ulps in found]


def costs():
    """What it costs: forward and backward, float64, microseconds"""
    rng = np.random.default_rng(0)
    yield "layer", "shape", "the page", "npsoftmax", "npsoftmax / page"
    cases = []
    for N, C in ((64, 10), (1000, 1000)):
        z, y = rng.normal(scale=10, size=(N, C)), rng.integers(0, C, N)
        dp = rng.normal(size=(N, C))
        cases.append(("softmax", "softmax", f"{N}, {C}", (z,), dp))
        cases.append(("cross_entropy", "cross_entropy", f"{N}, {C}", (z, y), 1.0))
    for N, D, C in ((64, 2, 10), (256, 512, 1000)):
        x, W = rng.normal(size=(N, D)), rng.normal(size=(D, C))
        inputs, dz = (x, W, rng.integers(0, C, N), 4), rng.normal(size=(N, C))
        cases.append(("L-Softmax, m = 4", "lsoftmax", f"{N}, {D} -> {C}", inputs, dz))
    for words, name, shape, inputs, d in cases:
        page, ours = in_turns(
            *(
                functools.partial(forward_and_backward, library, name, inputs, d)
                for library in BOTH
            )
        )
        yield words, shape, *microseconds(page, ours), ratio(ours, page)


def steps():
    """A training step of the head, float32, m = 4, microseconds"""
    yield "N, D -> C", "L-Softmax", "plain", "PyTorch plain", "/ PyTorch", "/ plain"
    for N, D, C in [(256, 2, 10), (256, 512, 10), (256, 512, 1000)]:
        x, W, y = drawn(N, D, C)
        margin = step(nps.lsoftmax_forward, nps.lsoftmax_backward, y, x, W, y, 4)
        plain = step(nps.linear_forward, nps.linear_backward, y, x, W)
        ours, plain, theirs = in_turns(margin, plain, torch_step(x, C, y))
        yield (
            f"{N}, {D} -> {C}", *microseconds(ours, plain, theirs),
            ratio(ours, theirs), ratio(ours, plain),
        )  # fmt: skip


def drawn(N, D, C):
    """Return x, W, y in float32, whose logits are of about 1: no dz is subnormal."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, D)).astype(np.float32)
    W = (rng.normal(size=(D, C)) / np.sqrt(D)).astype(np.float32)
    return x, W, rng.integers(0, C, N)


def step(forward, backward, y, *inputs):
    """Return a step: a head and cross-entropy, forward and backward."""

    def head_and_loss():
        z, layer = forward(*inputs)
        _, loss = nps.cross_entropy_forward(z, y)
        return backward(nps.cross_entropy_backward(1.0, loss), layer)

    return head_and_loss


def softmaxes():
    """Softmax beside SciPy's, float64, microseconds"""
    special = optional("scipy.special")
    yield "function", "shape", "npsoftmax", "SciPy", "ratio"
    for shape in [(64, 10), (1000, 1000)]:
        z = np.random.default_rng(0).normal(scale=10, size=shape)
        for name in ("softmax", "log_softmax", "logsumexp"):
            both = [
                library and functools.partial(getattr(library, name), z, axis=-1)
                for library in (nps, special)
            ]
            seconds = in_turns(*both)
            yield name, shape, *microseconds(*seconds), ratio(*seconds)


def epochs():
    """One epoch of the tiny MLP on the digits, batches of 64, milliseconds"""
    x, y, _, _ = load_digits()
    yield "the same head in both", "npsoftmax", "PyTorch eager", "PyTorch / npsoftmax"
    for m, head in ((1, "softmax, m = 1"), (4, "L-Softmax, m = 4")):
        run = train(x, y, m, seed=0, settings=Settings(epochs=10**6))
        ours, theirs = in_turns(functools.partial(next, run), torch_epoch(x, y, m))
        yield head, *milliseconds(ours, theirs), ratio(theirs, ours)


def checks():
    """A gradient check of L-Softmax, 64 entries, float64, milliseconds"""
    rng = np.random.default_rng(0)
    x, W, y = rng.normal(size=(8, 4)), rng.normal(size=(4, 8)), rng.integers(0, 8, 8)

    def ours():
        forward = lambda x, W: nps.lsoftmax_forward(x, W, y, 4)  # noqa: E731
        assert check_gradients(forward, nps.lsoftmax_backward, (x, W))

    seconds = in_turns(ours, torch_check(x, W, y))
    yield "check_gradients", "torch.autograd.gradcheck", "ratio"
    yield *milliseconds(*seconds), ratio(*seconds)


def hard_cases():
    """What checkers say of the gradients of tests/gradient_cases.py"""
    # check_gradients alone may say that it cannot tell.
    checkers = {
        "check_gradients": lambda case: case.report().verdict,
        "torch.autograd.gradcheck": optional("torch") and torch_verdict,
        "scipy.optimize.check_grad": optional("scipy.optimize") and scipy_verdict,
    }
    asked = [(True, "right"), (True, "wrong"), (False, "wrong"), (False, "right")]
    yield "checker", *(f"{'right' if is_right else 'wrong'} called {said}"
                       for is_right, said in asked)  # fmt: skip
    for name, verdict in checkers.items():
        if verdict:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                said = [(case.right, verdict(case)) for case in CASES]
            yield name, *map(said.count, asked)


def growth():
    """How a step's time grows when one size doubles, (1024, 256 -> 256), m = 4"""
    base = {"N": 1024, "D": 256, "C": 256, "m": 4}

    def margin_step(m, **sizes):
        x, W, y = drawn(**sizes)
        return step(nps.lsoftmax_forward, nps.lsoftmax_backward, y, x, W, y, m)

    yield "doubled", "time, as a ratio"
    for name, size in base.items():
        twice, once = in_turns(
            margin_step(**base | {name: 2 * size}), margin_step(**base)
        )
        yield f"{name} = {size} -> {2 * size}", ratio(twice, once)


# PyTorch and SciPy


@functools.cache
def optional(name):
    """Return the module, with one thread, or None where it is not installed."""
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    if name == "torch":
        module.set_num_threads(1)
    return module


def torch_step(x, C, y):
    """Return PyTorch's linear and cross-entropy, forward and backward, or None."""
    if not (torch := optional("torch")):
        return None
    layer = torch.nn.Linear(x.shape[1], C, bias=False)
    x, y = torch.tensor(x, requires_grad=True), torch.tensor(y)

    def step():
        x.grad = layer.weight.grad = None
        torch.nn.functional.cross_entropy(layer(x), y).backward()

    return step


def torch_epoch(x, y, m, batch=64):
    """Return an epoch of the same network and optimiser in PyTorch, or None."""
    if not (torch := optional("torch")):
        return None
    nn = torch.nn
    body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(),
                         nn.Linear(64, 2))  # fmt: skip
    W = nn.Parameter(torch.randn(2, 10))
    sgd = torch.optim.SGD([*body.parameters(), W], 0.04, 0.9, weight_decay=5e-4)
    x, y = torch.tensor(x), torch.tensor(y)

    def epoch():
        for rows in torch.randperm(len(y)).split(batch):
            sgd.zero_grad()
            f = body(x[rows])
            z = f @ W if m == 1 else torch_lsoftmax(f, W, y[rows], lam=3.0)
            nn.functional.cross_entropy(z, y[rows]).backward()
            sgd.step()

    return epoch


def torch_lsoftmax(x, W, y, lam):
    """Return the logits of L-Softmax, m = 4, as one writes them in PyTorch."""
    z, length = x @ W, x.norm(dim=1) * W.norm(dim=0)[y]
    rows = optional("torch").arange(len(y))
    c = z[rows, y] / length
    k = sum((c < knot).to(c) for knot in (0.5**0.5, 0.0, -(0.5**0.5)))
    psi = (1 - 2 * (k % 2)) * (8 * c**4 - 8 * c**2 + 1) - 2 * k
    return z.index_put((rows, y), length * (lam * c + psi) / (1 + lam))


def torch_check(x, W, y):
    """Return PyTorch's own check of L-Softmax, m = 4, or None."""
    if not (torch := optional("torch")):
        return None
    inputs = [torch.tensor(a, requires_grad=True) for a in (x, W)]
    logits = functools.partial(torch_lsoftmax, y=torch.tensor(y), lam=0.0)
    return functools.partial(torch.autograd.gradcheck, logits, inputs)


def torch_verdict(case):
    """Return what PyTorch's check says of a case, with its own defaults."""
    torch = optional("torch")
    forward, backward = case.pair()

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *tensors):
            output, ctx.cache = forward(*(t.detach().numpy() for t in tensors))
            return torch.tensor(output, dtype=torch.float64)

        @staticmethod
        def backward(ctx, d_output):
            found = backward(d_output.numpy(), ctx.cache)
            found = found if isinstance(found, tuple) else (found,)
            return tuple(torch.tensor(g, dtype=torch.float64) for g in found)

    tensors = [torch.tensor(a, requires_grad=True) for a in arrays_of(case)]
    try:
        return "right" if torch.autograd.gradcheck(Function.apply, tensors) else ""
    except Exception:
        return "wrong"


def scipy_verdict(case, close=1e-5):
    """Return what SciPy's check says of a case: it gives a distance, which is called
    right up to a part `close` of the gradient, or of 1, whichever is larger.
    """
    (forward, backward), arrays = case.pair(), arrays_of(case)
    cuts = np.cumsum([a.size for a in arrays])[:-1]
    output, _ = case.pair()[0](*arrays)
    cotangent = np.random.default_rng(0).uniform(1, 2, np.shape(output))

    def run(x):
        parts = zip(np.split(x, cuts), arrays, strict=True)
        return forward(*(part.reshape(a.shape) for part, a in parts))

    def value(x):
        return float(np.sum(cotangent * run(x)[0]))

    def gradient(x):
        found = backward(cotangent, run(x)[1])
        found = found if isinstance(found, tuple) else (found,)
        return np.concatenate([np.ravel(g).astype(float) for g in found])

    x = np.concatenate([a.ravel() for a in arrays])
    size = max(1.0, float(np.linalg.norm(gradient(x))))
    distance = optional("scipy.optimize").check_grad(value, gradient, x)
    return "right" if distance <= close * size else "wrong"


def arrays_of(case):
    inputs = case.inputs if isinstance(case.inputs, tuple) else (case.inputs,)
    return [np.array(a, dtype=np.float64) for a in inputs]


# Time


def in_turns(*functions):
    """Return the least seconds of each function, None for None, run in turns."""
    timers = [f and timeit.Timer(f, timer=time.process_time) for f in functions]
    calls = [timer and calls_of(timer, seconds=0.02) for timer in timers]
    turns = [
        [timer and timer.timeit(n) / n for timer, n in zip(timers, calls, strict=True)]
        for _ in range(TURNS)
    ]
    return [min(each) if each[0] else None for each in zip(*turns, strict=True)]


def calls_of(timer, seconds):
    """Return how many calls take about so many seconds; warms the function up."""
    timer.timeit(1)
    return max(1, round(seconds / max(timer.timeit(1), 1e-6)))


def microseconds(*seconds):
    return [s and f"{s * 1e6:.0f}" for s in seconds]


def milliseconds(*seconds):
    return [s and f"{s * 1e3:.1f}" for s in seconds]


def ratio(a, b):
    return f"{a / b:.2f}" if a and b else None


if __name__ == "__main__":
    main()
