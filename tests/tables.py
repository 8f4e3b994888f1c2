"""Tables of Markdown, for what a program measures and a page shows."""


def table(titles, rows):
    """Return the lines of a table; a dash for what is None."""
    return [line(titles), line(["---"] * len(titles)), *map(line, rows)]


def line(cells):
    return "| " + " | ".join("-" if c is None else str(c) for c in cells) + " |"
