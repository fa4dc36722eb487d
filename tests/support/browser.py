"""A real browser for the tests that need one, if the machine has it: Debian's chromium packages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

#: By any of the names that distributions give it.
CHROMIUM = next(
    filter(
        None,
        map(
            shutil.which,
            ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"),
        ),
    ),
    None,
)

#: Without a sandbox, which root may not have, and without asking anyone for anything.
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--window-size=1000,800",
)  # fmt: skip


def look_at(page: Path, script: str, folder: Path, *options: str) -> tuple[Any, list[str]]:
    """Open a page and ask it something once it is drawn.

    Args:
        page: an HTML file.
        script: JavaScript; the value of this expression is given back, or of what it promises.
        folder: for the browser's own files.
        options: further ones of the browser; of two alike the last one counts.

    Returns:
        The value, and what the page wrote to the console.
    """
    # The question is asked from inside, so that no driver is needed; a frame that is still being
    # written keeps the page from being loaded, which the browser waits for, until it is answered.
    asking = folder / "asking.html"
    ask = (
        "<script>(async () => { const frame = document.createElement('iframe');"
        " frame.hidden = true; document.body.append(frame); frame.contentDocument.open();"
        f" try {{ document.body.dataset.answer = JSON.stringify(await {script}); }}"
        " finally { frame.contentDocument.close(); } })();</script>"
    )
    asking.write_text(page.read_text(encoding="utf-8") + ask, encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [str(CHROMIUM), *_OPTIONS, profile, "--dump-dom", *options, asking.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    answer = re.search(r'data-answer="(.*?)"', run.stdout)
    assert answer, run.stderr
    return json.loads(unescape(answer[1])), re.findall(r"CONSOLE.*", run.stderr)
