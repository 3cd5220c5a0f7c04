"""Reports of real files from elsewhere: every medium renders them, in every language, within bounds."""

import csv as std_csv
import io

import html5lib
import pytest

from tanba.i18n import LANGUAGES
from tests.corpus import cases, needs_corpus, path, trust
from verifier import Settings, verify
from verifier.render import csv, html, summary, terminal
from verifier.render.words import words

pytestmark = needs_corpus


@pytest.fixture(scope="module")
def reports():
    settings = Settings(trust=trust("c2pa_list_plus_eku_cfg"), thumbnails=True)
    return [verify(path(case), settings) for case in cases()]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_real_file_has_a_report_in(lang, reports):
    assert len(reports) >= 90
    for report in reports:
        said = words(report, lang)
        assert said.sentence
        assert "{" not in said.sentence + " ".join((*said.limits, *said.next, *said.notes))
        shown = terminal.render(report, lang=lang, verbosity=2)
        assert shown.startswith(report.verdict.value)
        page = html.render(report, lang=lang)
        assert page.endswith(("</html>", "</html>\n"))
        assert len(page) < 1_500_000
        assert len(next(std_csv.reader(io.StringIO(csv.row(report, lang)), strict=True))) == len(csv.COLUMNS)
    folder = "".join(summary.render((summary.row_of("x", lang, report=report) for report in reports), lang))
    assert len(html5lib.parse(folder).findall(".//{*}tbody/{*}tr")) == len(reports)
