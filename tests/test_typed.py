"""Types, as a person's type checker sees them; typed.py uses every public name."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import readme

import npsoftmax
from npsoftmax import checks, gradcheck

TYPED = Path(__file__).parent / "typed.py"
ROOT = readme.README.parent


@pytest.mark.parametrize("module", [npsoftmax, gradcheck, checks])
def test_every_public_name_is_used_with_its_types(module):
    prefix = "nps" if module is npsoftmax else module.__name__.rpartition(".")[2]
    used = re.findall(rf"\b{prefix}\.(\w+)", TYPED.read_text(encoding="utf-8"))
    assert set(module.__all__) == set(used)


def test_the_calls_that_are_typed_run():
    runpy.run_path(str(TYPED), run_name="__main__")


def test_mypy_strict_has_nothing_to_say_of_it_nor_of_the_example_of_the_readme(
    tmp_path, pytestconfig
):
    pytest.importorskip("mypy", reason="it is run where it is installed")
    cache = pytestconfig.cache.mkdir("mypy")
    example = tmp_path / "example.py"
    text = readme.README.read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, flags=re.DOTALL)[1]
    example.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent",
         f"--cache-dir={cache}", TYPED, example],
        cwd=tmp_path, env=os.environ | {"MYPYPATH": str(ROOT)},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
