"""The PDF report: the HTML report laid out for paper by WeasyPrint, an optional extra (``pip install 'tanba[pdf]'``).

Nothing is fetched while it is made: only ``data:`` addresses exist for the layout engine, not even files.
"""

from __future__ import annotations

import base64
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import tanba
from tanba.errors import InstallationError
from tanba.report import VerificationReport
from verifier.render import html
from verifier.render.preview import Preview

if TYPE_CHECKING:
    from types import ModuleType

FONTS = Path(tanba.__file__).parent / "fonts"
_FACES = (
    ("Noto Sans", 400, "NotoSans-Regular.ttf"),
    ("Noto Sans", 700, "NotoSans-Bold.ttf"),
    ("Tanba Marks", 400, "NotoSansSymbols2-Marks.ttf"),
)
_PAPER = (
    'h1, h2, .serif { font-family: "Noto Sans" !important; } .scroll { overflow: visible; }'
    ' .mark { font-family: "Noto Sans", "Tanba Marks" !important; font-weight: 400 !important; display: block; text-align: center; }'
)

_FOOT = (
    ' @page { @bottom-left { content: "%s"; font: 6.5pt "Noto Sans"; color: #444; }'
    ' @bottom-right { font-family: "Noto Sans"; } }'
)
_DIGEST = re.compile(r"[0-9a-f]{64}")


def render(report: VerificationReport, *, lang: str, preview: Preview | None = None) -> bytes:
    """The PDF (tagged, PDF/UA-1). Raises :class:`InstallationError` when the extra is not installed."""
    digest = report.asset.sha256 if _DIGEST.fullmatch(report.asset.sha256) else ""
    return from_html(html.render(report, lang=lang, preview=preview), foot=f"SHA-256 {digest}" if digest else "")


def from_html(page: str, *, foot: str = "") -> bytes:
    """Lay out one of our own pages. ``foot`` stands below every sheet, so that a loose one shows what it belongs to; it
    is put into a style sheet as it is and must be our own words. Raises :class:`InstallationError` when the extra is not installed.
    """
    weasyprint = _weasyprint()
    # Bad fonts or pictures are left out, as on a page; any address but data: is refused before it is opened.
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols={"data"}, fail_on_errors=False)
    fonts = weasyprint.text.fonts.FontConfiguration()
    paper = weasyprint.CSS(string=_faces() + _PAPER + _FOOT % foot, font_config=fonts, url_fetcher=fetcher)
    document = weasyprint.HTML(string=page, url_fetcher=fetcher)
    data: bytes = document.write_pdf(stylesheets=[paper], font_config=fonts, pdf_variant="pdf/ua-1")
    return data


@cache
def _faces() -> str:
    """Our fonts as CSS, inside ``data:`` addresses: the layout engine gets no right to open files."""
    return "".join(
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; src: url("data:font/ttf;base64,'
        f'{base64.b64encode((FONTS / name).read_bytes()).decode("ascii")}"); }}\n'
        for family, weight, name in _FACES
    )


def _weasyprint() -> ModuleType:
    try:
        import weasyprint
        import weasyprint.text.fonts
        import weasyprint.urls
    except (ImportError, OSError) as error:
        # OSError: the package is there and the system's Pango library is not.
        raise InstallationError(
            "PDF reports need WeasyPrint, which is not installed",
            code="tanba.installation.extra_missing",
            hint="pip install 'tanba[pdf]' (and the system library Pango), or use --report for HTML",
        ) from error
    module: ModuleType = weasyprint
    return module
