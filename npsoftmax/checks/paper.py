"""Numbers as one writes them on paper: what the lines "on paper" of a message need.

In goes a number, an index, a vector; out comes text, or None where it is too long.
"""

MOST_TERMS = 4


def g(number):
    """Return a number with the digits that paper needs."""
    number = float(number)
    return f"{0.0 if number == 0 else number:.6g}"


def exactly(number):
    """Return a number in six digits, or in all that it has where six hide some: 1/3 is
    0.333333, but 1 + 2e-16 is not 1.
    """
    text, number = g(number), float(number)
    looks_exact = len(text.strip("-0.").replace(".", "")) < 6
    return repr(number) if looks_exact and float(text) != number else text


def entry(result, index):
    """Return the name of an entry, such as dz[1, 0]; of a number, its own."""
    return f"{result}[{', '.join(map(str, index))}]" if index else result


def sum_of(terms):
    """Return a sum as text, and None where it is too long."""
    terms = list(terms)
    if len(terms) > MOST_TERMS:
        return None
    return " + ".join(terms).replace("+ -", "- ")


def products(a, b):
    """Return the sum of the products of two vectors' entries, as text, or None."""
    return sum_of(
        f"{g(s)}*{g(t)}".replace("*-", "*(-") + ")" * bool(t < 0)
        for s, t in zip(a, b, strict=True)
    )


def counted(number, word):
    """Return `1 class`, `2 classes`."""
    plural = f"{word}es" if word.endswith("s") else f"{word}s"
    return f"{number} {word if number == 1 else plural}"
