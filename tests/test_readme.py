"""The README is true: what it shows is printed, what it names is there."""

import re

import pytest
import readme

from npsoftmax import experiment

TEXT = readme.README.read_text(encoding="utf-8")


@pytest.mark.parametrize("mark", ["npsoftmax", "npsoftmax check"])
def test_each_block_is_what_its_command_prints(mark):
    assert readme.block(TEXT, mark) == dict(readme.shown())[mark]


def test_the_example_prints_what_its_comment_says():
    printed, comment = readme.example(TEXT)
    assert printed == comment


def test_in_the_table_each_margin_makes_fewer_errors_at_smaller_angles():
    softmax, *margins = experiment.table(readme.recorded_runs())
    assert [row.m for row in margins] == [2, 3, 4]
    for row in margins:
        assert row.test_error.mean <= 0.8 * softmax.test_error.mean
        assert row.to_weight.mean <= 0.6 * softmax.to_weight.mean


def test_every_file_it_links_to_is_there():
    for path in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (readme.README.parent / path).exists(), path


def test_the_example_has_twelve_lines_and_the_readme_at_most_100():
    code = re.search(r"```python\n(.*?)```", TEXT, flags=re.DOTALL).group(1)
    assert len(code.splitlines()) <= 12
    assert 60 <= len(TEXT.splitlines()) <= 100
