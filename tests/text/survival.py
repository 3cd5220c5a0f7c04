"""Makes docs/text-survival.md: ``python -m tests.text.survival`` writes it, a test compares it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tanba.model import Carrier
from tanba.text.browser import copy
from tanba.text.journeys import JOURNEYS
from tests.pki import make_pki
from tests.text.conftest import Desk
from verifier.text_survival import Survival, outcome

PAGE = Path(__file__).resolve().parents[2] / "docs" / "text-survival.md"
CHROMIUM = shutil.which("chromium")

PROSE = (
    "Абай Құнанбайұлы — қазақ ақыны.\n\n"
    'Екінші абзац: a "quoted" sentence that is longer than seventy-two columns, so that wrapping it shows.\n'
)
PAGE_TEXT = (
    '<!doctype html>\n<html lang="kk"><head><meta charset="utf-8"><title>Абай</title></head>\n'
    '<body><p>Екінші абзац, a "quoted" sentence.</p>\n</body></html>\n'
)
TEXTS = {
    "A.8 plain text": ("text/plain", PROSE, Carrier.A8),
    "A.9 Markdown": ("text/markdown", "# Абай\n\n" + PROSE, Carrier.A9),
    "A.9 YAML": ("application/yaml", 'title: Абай\nnote: >\n  a "quoted" sentence\n', Carrier.A9),
    "A.7 HTML": (
        "text/html",
        PAGE_TEXT,
        Carrier.A7,
    ),
    "sidecar (CSV)": ("text/csv", 'name,note\nАбай,"ақын"\n', Carrier.SIDECAR),
}  # fmt: skip
SIGNS = {Survival.SURVIVES: "**survives**", Survival.RECOVERABLE: "recoverable", Survival.LOST: "lost"}

HEAD = """# What a text mark survives

Made by `python -m tests.text.survival`; a test fails when it is out of date. The same question about your own file:
`tanba text survives FILE --through crlf,trim,…`.

- **survives**: `tanba verify` says the label is intact.
- recoverable: the label is invalid as it stands; `tanba verify` names what happened and `tanba text restore` undoes it,
  proved by the signed hash.
- lost: the mark is gone, or the text can no longer be brought back to what was signed. A lost mark says nothing about
  who or what made the text.

The sidecar travels beside its file untouched in every row.

"""


def cells(desk: Desk, name: str) -> dict[str, str]:
    """One row: carrier -> cell."""
    found = {}
    for column, (media_type, text, carrier) in TEXTS.items():
        made = desk.label(text, media_type)
        assert made.carrier is carrier
        arrived = (
            copy(made.output, media_type, CHROMIUM or "")
            if name == "browser"
            else JOURNEYS[name].go(made.output, media_type)
        )
        beside = made.store if carrier is Carrier.SIDECAR else None
        result = outcome(arrived, media_type, manifest=beside)
        reason = f" ({result.detail.replace('_', ' ')})" if result.survival is not Survival.SURVIVES else ""
        found[column] = SIGNS[result.survival] + reason
    return found


def page(desk: Desk, *, browser: bool) -> str:
    """The whole document."""
    names = {name: item.what for name, item in JOURNEYS.items()}
    rows = [f"| Journey | {' | '.join(TEXTS)} |", "|---" * (len(TEXTS) + 1) + "|"]
    for name, what in names.items():
        rows.append(f"| `{name}` {what} | {' | '.join(cells(desk, name).values())} |")
    row = " | ".join(cells(desk, "browser").values()) if browser else "?"
    rows.append(f"| `browser` selected and copied in headless Chromium | {row} |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    pki = make_pki()
    PAGE.write_text(page(Desk(pki, pki.leaf().signer()), browser=True), "utf-8")
