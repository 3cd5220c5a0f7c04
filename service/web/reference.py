"""The OpenAPI document as the rows that ``/docs`` shows: what to send, as a form or as JSON, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FORM = "multipart/form-data"
_FIRST = ("labels", "verification", "jobs")
_NOT_SAID: tuple[Any, ...] = (None, False, "", [])


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter or field."""

    name: str
    kind: str
    text: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """One way to send the body."""

    media_type: str
    fields: tuple[Row, ...]
    example: str | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked."""

    method: str
    path: str
    summary: str
    paragraphs: tuple[str, ...]
    samples: tuple[str, ...]
    parameters: tuple[Row, ...]
    body_text: str
    bodies: tuple[Body, ...]
    answers: tuple[tuple[str, str], ...]
    example: str | None
    """An answer, as JSON."""


def intro(document: Mapping[str, Any]) -> list[str | list[str]]:
    """The document's description: paragraphs and lists of points."""
    parts = document["info"]["description"].replace("**", "").strip().split("\n\n")
    return [part.removeprefix("* ").split("\n* ") if part.startswith("* ") else part for part in parts]


def groups(document: Mapping[str, Any]) -> list[tuple[str, list[Operation]]]:
    """Every operation under its tag, what callers need first before the rest."""
    schemas = document["components"]["schemas"]
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            made = _operation(path, method, operation, schemas)
            found.setdefault(operation.get("tags", ["other"])[0], []).append(made)
    first = {tag: place for place, tag in enumerate(_FIRST)}
    return sorted(found.items(), key=lambda item: first.get(item[0], len(first)))


def _operation(path: str, method: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Operation:
    request = operation.get("requestBody", {})
    content = request.get("content", {})
    in_form = set(content.get(_FORM, {}).get("schema", {}).get("properties", {}))
    parameters = operation.get("parameters", [])
    return Operation(
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        paragraphs=tuple(operation.get("description", "").split("\n\n")),
        samples=tuple(item["source"] for item in operation.get("x-codeSamples", [])),
        # A statement that the form has too is listed there, once.
        parameters=tuple(_parameter(item) for item in parameters if item["name"] not in in_form),
        body_text=request.get("description", ""),
        bodies=tuple(_body(kind, item, schemas) for kind, item in content.items()),
        answers=tuple((status, found["description"]) for status, found in sorted(operation["responses"].items())),
        example=_answer(operation["responses"], schemas),
    )


def _parameter(item: Mapping[str, Any]) -> Row:
    schema = item.get("schema", {})
    text = item.get("description") or schema.get("description") or ""
    return Row(item["name"], f"{item['in']}: {_kind(schema)}", _told(text, schema), bool(item.get("required")))


def _body(media_type: str, item: Mapping[str, Any], schemas: Mapping[str, Any]) -> Body:
    schema = _resolved(item.get("schema", {}), schemas)
    required = set(schema.get("required", []))
    fields = []
    for name, found in schema.get("properties", {}).items():
        field = _resolved(found, schemas)
        fields.append(Row(name, _kind(field), _told(field.get("description", ""), field), name in required))
    example = item.get("example", schema.get("example"))
    note = "the bytes of the file, under its own media type or this one" if schema.get("format") == "binary" else ""
    return Body(media_type, tuple(fields), _json(example), note)


def _answer(responses: Mapping[str, Any], schemas: Mapping[str, Any]) -> str | None:
    for status, found in responses.items():
        if status.startswith("2"):
            item = found.get("content", {}).get("application/json", {})
            return _json(item.get("example", _resolved(item.get("schema", {}), schemas).get("example")))
    return None


def _json(example: Any) -> str | None:
    return None if example is None else json.dumps(example, indent=2, ensure_ascii=False)


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind a reference, with what stands beside the reference."""
    if (ref := schema.get("$ref")) is None:
        return schema
    return {**schemas[ref.rpartition("/")[2]], **{key: item for key, item in schema.items() if key != "$ref"}}


def _kind(schema: Mapping[str, Any]) -> str:
    """The type in a word or two, or the values that are allowed."""
    if (options := schema.get("anyOf")) is not None:
        return " or ".join(dict.fromkeys(_kind(item) for item in options if item.get("type") != "null"))
    if (values := schema.get("enum")) is not None:
        return " | ".join(str(value) for value in values)
    if "const" in schema:
        return str(schema["const"])
    match schema.get("type"):
        case "array":
            return f"{_kind(schema.get('items', {}))}, repeatable"
        case "string":
            return {"binary": "file", "date-time": "time (RFC 3339)"}.get(schema.get("format", ""), "text")
        case "boolean":
            return "true | false"
        case "integer" | "number":
            return "number"
        case _:
            return "object"


def _told(text: str, schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    said = "" if any(default is item or default == item for item in _NOT_SAID) else f"Default: {_plain(default)}."
    return " ".join(part for part in (text, said) if part)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
