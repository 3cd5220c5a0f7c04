"""What happens to texts on their way: the roads of ``tanba text survives`` and of the table in docs/text-survival.md.

Each journey takes the bytes of a file and gives the bytes that arrive at the other end. They imitate transports and
tools; where a real tool is installed it is used (Markdown renderers, HTML sanitizers, the e-mail package, a browser).
"""

from __future__ import annotations

import csv
import email.message
import email.policy
import html
import io
import json
import re
import textwrap
import unicodedata
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

Road = Callable[[bytes, str], bytes]

_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_TAGS = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Journey:
    """One road."""

    name: str
    what: str
    """What it stands for, in a few words."""
    go: Road
    needs: str | None = None
    """A Python package that it is made with."""

    @property
    def available(self) -> bool:
        """Whether it can be travelled on this machine."""
        return self.needs is None or find_spec(self.needs) is not None


def _text(change: Callable[[str], str]) -> Road:
    """A journey of characters: undecodable bytes come through as replacement characters, as in most tools."""
    return lambda raw, _: change(raw.decode("utf-8", "replace")).encode("utf-8", "replace")


def _lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _email(encoding: str) -> Road:
    def go(raw: bytes, _: str) -> bytes:
        message = email.message.EmailMessage(policy=email.policy.SMTP)
        message["Subject"] = "text"
        message.set_content(raw.decode("utf-8", "replace"), cte=encoding)
        received = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
        content = received.get_content()
        return (content if isinstance(content, str) else str(content)).encode("utf-8", "replace")

    return go


def _attachment(raw: bytes, media_type: str) -> bytes:
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message.set_content("see attachment")
    main, _, sub = media_type.partition("/")
    message.add_attachment(raw, maintype=main if main != "text" else "application", subtype=sub, filename="a")
    received = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
    part = next(iter(received.iter_attachments()))
    return bytes(part.get_content())


def _wrapped(line: str) -> list[str]:
    """Lines of 72 columns at most; words are never cut."""
    return textwrap.wrap(line, 72, break_long_words=False, break_on_hyphens=False) or [""]


def _wrap_all(text: str, end: str) -> str:
    return "\n".join(end.join(_wrapped(line)) for line in text.split("\n"))


def _flowed(text: str) -> str:
    """RFC 3676: lines wrapped at 72 columns with a trailing space."""
    return _wrap_all(text, " \n")


def _csv(text: str) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([text])
    return next(csv.reader(io.StringIO(out.getvalue(), newline="")))[0]


def _markdown_it(raw: bytes, _: str) -> bytes:
    from markdown_it import MarkdownIt

    return str(MarkdownIt("commonmark").render(raw.decode("utf-8", "replace"))).encode()


def _mistune(raw: bytes, _: str) -> bytes:
    import mistune

    return str(mistune.html(raw.decode("utf-8", "replace"))).encode()


def _python_markdown(raw: bytes, _: str) -> bytes:
    import markdown  # type: ignore[import-untyped]  # a development tool without stubs here

    return str(markdown.markdown(raw.decode("utf-8", "replace"))).encode()


def _nh3(raw: bytes, _: str) -> bytes:
    import nh3

    return str(nh3.clean(raw.decode("utf-8", "replace"))).encode()


def _bleach(raw: bytes, _: str) -> bytes:
    import bleach  # type: ignore[import-untyped]  # a development tool without stubs here

    return str(bleach.clean(raw.decode("utf-8", "replace"))).encode()


def _turbohtml(raw: bytes, _: str) -> bytes:
    import turbohtml

    return turbohtml.parse(raw.decode("utf-8", "replace")).serialize().encode()


def _visible_text(text: str) -> str:
    return html.unescape(_TAGS.sub("", text))


_ALL = (
    Journey("copy", "bytes copied as they are (cp, scp, S3, HTTP)", lambda raw, _: raw),
    Journey("crlf", "line ends become CRLF (Windows, git autocrlf)", _text(lambda t: _lf(t).replace("\n", "\r\n"))),
    Journey("lf", "line ends become LF", _text(_lf)),
    Journey("nfc", "Unicode NFC", _text(lambda t: unicodedata.normalize("NFC", t))),
    Journey("nfd", "Unicode NFD (old macOS paths, some keyboards)", _text(lambda t: unicodedata.normalize("NFD", t))),
    Journey("nfkc", "Unicode NFKC (search, model tokenizers)", _text(lambda t: unicodedata.normalize("NFKC", t))),
    Journey("trim", "white space at both ends removed (forms, APIs)", _text(str.strip)),
    Journey("trim-lines", "white space at line ends removed (editors)", _text(lambda t: re.sub(r"(?m)[ \t]+$", "", t))),
    Journey("final-newline", "a final line end added (editors)", _text(lambda t: t if t.endswith("\n") else t + "\n")),
    Journey("rewrap", "paragraphs wrapped at 72 columns", _text(lambda t: _wrap_all(t, "\n"))),
    Journey("smart-quotes", "straight quotes become typographic", _text(lambda t: re.sub(r'"([^"\n<>]*)"', "“\\1”", t))),
    Journey("strip-bom", "U+FEFF removed everywhere", _text(lambda t: t.replace("\ufeff", ""))),
    Journey("strip-variation-selectors", "variation selectors removed (sanitizers)", _text(lambda t: _SELECTORS.sub("", t))),
    Journey("strip-format", "format and default-ignorable characters removed (terminals)", _text(lambda t: _SELECTORS.sub("", "".join(c for c in t if unicodedata.category(c) != "Cf")))),
    Journey("bmp-only", "characters above U+FFFF dropped (3-byte UTF-8 databases)", _text(lambda t: "".join(c for c in t if ord(c) < 0x10000))),
    Journey("utf-16", "through UTF-16 and back (Windows, Java, JavaScript)", _text(lambda t: t.encode("utf-16").decode("utf-16"))),
    Journey("ascii", "ASCII only", _text(lambda t: t.encode("ascii", "ignore").decode())),
    Journey("json", "in a JSON string and out again", _text(lambda t: str(json.loads(json.dumps(t))))),
    Journey("json-escaped", "a JSON string, not decoded", _text(json.dumps)),
    Journey("html-escape", "escaped into HTML and read back", _text(lambda t: html.unescape(html.escape(t)))),
    Journey("html-escaped", "HTML-escaped, not decoded", _text(lambda t: html.escape(t, quote=False))),
    Journey("url", "percent-encoded and decoded (forms)", _text(lambda t: urllib.parse.unquote(urllib.parse.quote(t)))),
    Journey("csv", "in a CSV cell and out again", _text(_csv)),
    Journey("email-quoted-printable", "e-mail body, quoted-printable", _email("quoted-printable")),
    Journey("email-base64", "e-mail body, base64", _email("base64")),
    Journey("email-8bit", "e-mail body, 8bit", _email("8bit")),
    Journey("email-flowed", "e-mail body, format=flowed", _text(_flowed)),
    Journey("email-attachment", "e-mail attachment", _attachment),
    Journey("markdown", "rendered by markdown-it", _markdown_it, "markdown_it"),
    Journey("mistune", "rendered by mistune", _mistune, "mistune"),
    Journey("python-markdown", "rendered by Python-Markdown", _python_markdown, "markdown"),
    Journey("sanitize-nh3", "cleaned by nh3 (ammonia)", _nh3, "nh3"),
    Journey("sanitize-bleach", "cleaned by bleach", _bleach, "bleach"),
    Journey("reserialize", "parsed and written again by an HTML parser", _turbohtml, "turbohtml"),
    Journey("visible-text", "tags removed (feeds, crawlers)", _text(_visible_text)),
)  # fmt: skip

JOURNEYS: Mapping[str, Journey] = {item.name: item for item in _ALL}
"""All journeys by name; the browser is in :mod:`tanba.text.browser`."""
