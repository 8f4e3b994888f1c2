"""A page, opened in a browser without a window, where there is one."""

import re
import shutil
import subprocess
import tempfile

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def shown(path, anchor="", size=(1280, 900)):
    """Return the HTML of a file as it is when its scripts have run."""
    with tempfile.TemporaryDirectory() as profile:
        window = f"--window-size={size[0]},{size[1]}"
        command = [CHROMIUM, *QUIET, f"--user-data-dir={profile}", window, "--dump-dom"]
        address = path.resolve().as_uri() + (f"#{anchor}" if anchor else "")
        done = subprocess.run([*command, address], capture_output=True, timeout=60)
    return done.stdout.decode()


def words(html):
    """Return what a piece of HTML says, without its tags, scripts and styles."""
    html = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", html)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
