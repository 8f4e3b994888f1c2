"""Names the likely mistake by comparing with known wrong results."""


def diagnose(subject, failure, seed):
    """Return (cause, sentence, inputs it holds on), or None."""
    return None
