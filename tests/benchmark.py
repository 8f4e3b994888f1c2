"""How right and how fast it is: `python tests/benchmark.py` measures and writes a page.

Everything that is compared runs in one process with one thread, in turns (a, b, c, a,
b, c, ...), and what is reported is the fastest turn, in time of the processor, which
stands still while others run: ratios hold where seconds drift. SciPy and PyTorch, from
the extra `benchmark`, are measured beside when they are installed.
"""

import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time
import warnings

import exact

LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


INTRODUCTION = """\
# What the functions that train add to the page, and at what cost

The page, `npsoftmax/textbook.py`, is right on ordinary numbers. `npsoftmax.softmax` and
the others of the same names are right at every range, too. The first table says what
that means, with the page's error and theirs against exact decimals; the second, what it
costs; the others stand beside SciPy and PyTorch. Where the lines differ, and why, is in
the second part of notebook 1, at the end of notebook 5, and at the head of each module.
ULP: the distance from a float to the next one; half of one is the best there is.

Times are the fastest of runs in turns, on one thread, in time of the processor, which
stands still while other programs run. Read the ratios: the rest is one machine's.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=15, help="of each (default 15)")
    parser.add_argument("--threads", type=int, help="measure now, with so many threads")
    parser.add_argument("--out", type=pathlib.Path, help="a Markdown file to write")
    args = parser.parse_args()
    if args.threads:
        print("\n".join(report(args.threads, args.turns)))
        return
    processes = list(whole_processes())  # first: a large parent would count as theirs
    page = [INTRODUCTION, f"Measured {machine()}.", "", *accuracy(), ""]
    command = [sys.executable, __file__, "--threads=1", f"--turns={args.turns}"]
    env = os.environ | dict.fromkeys(LIBRARIES, "1")
    page += in_process(command, env).splitlines()
    page += [*processes]
    text = "\n".join(page) + "\n"
    if args.out:
        args.out.write_text(text)
    print(text, end="")


def report(threads, turns):
    """Yield the tables of one process with so many threads."""
    for table in (costs, steps, softmaxes, epochs, checks, hard_cases, growth):
        yield from [f"### {table.__doc__}", ""]
        yield from table(threads, turns)
        yield ""


def accuracy():
    """Yield the table of the page's errors and those of the functions that train."""
    import numpy as np

    z = 300 * np.random.default_rng(0).uniform(-1, 1, (20, 10))
    y = z.argmax(axis=1)  # right, and confident
    rows = z.tolist()
    yield from ["### The largest error, in ULP", ""]
    yield from header("what", "of", "the page", "npsoftmax")
    of = "20 rows of 10 logits from -300 to 300"
    p, log_p = list(map(exact.softmax, rows)), list(map(exact.log_softmax, rows))
    yield row("softmax", of, *errors(lambda lib: lib.softmax(z), p))
    yield row("log_softmax", of, *errors(lambda lib: lib.log_softmax(z), log_p))
    yield row("cross-entropy", f"{of}, all right", *errors(
        lambda lib: lib.cross_entropy_forward(z, y)[0], [exact.cross_entropy(rows, y)]
    ))  # fmt: skip
    yield row("its gradient", f"{of}, all right", *errors(
        lambda lib: lib.cross_entropy_backward(1.0, lib.cross_entropy_forward(z, y)[1]),
        exact.cross_entropy_gradient(rows, y),
    ))  # fmt: skip
    W, y = np.array([[2.0], [1.0]]), np.array([0])
    for size in (1e-200, 1.0, 1e200):
        x = size * np.array([[3.0, 4.0]])
        dx, _ = exact.lsoftmax_gradient(x, W, y, 4, 0.0, [[1.0]])
        yield row("dx of L-Softmax, m = 4", f"features of length {5 * size:g}", *errors(
            lambda lib, x=x: lib.lsoftmax_backward(
                np.ones((1, 1)), lib.lsoftmax_forward(x, W, y, 4)[1]
            )[0],
            dx,
        ))  # fmt: skip


def errors(compute, right):
    """Return the errors of the page and of npsoftmax, as they stand in a table."""
    import numpy as np

    import npsoftmax as nps

    with np.errstate(all="ignore"):
        values = [compute(library) for library in (nps.textbook, nps)]
    found = [exact.ulps(value, right) for value in values]
    return ["no digit right" if ulps > 1e15 else f"{ulps:.2g}" for ulps in found]


def costs(threads, turns):
    """What it costs: forward and backward, float64, microseconds"""
    import numpy as np

    import npsoftmax as nps

    yield from header("layer", "shape", "the page", "npsoftmax", "npsoftmax / page")
    rng = np.random.default_rng(0)
    for N, C in ((64, 10), (1000, 1000)):
        z, y = rng.normal(scale=10, size=(N, C)), rng.integers(0, C, N)
        inputs = {"softmax": (z,), "cross_entropy": (z, y)}
        for name, d in (("softmax", rng.normal(size=(N, C))), ("cross_entropy", 1.0)):
            pairs = [pair(lib, name, inputs[name], d) for lib in (nps.textbook, nps)]
            page, ours = in_turns(turns, *pairs)
            shape = f"{N}, {C}"
            yield row(name, shape, *microseconds([page, ours]), ratio(ours, page))
    for N, D, C in ((64, 2, 10), (256, 512, 1000)):
        x, W = rng.normal(size=(N, D)), rng.normal(size=(D, C))
        inputs, dz = (x, W, rng.integers(0, C, N), 4), rng.normal(size=(N, C))
        pairs = [pair(lib, "lsoftmax", inputs, dz) for lib in (nps.textbook, nps)]
        page, ours = in_turns(turns, *pairs)
        shape = f"{N}, {D} -> {C}"
        yield row(
            "L-Softmax, m = 4", shape, *microseconds([page, ours]), ratio(ours, page)
        )


def pair(library, name, inputs, d):
    """Return a function that runs a forward and its backward."""
    forward = getattr(library, f"{name}_forward")
    backward = getattr(library, f"{name}_backward")
    return lambda: backward(d, forward(*inputs)[1])


def steps(threads, turns):
    """A training step of the head, float32, m = 4, microseconds"""
    import numpy as np

    import npsoftmax as nps

    yield from header("N, D -> C", "L-Softmax", "plain", "PyTorch plain", "/ PyTorch",
                      "/ plain")  # fmt: skip
    for N, D, C in [(256, 2, 10), (256, 512, 10), (256, 512, 1000)]:
        rng = np.random.default_rng(0)
        x = rng.normal(size=(N, D)).astype(np.float32)
        W = (rng.normal(size=(D, C)) / np.sqrt(D)).astype(np.float32)
        y = rng.integers(0, C, N)
        ours, plain = margin_step(nps, x, W, y), plain_step(nps, x, W, y)
        seconds = in_turns(turns, ours, plain, torch_step(x, C, y, threads))
        yield row(f"{N}, {D} -> {C}", *microseconds(seconds),
                  ratio(seconds[0], seconds[2]), ratio(*seconds[:2]))  # fmt: skip
    yield from ["", SMALL_HEADS]


SMALL_HEADS = """\
L-Softmax is slower than a plain head: the margin takes calls of NumPy on arrays of N
numbers, most of a step where D and C are small, and little of it where they are not."""


def margin_step(nps, x, W, y, m=4):
    """Return a step: L-Softmax and cross-entropy, forward and backward."""

    def step():
        z, layer = nps.lsoftmax_forward(x, W, y, m)
        _, loss = nps.cross_entropy_forward(z, y)
        return nps.lsoftmax_backward(nps.cross_entropy_backward(1.0, loss), layer)

    return step


def plain_step(nps, x, W, y):
    """Return a step: linear and cross-entropy, forward and backward."""

    def step():
        z, layer = nps.linear_forward(x, W)
        _, loss = nps.cross_entropy_forward(z, y)
        return nps.linear_backward(nps.cross_entropy_backward(1.0, loss), layer)

    return step


def torch_step(x, C, y, threads):
    """Return PyTorch's linear and cross-entropy, forward and backward, or None."""
    torch = optional("torch", threads)
    if torch is None:
        return None
    layer = torch.nn.Linear(x.shape[1], C, bias=False)
    x, y = torch.tensor(x, requires_grad=True), torch.tensor(y)

    def step():
        x.grad = layer.weight.grad = None
        torch.nn.functional.cross_entropy(layer(x), y).backward()

    return step


def softmaxes(threads, turns):
    """Softmax beside SciPy's, float64, microseconds"""
    import numpy as np

    import npsoftmax as nps

    special = optional("scipy.special", threads)
    yield from header("function", "shape", "npsoftmax", "SciPy", "ratio")
    for shape in [(64, 10), (1000, 1000)]:
        z = np.random.default_rng(0).normal(scale=10, size=shape)
        for name in ("softmax", "log_softmax", "logsumexp"):
            theirs = special and call(getattr(special, name), z, axis=-1)
            seconds = in_turns(turns, call(getattr(nps, name), z, axis=-1), theirs)
            yield row(name, shape, *microseconds(seconds), ratio(*seconds))
    yield from ["", LAST_DIGITS]


LAST_DIGITS = """\
At (64, 10) what counts is the number of calls of NumPy. Carrying the rounding errors of
the shift and of the sum takes some more of them, so softmax and log_softmax are slower
than SciPy's there: that is the price of 6 and 4 ULP, for up to 500 and for no digit."""


def epochs(threads, turns):
    """One epoch of the tiny MLP on the digits, batches of 64, milliseconds"""
    from npsoftmax.data import load_digits
    from npsoftmax.training import Settings, train

    x, y, _, _ = load_digits()
    yield from header("the same head in both", "npsoftmax", "PyTorch eager",
                      "PyTorch / npsoftmax")  # fmt: skip
    for m, head in ((1, "softmax, m = 1"), (4, "L-Softmax, m = 4")):
        run = train(x, y, m, seed=0, settings=Settings(epochs=10**6))
        theirs = torch_epoch(x, y, m, threads)
        ours, theirs = in_turns(turns, lambda run=run: next(run), theirs)
        yield row(head, *milliseconds([ours, theirs]), ratio(theirs, ours))


def torch_epoch(x, y, m, threads, batch=64):
    """Return an epoch of the same network and optimiser in PyTorch, or None."""
    torch = optional("torch", threads)
    if torch is None:
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
            z = f @ W if m == 1 else torch_lsoftmax(torch, f, W, y[rows], lam=3.0)
            nn.functional.cross_entropy(z, y[rows]).backward()
            sgd.step()

    return epoch


def torch_lsoftmax(torch, x, W, y, lam):
    """Return the logits of L-Softmax, m = 4, as one writes them in PyTorch."""
    z, length = x @ W, x.norm(dim=1) * W.norm(dim=0)[y]
    rows = torch.arange(len(y))
    c = z[rows, y] / length
    k = sum((c < knot).to(c) for knot in (0.5**0.5, 0.0, -(0.5**0.5)))
    psi = (1 - 2 * (k % 2)) * (8 * c**4 - 8 * c**2 + 1) - 2 * k
    return z.index_put((rows, y), length * (lam * c + psi) / (1 + lam))


def checks(threads, turns):
    """A gradient check of L-Softmax, 64 entries, float64, milliseconds"""
    import numpy as np

    import npsoftmax as nps
    from npsoftmax.gradcheck import check_gradients

    rng = np.random.default_rng(0)
    x, W, y = rng.normal(size=(8, 4)), rng.normal(size=(4, 8)), rng.integers(0, 8, 8)

    def ours():
        forward = lambda x, W: nps.lsoftmax_forward(x, W, y, 4)  # noqa: E731
        report = check_gradients(forward, nps.lsoftmax_backward, (x, W))
        assert report.verdict == "right", report

    seconds = in_turns(turns, ours, torch_check(x, W, y, threads))
    yield from header("check_gradients", "torch.autograd.gradcheck", "ratio")
    yield row(*milliseconds(seconds), ratio(*seconds))


def torch_check(x, W, y, threads):
    """Return PyTorch's own check of L-Softmax, m = 4, or None."""
    torch = optional("torch", threads)
    if torch is None:
        return None
    inputs = [torch.tensor(a, requires_grad=True) for a in (x, W)]
    labels = torch.tensor(y)
    logits = lambda x, W: torch_lsoftmax(torch, x, W, labels, lam=0.0)  # noqa: E731
    return lambda: torch.autograd.gradcheck(logits, inputs)


def hard_cases(threads, turns):
    """What checkers say of the gradients of tests/gradient_cases.py"""
    # Of 87 right and 88 wrong; check_gradients alone may say that it cannot tell.
    import numpy as np
    from gradient_cases import CASES

    checkers = {
        "check_gradients": lambda case: case.report().verdict,
        "torch.autograd.gradcheck": torch_verdict(threads),
        "scipy.optimize.check_grad": scipy_verdict(threads),
    }
    yield from header("checker", "right called right", "right called wrong",
                      "wrong called wrong", "wrong called right")  # fmt: skip
    for name, verdict in checkers.items():
        if verdict:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                said = [(case.right, verdict(case)) for case in CASES]
            counts = [(True, "right"), (True, "wrong"), (False, "wrong"),
                      (False, "right")]  # fmt: skip
            yield row(name, *(said.count(each) for each in counts))


def torch_verdict(threads):
    """Return what PyTorch's check says of a case, with its own defaults, or None."""
    torch = optional("torch", threads)
    if torch is None:
        return None

    def verdict(case):
        forward, backward, arrays, _ = plainly(case)

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

        tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
        try:
            return "right" if torch.autograd.gradcheck(Function.apply, tensors) else ""
        except Exception:
            return "wrong"

    return verdict


def scipy_verdict(threads, close=1e-5):
    """Return what SciPy's check says of a case, or None.

    It gives a distance and no verdict: it is called right where that is a part `close`
    of the gradient, or of 1, whichever is larger.
    """
    optimize = optional("scipy.optimize", threads)
    if optimize is None:
        return None
    import numpy as np

    def verdict(case):
        forward, backward, arrays, cotangent = plainly(case)
        cuts = np.cumsum([a.size for a in arrays])[:-1]

        def split(x):
            parts = np.split(x, cuts)
            return [p.reshape(a.shape) for p, a in zip(parts, arrays, strict=True)]

        def value(x):
            return float(np.sum(cotangent * forward(*split(x))[0]))

        def gradient(x):
            found = backward(cotangent, forward(*split(x))[1])
            found = found if isinstance(found, tuple) else (found,)
            return np.concatenate([np.ravel(g).astype(float) for g in found])

        x = np.concatenate([a.ravel() for a in arrays])
        size = max(1.0, float(np.linalg.norm(gradient(x))))
        near = optimize.check_grad(value, gradient, x) <= close * size
        return "right" if near else "wrong"

    return verdict


def plainly(case):
    """Return forward, backward, the inputs as float64 arrays, and a cotangent."""
    import numpy as np

    forward, backward = case.pair()
    inputs = case.inputs if isinstance(case.inputs, tuple) else (case.inputs,)
    arrays = [np.array(a, dtype=np.float64) for a in inputs]
    shape = np.shape(case.pair()[0](*arrays)[0])
    return forward, backward, arrays, np.random.default_rng(0).uniform(1, 2, shape)


def growth(threads, turns):
    """How a step's time grows when one size doubles, (1024, 256 -> 256), m = 4"""
    import numpy as np

    import npsoftmax as nps

    base = {"N": 1024, "D": 256, "C": 256, "m": 4}

    def step(N, D, C, m):
        rng = np.random.default_rng(0)
        x, W = (rng.normal(size=s).astype(np.float32) for s in ((N, D), (D, C)))
        W /= np.float32(np.sqrt(D))  # else most of dz is subnormal, which is slow
        return margin_step(nps, x, W, rng.integers(0, C, N), m)

    yield from header("doubled", "time, as a ratio")
    for name, size in base.items():
        twice, once = in_turns(turns, step(**base | {name: 2 * size}), step(**base))
        yield row(f"{name} = {size} -> {2 * size}", ratio(twice, once))


def whole_processes():
    """Yield the table of what is measured of whole processes."""
    imports = [[], []]
    for _ in range(15):
        for seconds, module in zip(imports, ("npsoftmax", "numpy"), strict=True):
            began = time.perf_counter()
            in_process([sys.executable, "-c", f"import {module}"])
            seconds.append(time.perf_counter() - began)
    ours, theirs = map(statistics.median, imports)
    yield from ["### Whole processes", "", *header("what", "figure")]
    yield row("`import npsoftmax` / `import numpy`", ratio(ours, theirs))
    peak = float(in_process([sys.executable, "-c", PEAK_OF_A_TRAINING_RUN]))
    yield row("peak memory, training on 60,000 x 784 float32 / data", f"{peak:.2f}")


PEAK_OF_A_TRAINING_RUN = """
import gzip, pathlib, resource, struct, tempfile
import numpy as np
from npsoftmax.data import load
from npsoftmax.training import Settings, train

def write(path, a):
    header = struct.pack(">HBB", 0, 8, a.ndim) + struct.pack(f">{a.ndim}I", *a.shape)
    path.write_bytes(header + a.tobytes())

with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    rng = np.random.default_rng(0)
    for part, N in (("train", 60000), ("t10k", 10000)):
        pixels = rng.integers(0, 256, (N, 28, 28), np.uint8)
        write(folder / f"{part}-images-idx3-ubyte", pixels)
        write(folder / f"{part}-labels-idx1-ubyte", rng.integers(0, 10, N, np.uint8))
        del pixels
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    data, _ = load(folder)
    next(train(data.x_train, data.y_train, 4, 0, Settings(epochs=1, batch=256)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(peak / (data.x_train.nbytes + data.x_test.nbytes))
"""


def in_turns(turns, *functions):
    """Return the least seconds of each function, None for None, run in turns."""
    calls = [f and calls_for(f, seconds=0.02) for f in functions]
    seconds = [[] for _ in functions]
    for _ in range(turns):
        for f, n, taken in zip(functions, calls, seconds, strict=True):
            if f:
                began = time.process_time()
                for _ in range(n):
                    f()
                taken.append((time.process_time() - began) / n)
    return [min(taken, default=None) for taken in seconds]


def calls_for(f, seconds):
    """Return how many calls of f take about so many seconds; warms f up."""
    f()
    began = time.process_time()
    f()
    return max(1, round(seconds / max(time.process_time() - began, 1e-6)))


def call(f, *args, **kwargs):
    """Return a function without arguments that calls f."""
    return lambda: f(*args, **kwargs)


def optional(name, threads):
    """Return the module, with so many threads, or None where it is not installed."""
    try:
        module = __import__(name, fromlist=["_"])
    except ImportError:
        return None
    if name == "torch":
        module.set_num_threads(threads)
    return module


def in_process(command, env=None):
    """Return what a command prints."""
    return subprocess.run(
        command, env=env, check=True, text=True, stdout=subprocess.PIPE
    ).stdout


def machine():
    """Return in words what was measured on."""
    import numpy as np

    parts = [f"with Python {platform.python_version()}", f"NumPy {np.__version__}"]
    for name in ("scipy", "torch"):
        module = optional(name, 1)
        parts += [f"{name} {module.__version__}"] if module else [f"no {name}"]
    return f"{', '.join(parts)}, on {platform.machine()}, {os.cpu_count()} cores"


def header(*titles):
    """Yield the two lines that open a Markdown table."""
    yield row(*titles)
    yield row(*["---"] * len(titles))


def row(*cells):
    """Return a line of a Markdown table; a dash for what was not measured."""
    return "| " + " | ".join("-" if c is None else str(c) for c in cells) + " |"


def microseconds(seconds):
    """Return the numbers as they stand in a table."""
    return [s and f"{s * 1e6:.0f}" for s in seconds]


def milliseconds(seconds):
    """Return the numbers as they stand in a table."""
    return [s and f"{s * 1e3:.1f}" for s in seconds]


def ratio(a, b):
    """Return a / b as it stands in a table."""
    return f"{a / b:.2f}" if a and b else None


if __name__ == "__main__":
    main()
