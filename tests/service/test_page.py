"""The page in a real browser: six cards, three languages, no script needed, nothing for axe to complain about.

With TANBA_SCREENSHOTS=DIR the pictures for the documentation are written there.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tanba.i18n import sentence
from tests.service.conftest import jpeg
from tests.service.server import Server

LANGUAGES = ("kk", "ru", "en")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is a test dependency")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("page"), TANBA_WORKERS="1", TANBA_RATES__CONTEST="1000/hour").start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as engine:
        opened = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def files(server, tmp_path_factory) -> dict[str, Path]:
    """One file for every card that a file can lead to."""
    import httpx2

    import keys
    import labeler
    from tanba.model import Disclosure, Involvement

    folder = tmp_path_factory.mktemp("cards")
    photo = Path(__file__).parents[1].parent / "samples" / "sources" / "photo.jpg"
    picture = photo.read_bytes() if photo.exists() else jpeg((60, 110, 140), (900, 600))
    answer = httpx2.post(
        f"{server.url}/v1/labels",
        headers=server.auth | {"Accept": "image/jpeg"},
        files=[("file", ("steppe.jpg", picture)), ("as", (None, "generated")), ("system", (None, "ExampleGen"))],
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    labelled = answer.content
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    keys.ensure_development_identity(elsewhere / "keys", elsewhere / "trust")
    with keys.open_identity(home=elsewhere / "keys") as signer:
        said = Disclosure(involvement=Involvement.MODIFIED, system="OtherTool")
        other = labeler.label(picture, said, signer=signer, name="steppe.jpg").content
    made = {
        "trusted": labelled,
        "valid": other,
        "invalid": labelled[:-40] + bytes([labelled[-40] ^ 1]) + labelled[-39:],
        "unmarked": picture,
        "unchecked": b"\x1a\x45\xdf\xa3" + bytes(200),
    }
    paths = {}
    for card, content in made.items():
        paths[card] = folder / card / ("film.mkv" if card == "unchecked" else "steppe.jpg")
        paths[card].parent.mkdir()
        paths[card].write_bytes(content)
    (folder / "id").write_text(answer.headers["x-label-id"])
    paths["id"] = folder / "id"
    return paths


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1100, "height": 900}, color_scheme="light")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("request", lambda request: complaints.append(request.url) if _foreign(request.url) else None)
    yield opened
    context.close()
    assert not [item for item in complaints if "status of 4" not in item]


def _foreign(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1", "data:"))


def axe(page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    assert not found, json.dumps([(item["id"], item["nodes"][0]["html"][:200]) for item in found], ensure_ascii=False)


def shoot(page, name: str) -> None:
    if folder := os.environ.get("TANBA_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"page-{name}.png"), full_page=True)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_reader_sends_a_file_and_reads_the_card_in_their_language(server, page, files, lang):
    from tanba.i18n import sentence

    page.goto(f"{server.url}/?lang={lang}")
    assert page.locator("html").get_attribute("lang") == lang
    assert page.locator("h1").inner_text() == sentence("page-title", lang)
    axe(page)
    shoot(page, f"form-{lang}")
    page.set_input_files("#file", files["trusted"])
    page.locator("button[type=submit]").click()
    assert page.locator("h1").inner_text() == sentence("verdict-trusted", lang)
    assert sentence("page-own", lang) in page.locator(".own").inner_text()
    page.locator("summary").click()
    axe(page)
    shoot(page, f"trusted-{lang}")


@pytest.mark.parametrize("card", ["trusted", "valid", "invalid", "unmarked", "unchecked"])
def test_every_verdict_has_its_card_and_says_what_it_does_not_mean(server, page, files, card):
    from tanba.i18n import sentence

    page.goto(f"{server.url}/?lang=en")
    page.set_input_files("#file", files[card])
    page.locator("button[type=submit]").click()
    assert page.locator("h1").inner_text() == sentence(f"verdict-{card}", "en")
    assert sentence(f"verdict-{card}.note", "en") in page.locator("main").inner_text()
    assert "human-made" not in page.locator("h1").inner_text().lower()
    axe(page)
    shoot(page, f"{card}-en")


def test_the_sixth_card_shows_recovered_records_as_a_lead_only():
    """The service recovers nothing by itself yet; the card is rendered from a report that holds a recovery."""
    from dataclasses import replace

    from service.web import pages
    from tanba.asset import Asset
    from tanba.report import Verdict
    from verifier import Settings, verify_asset
    from verifier.render.view import view

    report = verify_asset(Asset.from_bytes(jpeg(), name="a.jpg"), Settings(isolate=False))
    found = ({"title": "steppe.jpg", "method": "watermark"},)
    shown = view(replace(report, verdict=Verdict.RECOVERED, recoveries=found), "en")
    body = pages.page(
        "result.html", "en", title="x", view=shown, own=None, code_rows=[], html_uri="data:,", json_uri="data:,"
    ).body.decode()
    assert "No label in this file, but we found its record" in body
    assert "never proof" in body
    assert "steppe.jpg" in body


def test_everything_works_without_a_script(server, browser, files):
    context = browser.new_context(java_script_enabled=False, locale="ru-RU")
    page = context.new_page()
    page.goto(server.url)
    assert page.locator("html").get_attribute("lang") == "ru"
    page.fill("#text", "Просто слова.")
    page.locator("button[type=submit]").click()
    assert page.locator("h1").inner_text() == "Маркировка не найдена"
    with page.expect_download() as download:
        page.locator("a[download$=json]").click()
    report = json.loads(Path(download.value.path()).read_text())
    assert (report["schema"], report["verdict"]) == ("tanba.report/1", "unmarked")
    with page.expect_download() as download:
        page.locator("a[download$=html]").click()
    assert "<!doctype html>" in Path(download.value.path()).read_text().lower()
    context.close()


def test_a_label_that_travels_beside_its_content_is_checked_with_it_without_a_script(server, browser, files):
    import httpx2

    from tanba.i18n import sentence

    plain = files["id"].parent / "apart"
    plain.mkdir()
    (plain / "note.txt").write_text("Words whose label stands beside them.\n")
    apart = httpx2.post(
        f"{server.url}/v1/labels",
        headers=server.auth,
        files=[
            ("file", ("note.txt", (plain / "note.txt").read_bytes())),
            ("as", (None, "generated")),
            ("carrier", (None, "sidecar")),
        ],
        timeout=30,
    )
    assert apart.status_code == 201, apart.text
    (plain / "note.c2pa").write_bytes(httpx2.get(server.url + apart.headers["location"] + "/manifest").content)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for content, manifest, verdict in (
        (plain / "note.txt", plain / "note.c2pa", "trusted"),
        (files["unmarked"], plain / "note.c2pa", "invalid"),
        (plain / "note.txt", None, "unmarked"),
    ):
        page.goto(f"{server.url}/?lang=en")
        page.set_input_files("#file", content)
        page.locator("summary").click()
        if manifest:
            page.set_input_files("#manifest", manifest)
        page.locator("button[type=submit]").click()
        assert page.locator("h1").inner_text() == sentence(f"verdict-{verdict}", "en")
    context.close()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_label_alone_is_asked_for_its_content_and_the_field_is_in_order(lang, server, page, files):
    from tanba.i18n import sentence

    alone = files["id"].parent / f"alone-{lang}.c2pa"
    alone.write_bytes(b"anything")
    page.goto(f"{server.url}/?lang={lang}")
    page.locator("summary").click()
    axe(page)
    page.set_input_files("#manifest", alone)
    page.locator("button[type=submit]").click()
    assert page.get_by_role("alert").inner_text() == sentence("page-apart-alone", lang)
    assert page.locator("#manifest").is_visible()
    axe(page)
    shoot(page, f"apart-{lang}")


def test_a_content_and_its_label_are_dropped_together(server, page):
    page.goto(f"{server.url}/?lang=en")
    page.evaluate(
        """() => {
            const carried = new DataTransfer();
            carried.items.add(new File(["label"], "a.C2PA"));
            carried.items.add(new File(["words"], "a.txt"));
            const frame = document.querySelector("[data-drop]");
            frame.dispatchEvent(new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true}));
        }"""
    )
    names = [page.evaluate(f"document.getElementById('{name}').files[0].name") for name in ("file", "manifest")]
    assert names == ["a.txt", "a.C2PA"]
    assert page.locator("#manifest").is_visible()


def test_the_keyboard_alone_is_enough(server, page):
    page.goto(f"{server.url}/?lang=en")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "text":
            break
    page.keyboard.type("A text without a label.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".answers")
    assert page.locator("h1").inner_text() == "No label found"


def test_a_reader_contests_a_label_and_follows_the_case(server, page, files):
    page.goto(f"{server.url}/labels/{files['id'].read_text()}?lang=kk")
    axe(page)
    shoot(page, "label-kk")
    page.check("#reason-not_ai")
    page.fill("#statement", "Бұл суретті мен түсірдім. <script>alert(1)</script>")
    page.locator("button[type=submit]").click()
    number = page.locator("code.big").inner_text()
    assert re.fullmatch(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){2}", number)
    axe(page)
    shoot(page, "case-kk")
    page.goto(f"{server.url}/contests?lang=kk")
    page.fill("#number", number.lower())
    page.locator("button[type=submit]").click()
    assert page.locator("code.big").inner_text() == number


def test_a_contest_says_that_it_is_kept_and_loses_no_word_when_something_is_missing(service):
    label_id = service.label(jpeg()).json()["label_id"]
    kept = {"en": "is kept with the case", "ru": "хранится вместе с обращением", "kk": "сақталады"}
    for lang, words in kept.items():
        address = f"/labels/{label_id}"
        for text in (service.http.get(f"{address}?lang={lang}").text, service.http.get(f"/contests?lang={lang}").text):
            assert words in text, lang
            assert sentence("page-privacy", lang) not in text
    said = "I drew it myself & can <b>prove</b> it."
    answer = service.http.post(f"/labels/{label_id}/contest?lang=en", data={"statement": said})
    assert answer.status_code == 422
    assert "I drew it myself &amp; can &lt;b&gt;prove&lt;/b&gt; it.</textarea>" in answer.text
    assert sentence("page-contest-missing", "en") in answer.text
    answer = service.http.post(f"/labels/{label_id}/contest?lang=en", data={"reason": "not_ai", "statement": " "})
    assert 'value="not_ai" checked' in answer.text


@pytest.mark.parametrize("number", ["urn:c2pa:nothing-of-this-name", "foo", "urn:c2pa:%00", "x" * 300])
@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_a_mistyped_number_of_a_label_is_answered_in_words(service, number, lang):
    answer = service.http.get(f"/labels/{number}?lang={lang}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert sentence("page-label-none", lang) in answer.text
    assert sentence("page-failed", lang) not in answer.text


def test_the_page_of_a_withdrawn_label_says_when(service):
    label_id = service.label(jpeg()).json()["label_id"]
    body = {"reason": "the wrong picture"}
    done = service.http.post(f"/v1/labels/{label_id}/withdraw", json=body, headers=service.auth).json()
    page = service.http.get(f"/labels/{label_id}?lang=en").text
    assert f"<dd>{done['withdrawn_at'][:10]} {done['withdrawn_at'][11:19]} UTC</dd>" in page


def test_an_empty_form_and_an_unknown_case_are_answered_in_words(server, page):
    page.goto(f"{server.url}/?lang=en")
    page.locator("button[type=submit]").click()
    assert "Choose a file" in page.get_by_role("alert").inner_text()
    page.goto(f"{server.url}/contests?lang=en&number=AAAA-AAAA-AAAA")
    assert page.get_by_role("alert").inner_text()
    axe(page)


def test_the_api_reference_is_readable_without_a_script_from_elsewhere(server, page):
    page.goto(f"{server.url}/docs")
    assert "/v1/verifications/by-hash/{sha256}" in page.locator("main").inner_text()
    axe(page)


def test_the_api_reference_lists_every_field_of_a_form_with_its_meaning(server, page):
    """What a newcomer sends first is a form; its fields stand there with kind, values and meaning, and once."""
    page.goto(f"{server.url}/docs")
    for path, fields in {
        "/v1/labels": ["file", "text", "as", "system", "lang", "visible", "parent"],
        "/v1/verifications": ["file", "text", "manifest"],
        "/v1/verifications/batch": ["file"],
        "/v1/labels/batch": ["file", "text", "webhook_url", "as"],
    }.items():
        summary = page.locator("summary", has=page.get_by_text("POST", exact=True)).filter(
            has=page.get_by_text(path, exact=True)
        )
        summary.click()
        table = page.get_by_role("region", name=f"multipart/form-data: POST {path}", exact=True)
        rows = {row.locator("td").first.inner_text(): row for row in table.locator("tbody tr").all()}
        assert set(fields) <= set(rows), path
        for name, row in rows.items():
            assert row.locator("td").nth(2).inner_text().strip(), f"{path}: {name} is not explained"
    labels = page.get_by_role("region", name="multipart/form-data: POST /v1/labels", exact=True)
    assert "generated | modified | composite | assisted | human" in labels.inner_text()
    axe(page)


def test_pages_carry_a_strict_policy_and_titles_out_of_files_cannot_break_out(service):
    import html.parser

    from tanba.model import Disclosure  # noqa: F401 -- the title below travels through a real manifest

    evil = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
    made = service.label(jpeg((9, 9, 9)), name="x.jpg", title=evil, system=evil, headers={"Accept": "image/jpeg"})
    answer = service.http.post("/?lang=en", files={"file": (f"{evil}.jpg", made.content)})
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy

    class Scan(html.parser.HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.bad: list[str] = []

        def handle_starttag(self, tag, attrs) -> None:
            names = dict(attrs)
            if (tag == "script" and names.get("src") != "/static/drop.js") or any(
                name.startswith("on") for name in names
            ):
                self.bad.append(tag)
            if str(names.get("href", "")).lower().startswith("javascript:"):
                self.bad.append("href")

    report = base64.b64decode(re.search(r'href="data:text/html;charset=utf-8;base64,([^"]+)"', answer.text)[1]).decode()
    for text in (answer.text, report):
        scan = Scan()
        scan.feed(text)
        assert scan.bad == []
        assert "alert(1)" in text  # it is shown, as words
