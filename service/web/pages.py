"""The page: drop a file or paste a text, read one of six cards; look at a label, contest it, follow the answer.

Rendered on the server from the same words and parts as the filed report; works without JavaScript, asks nothing from
elsewhere, keeps nothing: the downloads are ``data:`` links inside the answer. English is only the API's reference.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from service import problems
from service.api import uploads
from service.api.explain import words as code_words
from service.api.labels import LABEL_ID, LabelId
from service.api.schemas import Contest
from service.db.models import Label
from service.deps import StateDep, address, anonymous
from service.problems import NotFound, TooManyRequests, Unauthenticated
from service.usecases import contests, labels, verifications
from service.usecases.contests import Reason
from service.web import reference
from tanba.errors import TanbaError
from tanba.i18n import LANGUAGES, NAMES, accept_language, sentence
from tanba.report import AiState
from tanba.wire import to_compact
from verifier.render import html
from verifier.render.safe import clean
from verifier.render.terms import term
from verifier.render.words import moment

HOME = Path(__file__).parent
routes = APIRouter(include_in_schema=False)
Lang = Annotated[str | None, Query(alias="lang", max_length=8)]


def install(app: FastAPI) -> None:
    """Routes and static files."""
    app.include_router(routes)
    app.mount("/static", StaticFiles(directory=HOME / "static"), name="static")


@cache
def environment() -> Environment:
    """The filed report's environment (everything escaped, its filters) with our templates before its own."""
    return html.environment().overlay(loader=FileSystemLoader([HOME / "templates", html.TEMPLATES]))


def page(template: str, lang: str, *, title: str, status: int = 200, **values: Any) -> HTMLResponse:
    """One page in one language."""
    text = (
        environment()
        .get_template(template)
        .render(
            t=partial(_say, lang),
            lang=lang,
            title=title,
            languages=[(code, NAMES[code]) for code in ("kk", "ru", "en") if code in LANGUAGES],
            **values,
        )
    )
    return HTMLResponse(
        text, status, {"Cache-Control": "no-store", "Content-Language": lang, "Vary": "Accept-Language"}
    )


def _say(lang: str, key: str, **params: Any) -> str:
    return sentence(key, lang, **params)


def language(request: Request, wanted: str | None) -> str:
    """The language that was asked for, else the browser's."""
    return wanted if wanted in LANGUAGES else accept_language(request.headers.get("accept-language"))


@routes.get("/static/report.css")
async def report_css() -> Response:
    """The filed report's own sheet, so that page and report look the same."""
    return Response(html.style(), media_type="text/css", headers={"Cache-Control": "public, max-age=300"})


@routes.get("/")
async def form(request: Request, lang: Lang = None) -> HTMLResponse:
    """Ask for a file or a text."""
    spoken = language(request, lang)
    return _form(spoken)


def _form(lang: str, problem: str | None = None, *, apart: bool = False) -> HTMLResponse:
    return page(
        "form.html",
        lang,
        title=sentence("page-title", lang),
        status=422 if problem else 200,
        problem=problem,
        apart=apart,
    )


@routes.post("/")
async def check(request: Request, state: StateDep, lang: Lang = None) -> HTMLResponse:
    """The card for what was sent."""
    spoken = language(request, lang)
    try:
        caller = anonymous(state)
        if not caller.scopes:
            raise Unauthenticated("this service checks for known clients only")
        who = state.rates.address_key(address(request))
        await state.rates.hit("verify", who, caller.verify_rate)
        async with (
            state.rates.slot("verify", who, caller.verify_concurrency),
            uploads.receive(request, state, most_files=2) as upload,
        ):
            apart = upload.one("manifest")
            if not upload.files.get("file"):
                said = sentence("page-apart-alone" if apart else "page-nothing", spoken)
                return _form(spoken, said, apart=bool(apart))
            found = upload.files["file"][0]  # a file counts before a text that stands in the same form
            manifest = uploads.manifest_bytes(state, apart) if apart else None
            answer = await verifications.verify_for_page(state, found, spoken, manifest=manifest)
    except TanbaError as error:
        return failed(request, spoken, error)
    return page(
        "result.html",
        spoken,
        title=answer.view.words.headline,
        view=answer.view,
        own=answer.own,
        code_rows=[(row.code, row.bucket_text, row.clause, row.text) for row in answer.view.codes],
        html_uri=_data_uri("text/html", answer.html.encode()),
        json_uri=_data_uri("application/json", to_compact(answer.report)),
    )


def failed(request: Request, lang: str, error: TanbaError) -> HTMLResponse:
    """The card for work that could not be done, or for a label that is not ours, with the status it means."""
    unknown = isinstance(error, NotFound) and error.code == "tanba.label.not_found"
    request.scope["tanba.error_code"] = error.code
    status, _, headers = problems.from_error(error)
    response = page(
        "failed.html",
        lang,
        title=sentence("page-label-none" if unknown else "page-failed", lang),
        status=status,
        unknown=unknown,
        sentence=None if unknown else code_words(error.code, lang),
        code=error.code,
        request_id=request.scope.get("tanba.request_id", "—"),
    )
    response.headers.update(headers)
    return response


@routes.get("/labels/{label_id}")
async def label(request: Request, label_id: str, state: StateDep, lang: Lang = None) -> HTMLResponse:
    """One label that was issued here, with the form to contest it. Whatever was typed is answered in words."""
    spoken = language(request, lang)
    try:
        if not LABEL_ID.fullmatch(label_id):
            raise NotFound("this is no number of a label", code="tanba.label.not_found")
        row = await run_in_threadpool(labels.find, state, label_id)
    except TanbaError as error:
        return failed(request, spoken, error)
    return _label_page(spoken, row)


def _label_page(
    lang: str, row: Label, problem: str | None = None, given: Mapping[str, Any] | None = None
) -> HTMLResponse:
    """``given``: what was written into the form that is shown again."""
    return page(
        "label.html",
        lang,
        title=sentence("page-label", lang),
        status=422 if problem else 200,
        label=row,
        issued=moment(row.created_at),
        withdrawn=moment(row.withdrawn_at),
        reason=clean(row.withdrawn_reason, 4000) if row.withdrawn_reason else None,
        stated=_stated(row, lang),
        reasons=[item.value for item in Reason],
        problem=problem,
        given=given or {},
    )


def _stated(row: Label, lang: str) -> str:
    """What the issuer said, in words: the involvement, the source type, the system."""
    said = row.disclosure
    involvement = {"human": AiState.HUMAN_DECLARED.value}.get(said["involvement"], said["involvement"])
    parts = [sentence(f"answer-ai-{involvement}", lang)]
    parts += [term("source", said["source_type"], lang)] if said.get("source_type") else []
    parts += [clean(said[name]) for name in ("system", "system_version", "provider") if said.get(name)]
    return " · ".join(parts)


@routes.post("/labels/{label_id}/contest")
async def contest(request: Request, label_id: LabelId, state: StateDep, lang: Lang = None) -> Response:
    """Open a case and lead to its page."""
    spoken = language(request, lang)
    try:
        fields = await request.form(max_files=0, max_fields=8, max_part_size=64 << 10)
        given = {name: value for name, value in fields.items() if name in {"reason", "statement"}}
        row = await run_in_threadpool(labels.find, state, label_id)
        try:
            body = Contest.model_validate({**given, "lang": spoken})
        except ValidationError:
            return _label_page(spoken, row, sentence("page-contest-missing", spoken), given)
        await state.rates.hit("contest", state.rates.address_key(address(request)), state.settings.rates.contest)
        case = await run_in_threadpool(contests.open_case, state, label_id, body.reason, body.statement, spoken)
    except TanbaError as error:
        return failed(request, spoken, error)
    return RedirectResponse(f"/contests?number={case.number}&fresh=1&lang={spoken}", 303)


@routes.get("/contests")
async def case(
    request: Request,
    state: StateDep,
    lang: Lang = None,
    number: Annotated[str | None, Query(max_length=40)] = None,
    fresh: Annotated[str | None, Query(max_length=1)] = None,
) -> HTMLResponse:
    """Follow a case by its number."""
    spoken = language(request, lang)
    found, problem, status = None, None, 200
    if number:
        try:
            who = state.rates.address_key(address(request))
            await state.rates.hit("follow", who, state.settings.rates.anonymous_verify)
            found = await run_in_threadpool(contests.find, state, number)
        except (NotFound, TooManyRequests) as error:
            problem, status = code_words(error.code, spoken), problems.status_of(error)
        except TanbaError as error:
            return failed(request, spoken, error)
    return page(
        "case.html",
        spoken,
        title=sentence("page-case-follow", spoken),
        status=status,
        case=found,
        answer=clean(found.answer, 4000) if found and found.answer else None,
        problem=problem,
        fresh=bool(fresh and found),
    )


@routes.get("/docs")
async def docs(request: Request, state: StateDep, lang: Lang = None) -> HTMLResponse:
    """The API's reference out of the OpenAPI document, readable without a script from elsewhere."""
    document = request.app.openapi()
    return page(
        "docs.html",
        language(request, lang),
        title="API",
        base=state.settings.base_url,
        intro=reference.intro(document),
        groups=reference.groups(document),
    )


def _data_uri(media_type: str, data: bytes) -> str:
    return f"data:{media_type};charset=utf-8;base64,{base64.b64encode(data).decode('ascii')}"
