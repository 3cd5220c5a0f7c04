"""The HTML report: one self-contained page without script or remote asset, fit to be filed, printed and read aloud.

Two fences hold strings out of files: :mod:`verifier.render.view` cleans them, and Jinja escapes every value (autoescape,
strict undefined). A third would stop what slipped through: the page's own policy allows its one style sheet, ``data:``
pictures, and nothing else. Structure and contrast follow WCAG 2.1 AA (EU Code of Practice, measure 2.3).
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tanba.i18n import sentence
from tanba.report import VerificationReport
from verifier.render.preview import Preview
from verifier.render.view import view

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
"""The service's page adds this folder to its own loader and imports ``parts.html.j2``."""


def render(report: VerificationReport, *, lang: str, preview: Preview | None = None) -> str:
    """The whole page."""
    return page("report.html.j2", lang, view=view(report, lang, preview))


def page(template: str, lang: str, **values: Any) -> str:
    """Render one of the templates with the sentence function ``t``, the style sheet and the policy."""
    return environment().get_template(template).render(**page_values(lang), **values)


def page_values(lang: str) -> dict[str, Any]:
    """What every template gets."""
    from markupsafe import Markup

    return {
        "t": partial(_sentence, lang),
        "lang": lang,
        "style": Markup(style()),  # noqa: S704  our own file, not a value
        "policy": policy(),
    }


def _sentence(lang: str, key: str, **params: Any) -> str:
    return sentence(key, lang, **params)


@cache
def style() -> str:
    """The style sheet, as it stands in every page."""
    return (TEMPLATES / "style.css").read_text("utf-8")


@cache
def policy() -> str:
    """The page's Content-Security-Policy; the style sheet is allowed by its hash (CSP Level 3)."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode("ascii")
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def environment() -> Environment:
    """The one Jinja environment: everything is escaped, and a name that does not exist is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["ticks"] = ticks
    made.filters["breakable"] = breakable
    return made


def breakable(code: str) -> Markup:
    """An escaped code that a narrow column may break after a dot, and nowhere else if it can help it."""
    from markupsafe import Markup, escape

    return Markup(".<wbr>").join(escape(part) for part in code.split("."))


def ticks(text: str) -> Markup:
    """Escaped text in which `commands` between back-ticks are marked as code."""
    from markupsafe import Markup, escape

    parts = [escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return escape(text)
    marked = (Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts))
    return Markup("").join(marked)
