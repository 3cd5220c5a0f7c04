"""HTML, PDF, CSV and folder pages: what they hold, how big they get, and that they stand alone."""

import base64
import csv as std_csv
import hashlib
import io
import re
import shutil
import subprocess
import tracemalloc
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import html5lib
import pytest
from PIL import Image

from tanba.errors import InstallationError
from tanba.i18n import LANGUAGES, sentence
from tanba.report import Bucket, Finding, Layer, Verdict
from tests.render import factories, hostile
from tests.render.factories import LIST, OLD, SAMPLES, report
from verifier.batch import Result
from verifier.render import csv, html, pdf, summary
from verifier.render.preview import Preview, preview_of, safe_thumbnail
from verifier.render.words import words
from verifier.summary_sink import SummarySink

XHTML = "{http://www.w3.org/1999/xhtml}"


def text_of(page: str) -> str:
    return " ".join("".join(html5lib.parse(page).itertext()).split())


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", SAMPLES)
def test_the_page_holds_everything_a_newsroom_files(lang, name):
    made = SAMPLES[name]()
    page = html.render(made, lang=lang)
    shown, said = text_of(page), words(made, lang)
    wanted = [said.headline, said.sentence, *(answer.text for answer in said.answers), *said.limits]
    wanted += [item.replace("`", "") for item in said.next]
    wanted += [made.asset.sha256, "2026-11-23 12:00:00 UTC", "c2pa-python 0.38.1", "tanba verify photo.jpg", "newsroom"]
    assert [item for item in wanted if " ".join(item.split()) not in shown] == []
    assert f'<html lang="{lang}">' in page


def test_the_page_shows_codes_with_their_clauses_and_list_snapshots_with_their_age():
    shown = text_of(html.render(report(), lang="en"))
    assert "claimSignature.validated" in shown
    assert "C2PA 2.4 §15.7" in shown
    assert "2026-11-01 (22 days old)" in shown
    assert "ab" * 32 in shown


def test_the_policy_allows_the_one_style_sheet_by_its_hash_and_nothing_else():
    page = html.render(report(), lang="en")
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.replace("&#39;", "'") == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in style
    assert "@import" not in style


def test_the_page_asks_nothing_of_the_network():
    tree = html5lib.parse(html.render(report(), lang="en", preview=Preview(picture="data:image/png;base64,AA==")))
    addresses = [value for element in tree.iter() for key, value in element.attrib.items() if key in ("src", "href")]
    assert addresses
    assert all(value.startswith(("data:image/", "#")) for value in addresses)


def test_a_picture_is_drawn_anew_upright_small_and_without_its_metadata(tmp_path):
    path = tmp_path / "big.jpg"
    image = Image.new("RGB", (3000, 1500), (200, 30, 30))
    exif = Image.Exif()
    exif[0x0112] = 6  # EXIF orientation: rotate 90 degrees clockwise to show
    exif[0x010E] = "secret description"
    image.save(path, exif=exif)
    made = preview_of(path)
    assert made is not None
    drawn = Image.open(io.BytesIO(base64.b64decode((made.picture or "").partition(",")[2])))
    assert drawn.size[0] < drawn.size[1] <= 720
    assert not drawn.getexif()
    assert b"secret" not in base64.b64decode((made.picture or "").partition(",")[2])


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8\xff\xe0broken", b"<svg onload='alert(1)'/>", b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, b"GIF89a" + b"\xff" * 50],
)  # fmt: skip
def test_what_cannot_be_drawn_has_no_picture_and_no_error(tmp_path, data):
    path = tmp_path / "x.svg"
    path.write_bytes(data)
    made = preview_of(path)
    assert made is None or made.picture is None


def test_a_picture_bomb_is_left_out_unread(tmp_path):
    path = tmp_path / "bomb.png"
    Image.new("1", (12_000, 12_000)).save(path)
    assert preview_of(path) is None


def test_an_excerpt_shows_hidden_characters(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("Hello\u202e world" + hostile.STRINGS["selectors"], "utf-8")
    made = preview_of(path)
    assert made is not None
    assert "‹U+202E›" in made.excerpt[0]
    assert len("".join(made.excerpt)) < 400


def test_only_small_jpeg_and_png_thumbnails_are_drawn():
    out = io.BytesIO()
    Image.new("RGB", (400, 300)).save(out, "PNG")
    good = "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
    drawn = safe_thumbnail(good)
    assert drawn is not None
    assert drawn != good
    assert drawn.startswith("data:image/jpeg;base64,")
    assert [safe_thumbnail(item) for item in (hostile.EVIL_SVG, hostile.JPEG_THAT_IS_HTML, "javascript:1", None, "data:image/png;base64,*")] == [None] * 5  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_pdf_holds_the_same_words_in_letters_that_can_be_read_and_searched(lang, tmp_path):
    pytest.importorskip("weasyprint", reason="the extra 'pdf' is not installed", exc_type=(ImportError, OSError))
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext (poppler-utils) is not on this machine")
    made = factories.expired()
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf.render(made, lang=lang))
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True)
    shown = re.sub(r"\W+", "", done.stdout)
    said = words(made, lang)
    assert re.sub(r"\W+", "", said.headline) in shown
    assert sum(re.sub(r"\W+", "", word) in shown for word in said.sentence.split()) == len(said.sentence.split())
    assert made.asset.sha256 in shown
    fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout
    assert "Noto-Sans" in fonts
    pages = done.stdout.rstrip("\f").split("\f")
    assert all(f"{number}/{len(pages)}" in page.replace(" ", "") for number, page in enumerate(pages, 1)), (
        "every sheet is numbered"
    )
    assert all(made.asset.sha256 in page for page in pages), "a loose sheet shows which file it is about"


@pytest.mark.parametrize("name", ["script", "link", "override", "tags", "nul", "arabic", "surrogate"])
def test_nothing_hides_and_nothing_runs_in_the_pdf(name, tmp_path):
    pytest.importorskip("weasyprint", reason="the extra 'pdf' is not installed", exc_type=(ImportError, OSError))
    data = pdf.render(hostile.report(hostile.STRINGS[name]), lang="en")
    assert not re.search(rb"/(JavaScript|JS|Launch|EmbeddedFile|OpenAction|AA|URI)\b", data)
    if shutil.which("pdftotext"):
        path = tmp_path / "x.pdf"
        path.write_bytes(data)
        shown = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True).stdout.decode()
        assert not set("\x1b\x07\x00\u202e\U000e0041") & set(shown)


def test_without_the_extra_a_pdf_is_refused_with_the_way_out(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "weasyprint", None)
    with pytest.raises(InstallationError) as caught:
        pdf.render(report(), lang="en")
    assert "tanba[pdf]" in (caught.value.hint or "")


def test_the_layout_engine_can_open_neither_files_nor_addresses(tmp_path):
    weasyprint = pytest.importorskip(
        "weasyprint", reason="the extra 'pdf' is not installed", exc_type=(ImportError, OSError)
    )
    secret = tmp_path / "secret.png"
    Image.new("RGB", (9, 9), (1, 2, 3)).save(secret)
    plain = pdf.from_html("<html lang=en><title>x</title><p>x</html>")
    asked = pdf.from_html(
        f"<html lang=en><title>x</title><p>x<img src='{secret.as_uri()}' alt=''><img src='http://192.0.2.1/x' alt=''></html>"
    )
    assert weasyprint
    assert b"/Subtype /Image" not in asked
    assert abs(len(asked) - len(plain)) < 2_000


def test_a_csv_row_fits_its_header_and_survives_a_strict_reader():
    text = csv.header(bom=True) + csv.row(report(), "ru") + csv.error_row("x.jpg", "tanba.input.unreadable", "kk")
    assert text.startswith("\ufeff")
    head, trusted, failed = std_csv.DictReader(io.StringIO(text[1:]), strict=True).fieldnames, *std_csv.DictReader(io.StringIO(text[1:]))  # fmt: skip
    assert tuple(head or ()) == csv.COLUMNS
    assert (trusted["verdict"], trusted["trust_list"], trusted["signed_at"]) == (
        "trusted",
        "newsroom",
        "2026-03-01T10:00:05Z",
    )
    assert (failed["verdict"], failed["failures"]) == ("unchecked", "tanba.input.unreadable")
    assert text.count("\r\n") == 3


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "|x", "%x", "＝1"])
def test_no_cell_is_a_formula(cell):
    assert re.match(r"^['‹]", csv.harmless(cell))


def disagreeing():
    return replace(report(), second_opinion={"agrees": False})


def test_the_folder_page_puts_first_what_needs_a_person():
    rows = [summary.row_of(f"{name}.jpg", "en", report=SAMPLES[name]()) for name in SAMPLES]
    rows += [
        summary.row_of("again.jpg", "en", report=report(), duplicate_of="trusted.jpg"),
        summary.row_of("odd.jpg", "en", report=disagreeing()),
        summary.row_of("lost.jpg", "en", error={"code": "tanba.input.unreadable"}),
    ]
    shown = text_of("".join(summary.render(rows, "en", title="Leak")))
    order = [
        "broken.jpg",
        "odd.jpg",
        "unchecked.jpg",
        "recovered.jpg",
        "valid.jpg",
        "unmarked.jpg",
        "trusted.jpg1212",
        "again.jpg",
    ]
    places = [shown.index(f"{name}") for name in order]
    assert places == sorted(places)
    assert "10 files were checked" in shown
    assert "Same bytes as trusted.jpg" in shown
    assert "tanba.input.unreadable" in shown


def test_the_folder_page_names_what_the_run_rests_on():
    base = replace(report().basis, command="tanba verify -r leak", trust_lists=(LIST, replace(OLD, dated=False)))
    shown = text_of("".join(summary.render([], "en", basis=base)))
    for wanted in (
        "2026-11-23 12:00:00 UTC",
        "c2pa-python 0.38.1",
        "tanba verify -r leak",
        "ab" * 32,
        "2026-11-01 (22 days old)",
        "day of adding, no date given",
    ):
        assert wanted in shown


def test_the_folder_page_is_in_the_order_of_names_and_copies_stand_together(tmp_path):
    first, second = (replace(report(), asset=replace(report().asset, sha256=digit * 64)) for digit in "12")
    path = tmp_path / "page.html"
    with ExitStack() as stack:
        sink = SummarySink(path, "en", stack=stack, basis=report().basis)
        arrived = [
            ("z.jpg", second, None),
            ("c-of-z.jpg", second, "z.jpg"),
            ("a.jpg", first, None),
            ("d-of-a.jpg", first, "a.jpg"),
        ]
        for name, made, copy in arrived:
            sink.add(Result(Path(name), made, duplicate_of=copy))
            sink.refresh()
        sink.close()
    shown = text_of(path.read_text("utf-8"))
    places = [shown.index(name) for name in ("a.jpg111", "z.jpg222", "d-of-a.jpg111", "c-of-z.jpg222")]
    assert places == sorted(places)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_folder_page_speaks(lang):
    page = "".join(summary.render([summary.row_of("a.jpg", lang, report=report())], lang))
    assert sentence("summary-trusted", lang) in text_of(page)
    assert sentence("summary-lead", lang, total=1) in text_of(page)


def test_the_folder_page_of_thousands_needs_the_memory_of_a_few():
    made = [summary.row_of(f"{place}.jpg", "en", report=SAMPLES[name]()) for place, name in enumerate(SAMPLES)]

    def peak(count: int) -> tuple[int, int]:
        tracemalloc.start()
        size = sum(len(piece) for piece in summary.render((made[place % len(made)] for place in range(count)), "en"))
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size, used

    peak(10)
    small, big = peak(500), peak(5_000)
    assert big[0] > 9 * small[0]
    # Seven groups spool at most 1 MiB each in memory, whatever their number.
    assert big[1] < 12 << 20


def test_ten_thousand_findings_are_cut_and_counted():
    many = tuple(Finding(f"x.{place}", Bucket.FAILURE, Layer.C2PA) for place in range(10_000))
    page = html.render(replace(report(Verdict.INVALID), findings=many), lang="en")
    assert "9700 more" in page
    assert len(page) < 400_000
