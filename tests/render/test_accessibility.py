"""WCAG 2.1 AA in a real browser (axe), light and dark, wide and narrow, in three languages; nothing is fetched or run."""

import shutil

import pytest

from tanba.i18n import LANGUAGES
from tests.render import hostile
from tests.render.factories import SAMPLES, broken, remarks, report
from verifier.render import html, summary
from verifier.render.preview import Preview

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is a test dependency")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as engine:
        opened = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def violations(browser, path, *, dark: bool = False, width: int = 1100) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light")
    page.goto(path.as_uri())
    found = Axe().run(page, options=RULES).response["violations"]
    page.close()
    return [f"{item['id']}: {item['nodes'][0]['html'][:120]}" for item in found]


def full(lang: str) -> str:
    made = remarks(
        broken(second_opinion={"engine": "x", "agrees": False, "differences": [{"question": "state"}]}),
        "tanba.trust.no_tsa_list",
    )
    return html.render(made, lang=lang, preview=Preview(picture=PIXEL))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_axe_finds_nothing_in_a_full_report(browser, tmp_path, lang):
    path = tmp_path / "report.html"
    path.write_text(full(lang), "utf-8")
    assert violations(browser, path) == []
    assert violations(browser, path, dark=True, width=400) == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_axe_finds_nothing_in_a_folder_page(browser, tmp_path, lang):
    path = tmp_path / "folder.html"
    rows = [summary.row_of(f"{name}.jpg", lang, report=SAMPLES[name](), link=f"{name}.html") for name in SAMPLES]
    path.write_text("".join(summary.render(rows, lang)), "utf-8")
    assert violations(browser, path) == []
    assert violations(browser, path, dark=True, width=400) == []


@pytest.mark.parametrize("name", SAMPLES)
def test_axe_finds_nothing_in_any_card(browser, tmp_path, name):
    path = tmp_path / "report.html"
    path.write_text(html.render(SAMPLES[name](), lang="en"), "utf-8")
    assert violations(browser, path) == []


@pytest.mark.parametrize(
    "name", ["script", "attribute", "image", "svg", "close", "comment", "template", "address", "long"]
)
def test_a_browser_runs_nothing_and_fetches_nothing_out_of_a_hostile_report(browser, tmp_path, name):
    path = tmp_path / "hostile.html"
    path.write_text(html.render(hostile.report(hostile.STRINGS[name]), lang="en"), "utf-8")
    page = browser.new_page(viewport={"width": 800, "height": 800})
    ran: list[str] = []
    asked: list[str] = []
    page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: ran.append(message.text))
    page.goto(path.as_uri())
    page.mouse.move(200, 200)
    page.wait_for_timeout(50)
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.close()
    assert ran == []
    assert [address for address in asked if not address.startswith(("file:", "data:"))] == []
    assert sideways <= 0


def test_the_report_can_be_read_with_the_keyboard_alone(browser, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(html.render(report(), lang="en"), "utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.getAttribute('href')")
    page.close()
    assert first == "#answers"
