"""The README is true: what it shows is printed, what it names is there."""

import re

import pytest
import readme

TEXT = readme.README.read_text(encoding="utf-8")


@pytest.mark.parametrize("mark", ["npsoftmax", "npsoftmax check"])
def test_each_block_is_what_its_command_prints(mark):
    assert readme.block(TEXT, mark) == dict(readme.shown())[mark]


def test_the_example_prints_what_its_comment_says():
    printed, comment = readme.example(TEXT)
    assert printed == comment


def test_what_it_says_of_the_table_is_what_the_intervals_say():
    _, pairs = readme.recorded()
    assert [pair.m for pair in pairs] == [2, 3, 4]
    assert readme.report.reading(pairs).replace("\n", " ") in " ".join(TEXT.split())


def test_what_it_says_of_mnist_is_what_was_measured():
    assert readme.mnist_in_short() in " ".join(TEXT.split())
    page = readme.MNIST.read_text(encoding="utf-8")
    assert readme.block(page, "npsoftmax") == readme.mnist()


def test_every_file_it_links_to_is_there():
    for path in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (readme.README.parent / path).exists(), path


def test_the_example_has_twelve_lines_and_the_readme_at_most_100():
    code = re.search(r"```python\n(.*?)```", TEXT, flags=re.DOTALL).group(1)
    assert len(code.splitlines()) <= 12
    assert 60 <= len(TEXT.splitlines()) <= 100
