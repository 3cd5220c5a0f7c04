"""``/v1/explain/{code}``: what a code means and what to do, in the reader's language."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import BaseModel

from service.problems import NotFound, documented
from tanba import codes
from tanba.i18n import accept_language, has, sentence

routes = APIRouter(prefix="/v1", tags=["basis"], responses=documented(404, 422))


class Explanation(BaseModel):
    """One code in words."""

    code: str
    lang: str
    text: str
    area: str | None = None
    clause: str | None = None
    bucket: str | None = None


@routes.get("/explain/{code}", summary="What a code means")
async def explain(
    code: Annotated[
        str,
        Path(
            pattern=r"^[A-Za-z][A-Za-z0-9._-]{1,100}$",
            description="Any code out of a report or an error.",
            examples=["assertion.dataHash.mismatch"],
        ),
    ],
    response: Response,
    lang: Annotated[Literal["kk", "ru", "en"] | None, Query(description="Reader's language.")] = None,
    accept_language_header: Annotated[
        str | None,
        Header(alias="Accept-Language", max_length=1000, description="Reader's language, unless `lang` says it."),
    ] = None,
) -> Explanation:
    """Codes of C2PA and CAWG, and ours. Errors carry a message and a hint of their own; here stands the background."""
    language = lang or accept_language(accept_language_header)
    text = words(code, language)
    if text is None:
        raise NotFound("no such code is known here", code="tanba.http.unknown_code")
    found = codes.find(code)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return Explanation(
        code=code,
        lang=language,
        text=text,
        area=codes.area(code),
        clause=codes.clause(code),
        bucket=found.bucket if found else None,
    )


def words(code: str, lang: str) -> str | None:
    """The sentence of a code, else of its area, else None."""
    key = codes.text_key(code)
    if has(key) or has(key, lang):
        return sentence(key, lang)
    area = codes.area(code)
    return sentence(f"area-{area}", lang) if area is not None and has(f"area-{area}") else None
