"""Which browser origins may call the API: Starlette's CORS with a problem document for a refused preflight."""

from __future__ import annotations

import structlog
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from service import problems


class Origins(CORSMiddleware):
    """As its base, but "no" is a 403 problem instead of plain text."""

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:
            return answer
        document = problems.body(
            403,
            "tanba.http.origin_refused",
            "web pages of this origin may not call this service in this way",
            hint="browser extensions may; the operator sets TANBA_EXTENSION_ORIGINS",
            request_id=structlog.contextvars.get_contextvars().get("request_id"),
        )
        return problems.response(403, document, {"Vary": answer.headers.get("vary", "Origin")})
