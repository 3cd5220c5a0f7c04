"""Settings as rows for people: variable, value, source, description. Secrets are masked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, SecretStr

from service.config import Settings

_PASSWORD = re.compile(r"(://[^:/@]*:)[^@/]*@")


def rows(settings: Settings) -> list[dict[str, str]]:
    """One row for every setting, nested ones as ``TANBA_PART__NAME``."""
    return list(_rows(settings, "TANBA"))


def _rows(part: BaseModel, prefix: str) -> Iterator[dict[str, str]]:
    for name, info in type(part).model_fields.items():
        value = getattr(part, name)
        variable = f"{prefix}{'_' if prefix == 'TANBA' else '__'}{name.upper()}"
        if isinstance(value, BaseModel):
            yield from _rows(value, variable)
        else:
            yield {
                "variable": variable,
                "value": _shown(value),
                "source": _source(variable, name, part),
                "description": info.description or "",
            }


def _source(variable: str, name: str, part: BaseModel) -> str:
    if variable in os.environ:
        return "environment"
    return "file or option" if name in part.model_fields_set else "default"


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return _PASSWORD.sub(r"\1***@", secret) if "://" in secret else "***"
    return "" if value is None else str(value)
