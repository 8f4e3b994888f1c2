"""How much memory there is: what cannot fit is refused before it is reserved."""

import os


def physical() -> int | None:
    """Return the bytes of memory of this machine, or None where it does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def lack(needed: int) -> str:
    """Return `needs 40 GB, but this machine has 8.0 GB`, or nothing where it fits."""
    there = physical()
    if there is None or needed <= there:
        return ""
    return f"needs {needed / 1e9:,.1f} GB, but this machine has {there / 1e9:,.1f} GB"
