"""Strings of the kind of contentauth/c2pa-attacks, and a report that holds one of them in every field."""

import base64
import dataclasses
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from tanba.report import Bucket, Finding, HistoryNode, Layer, Verdict
from tests.render import factories

STRINGS = {
    "script": "<script>alert(1)</script>",
    "attribute": "\" onmouseover=\"alert(1)\" x='",
    "image": "<img src=x onerror=alert(1)>",
    "svg": "<svg/onload=alert(1)>",
    "address": "javascript:alert(1)",
    "data": "data:text/html,<script>alert(1)</script>",
    "close": "</title></style><script>alert(1)</script>",
    "comment": "--><script>alert(1)</script><!--",
    "sql": "'; DROP TABLE reports;--",
    "template": "{{ 7*7 }}{% for x in ().__class__.__base__.__subclasses__() %}${7*7}#{7*7}",
    "format": "%s%s%n {0.__class__} $(id) `id` | sh",
    "colour": "\x1b[31mred\x1b[0m\x1b[2J",
    "link": "\x1b]8;;http://evil.example\x07click\x1b]8;;\x07",
    "title": "\x1b]0;owned\x07\x9b31m",
    "override": "invoice\u202egpj.exe",
    "isolate": "\u2067abc\u2069\u2066def",
    "arabic": "صحيفة",
    "zero": "Reu\u200bters\ufeff\u2060",
    "selectors": "A" + "".join(chr(0xE0100 + byte % 240) for byte in range(3000)),
    "tags": "ok\U000e0041\U000e0042",
    "marks": "Z" + "\u0301" * 400,
    "lookalike": "Rеuters аррӏе",
    "nul": "a\x00b\x08\x7f",
    "lines": "a\r\nb\u2028c\u2029d\x85e",
    "surrogate": "a\ud800b\udfff",
    "long": "x" * 200_000,
    "formula": '=HYPERLINK("http://evil.example","x")',
    "at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "tab": "\t=1+1",
    "empty": "",
    "blank": " \u3164\u115f ",
}  # fmt: skip

JPEG_THAT_IS_HTML = "data:image/jpeg;base64," + base64.b64encode(b"<script>alert(1)</script>").decode()
EVIL_SVG = "data:image/svg+xml;base64," + base64.b64encode(b"<svg onload='alert(1)'/>").decode()


def report(text: str):
    """A report in which every free string is ``text``: names, titles, codes, subjects, addresses, dates, states."""
    filled = _fill(factories.report(Verdict.INVALID), text)
    node = HistoryNode(
        title=text, state=text, relationship=text, label=text, format=text, software=text, signer=text,
        digital_source_type=text, codes=(text,), redacted=(text,), thumbnail=EVIL_SVG,
        actions=({"action": text, "when": text, "software": text, "digital_source_type": text, "description": text, "reason": text},),
        identities=({"type": text, "issuer": text, "identities": [{"type": text, "name": text, "uri": text}]},),
        ingredients=(HistoryNode(text, "invalid", thumbnail=JPEG_THAT_IS_HTML), HistoryNode(text, "valid", thumbnail=text)),
    )  # fmt: skip
    findings = tuple(Finding(text, bucket, Layer.C2PA, text, text, {"list": text, "x": text}) for bucket in Bucket)
    notes = tuple(
        Finding(code, Bucket.INFORMATIONAL, Layer.TANBA, text, text, dict.fromkeys(names.split(), text))
        for code, names in (
            ("tanba.trust.list_frozen", "list"), ("tanba.text.sections_unchanged", "numbers count total foreign foreign_numbers in_order signer"),
            ("tanba.text.mark_encoded", "encoding"), ("tanba.revocation.revoked_later", "since reason"),
        )
    )  # fmt: skip
    return dataclasses.replace(
        filled,
        history=(node,),
        findings=(*findings, *notes),
        recoveries=({"title": text, "method": text, "manifest_id": text},),
        second_opinion={
            "engine": text, "version": text, "agrees": False,
            "differences": [{"question": text, "ours": text, "theirs": text, "cause": text, "cause_code": text}],
        },
    )  # fmt: skip


def _fill(value: Any, text: str) -> Any:
    if isinstance(value, Enum) or value is None or isinstance(value, (bool, int, float, datetime)):
        return value
    if isinstance(value, str):
        return text
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(
            value, **{item.name: _fill(getattr(value, item.name), text) for item in dataclasses.fields(value)}
        )
    if isinstance(value, Mapping):
        return {key: _fill(item, text) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_fill(item, text) for item in value)
    return value
