"""A page, opened in a browser without a window, where there is one."""

import shutil
import subprocess
import tempfile

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1280,900", "--virtual-time-budget=5000",
)  # fmt: skip


def shown(path):
    """Return the HTML of a file as it is when its scripts have run."""
    with tempfile.TemporaryDirectory() as profile:
        command = [CHROMIUM, *QUIET, f"--user-data-dir={profile}", "--dump-dom"]
        address = path.resolve().as_uri()
        done = subprocess.run([*command, address], capture_output=True, timeout=60)
    return done.stdout.decode()
