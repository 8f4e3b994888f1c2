"""Student code that would break what runs it: it is judged, and so are the others."""

import os
import signal

import homeworks
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from npsoftmax import softmax, textbook
from npsoftmax.__main__ import main
from npsoftmax.checks import CONTRACT, check
from npsoftmax.checks.engine.safely import Endless, time_limit

pytest_plugins = "pytester"

FLOATS = "np.seterr(all='raise')"
E, NO_EXCEPTION = map(homeworks.NO_WORDS.format, ("Exception", "BaseException"))
IN_SOFTMAX = {  # what it does first, what the file has before, and what is said of it
    "an exception without words": ("raise E", E, "raises E"),
    "one that is none": ("raise E", NO_EXCEPTION, "raises E"),
    "GeneratorExit": ("raise GeneratorExit", "", "raises GeneratorExit"),
    "exit": ("exit()", "", "the code calls exit()"),
    "os._exit": ("os._exit(0)", "import os", "the code calls exit()"),
    "pytest.skip": ("pytest.skip('no')", "import pytest", "raises Skipped"),
    "pytest.exit": ("pytest.exit('no', 0)", "import pytest", "raises Exit"),
    "a lone surrogate": ("raise ValueError('\\udce9')", "", r"ValueError: \udce9"),
    "escape codes": ("raise ValueError('\\x1b[2J\\0')", "", r"ValueError: \x1b[2J\x00"),
    "no end of memory": ("raise MemoryError", "", "more memory than there is"),
    "None": ("return None", "", "it gives None instead of p"),
    "a generator": ("yield z", "", "not an array"),
}
HARMLESS = {
    "np.seterr inside": homeworks.with_lines("softmax", FLOATS),
    "np.seterr on loading": f"import numpy as np\n{FLOATS}\n{homeworks.PAGE}",
    "from numpy import seterr": "from numpy import seterr\n"
    + homeworks.with_lines("softmax", "seterr(all='raise')"),
    "escape codes and NUL": homeworks.with_lines("softmax", "print('\\x1b[2J\\0')"),
}


def checked(capsys, tmp_path, source, *names):
    """Return the exit code, the output and the errors of `npsoftmax check`."""
    path = tmp_path / "homework.py"
    path.write_text(source)
    only = [word for name in names for word in ("-k", name)]
    code = main(["check", str(path), "--examples", "3", "-v", *only])
    return code, *capsys.readouterr()


@pytest.mark.parametrize("name", IN_SOFTMAX)
def test_what_a_function_does_is_said_of_it_and_the_next_is_judged(
    name, capsys, tmp_path
):
    line, before, said = IN_SOFTMAX[name]
    source = f"{before}\n{homeworks.with_lines('softmax', line)}"
    code, output, _ = checked(capsys, tmp_path, source, "softmax", "relu_forward")
    assert code == 1
    assert said in " ".join(output.split())
    assert "softmax                 WRONG" in output
    assert "relu_forward            right" in output
    assert output.isascii()
    assert output.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_is_right(name, capsys, tmp_path):
    code, output, _ = checked(capsys, tmp_path, HARMLESS[name], "softmax", "psi")
    assert code == 0, output
    assert output.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("function", "right", "wrong", "said"),
    [
        ("linear_backward", "return dx, dW", "return None, dW", "dx is None"),
        ("softmax_forward", "return p", "return np.matrix(p)", "p is a matrix, not an"),
    ],
)
def test_a_result_that_is_no_array_is_said(
    function, right, wrong, said, capsys, tmp_path
):
    source = homeworks.changed(f"{right}, ", f"{wrong}, ")
    code, output, _ = checked(capsys, tmp_path, source, function)
    assert code == 1
    assert said in output


def test_a_helper_is_found_inside_of_a_function_too(capsys, tmp_path):
    (tmp_path / "one_helper.py").write_text("one = 1")
    source = homeworks.with_lines("softmax", "from one_helper import one")
    assert checked(capsys, tmp_path, source, "softmax")[0] == 0


@pytest.mark.parametrize("line", ["import os; os._exit(0)", "exit()", "raise E"])
def test_a_file_that_ends_the_program_on_loading_could_not_be_checked(
    line, capsys, tmp_path
):
    source = f"{NO_EXCEPTION}\n{line}"
    code, _, errors = checked(capsys, tmp_path, source)
    assert code == 2
    assert errors.startswith("npsoftmax: ")
    assert errors.count("\n") == 1


def test_the_exit_code_is_not_0_where_nothing_was_judged(capsys, tmp_path):
    for source in (homeworks.STUBS, "from npsoftmax import *"):
        assert checked(capsys, tmp_path, source, "softmax")[0] != 0


@pytest.mark.parametrize("number", [-3, 0, 2.5, "x", True])
def test_a_number_of_examples_that_makes_no_sense_is_said_in_a_notebook(number):
    with pytest.raises(ValueError, match=r"examples is .*: it may be 1, 2, 3"):
        check(softmax, only=["softmax"], examples=number)


def test_a_name_alone_is_a_list_of_one(capsys):
    outcome = check(only="relu_forward", examples=3)
    assert [*outcome.reports] == ["relu_forward"]
    with pytest.raises(ValueError, match="relo is not in the contract"):
        check(only="relo")


SHAPES = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.text(max_size=3),
        st.floats(),
        st.complex_numbers(),
        st.just(object()),
        *(arrays(kind, SHAPES) for kind in (float, np.float32, int, complex, bool)),
        arrays(object, SHAPES, elements=st.none(), fill=st.none()),
        arrays("U2", SHAPES),
        arrays("M8[s]", SHAPES),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.nested_given])
@given(st.sampled_from([*CONTRACT]), ANYTHING)
@example("softmax_forward", (None, None))
@example("linear_backward", (None, np.zeros((1, 1)), None))
def test_whatever_a_function_gives_it_is_judged(name, result):
    forward = CONTRACT[name].forward
    functions = {name: lambda *_: result}
    if forward:
        functions[forward] = getattr(textbook, forward)
    with open(os.devnull, "w") as nowhere:
        outcome = check(functions, only=name, examples=2, stream=nowhere)
    assert outcome[name].verdict == "wrong"
    assert outcome[name].failure.message


# ----------------------------------------------------------------------------- pytest


@pytest.fixture
def solution(pytester):
    """Return what runs `pytest --solution` on a source, in this process."""

    def run(source, *options):
        pytester.path.joinpath("homework.py").write_text(source)
        few = "--solution", "homework.py", "--solution-examples=3", *options
        return pytester.runpytest_inprocess(*few)

    return run


def test_skipping_in_a_function_does_not_skip_its_test(solution):
    source = "import pytest\ndef softmax(z, axis=-1):\n    pytest.skip('not today')\n"
    ran = solution(source)
    assert ran.ret == pytest.ExitCode.TESTS_FAILED
    ran.stdout.fnmatch_lines("*softmax: it raises Skipped*")


def test_pytest_finds_a_helper_inside_of_a_function_too(solution, pytester):
    pytester.path.joinpath("one_helper.py").write_text("one = 1")
    source = homeworks.with_lines("softmax", "from one_helper import one")
    assert solution(source, "-k", "softmax").ret == pytest.ExitCode.OK


def test_pytest_does_not_end_with_0_where_nothing_was_judged(solution):
    assert solution(homeworks.STUBS).ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_file_that_ends_the_program_on_loading_is_no_success_of_pytest(pytester):
    pytester.makepyfile(homework="import os; os._exit(0)")
    ran = pytester.runpytest_subprocess("--solution", "homework.py")
    assert ran.ret == pytest.ExitCode.INTERRUPTED
    ran.stdout.fnmatch_lines("*calls exit()*")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--solution-examples=-3", "-3 is not a whole number from 1"),
        ("--solution-as=softmax", "softmax is not NAME=THEIRS"),
    ],
)
def test_pytest_says_in_one_line_what_an_option_may_be(option, said, solution):
    ran = solution("", option)
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines(f"*{said}*")


def test_a_time_limit_holds_also_where_interrupts_are_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(Endless):
            loop_for(0.2)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def loop_for(seconds):
    with time_limit(seconds):
        while True:
            pass
