"""Copying a text out of a real browser: the page is opened, everything selected, and the selection read back.

Used by ``tanba text survives --through browser`` and the survival table; needs Chromium. It opens one local file in a
throw-away profile, without network access of its own.
"""

from __future__ import annotations

import html
import re
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

from tanba.errors import Deadline, UnsupportedFormat
from tanba.text.locate import HTML_TYPES

SECONDS = 60.0
_RESULT = re.compile(r'data-copied="([^"]*)"')
_SCRIPT = (
    "<script>const s=getSelection();s.selectAllChildren(document.getElementById('t'));"
    "document.documentElement.setAttribute('data-copied',encodeURIComponent(s.toString()))</script>"
)


def copy(raw: bytes, media_type: str, chromium: str, *, seconds: float = SECONDS) -> bytes:
    """What lands in the clipboard when a reader selects the whole page and copies.

    Raises :class:`UnsupportedFormat` when the browser shows nothing, :class:`Deadline` when it takes too long.
    """
    text = raw.decode("utf-8", "replace")
    if media_type in HTML_TYPES:
        # The document itself is the page; its manifest element stays where it is, in head.
        page = text + f'<script>document.body.id="t"</script>{_SCRIPT}'
    else:
        page = f'<!doctype html><meta charset="utf-8"><pre id="t">\n{html.escape(text)}</pre>{_SCRIPT}'
    with tempfile.TemporaryDirectory(prefix="tanba-browser-") as folder:
        file = Path(folder, "page.html")
        file.write_text(page, "utf-8", newline="")
        command = [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
            f"--user-data-dir={folder}/profile", "--dump-dom", file.as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired as error:
            raise Deadline(f"the browser did not answer within {seconds:g} seconds") from error
    match = _RESULT.search(done.stdout.decode("utf-8", "replace"))
    if match is None:
        raise UnsupportedFormat("the browser did not show the page", hint="is this a working Chromium?")
    return urllib.parse.unquote(html.unescape(match[1])).encode()
