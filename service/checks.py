"""Values of a request against the model that describes them; what does not fit is answered as FastAPI would (422)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


def checked(model: type[M], values: Mapping[str, Any], where: str) -> M:
    """An instance of the model. ``where`` is the part of the request: body, query, header.

    Raises ``RequestValidationError``.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise misfit(error, where) from error


def checked_json(model: type[M], body: bytes) -> M:
    """An instance of the model out of a JSON body. Raises ``RequestValidationError``."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise misfit(error, "body") from error


def misfit(error: ValidationError, where: str) -> RequestValidationError:
    """Where and why, without the values: they can be content or personal data."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return RequestValidationError([{**item, "loc": (where, *item["loc"])} for item in found])
