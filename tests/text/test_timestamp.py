"""Time-stamped text marks: the token's length is learnt from a first answer, and the mark still fits exactly."""

from __future__ import annotations

import pytest

from keys.tsa import LocalTsa
from labeler.text import TextOptions, label_text, prepare
from tanba.asset import Asset
from tanba.report import TimeState, Verdict
from tanba.trust import Purpose
from tests.keys.test_timestamps import reply, serving
from tests.pki import make_pki, now
from tests.text.conftest import NAMES
from tests.text.test_label import lean
from verifier.procedure import Settings, verify_asset


@pytest.fixture(scope="module")
def stamping():
    pki = make_pki(name="TSA")
    made = pki.tsa()
    authority = LocalTsa((*made.chain, pki.root), made.key)
    with serving(lambda handler, body: reply(handler, authority.respond(body, now()))) as url:
        yield pki, url


@pytest.mark.parametrize("media_type", ["text/plain", "text/markdown", "text/html", "application/json"])
@pytest.mark.parametrize("compact", [False, True])
def test_a_stamped_mark_fits_and_its_time_is_confirmed(desk, stamping, media_type, compact):
    pki, url = stamping
    for _ in range(3):
        options = TextOptions(timestamp_url=url, compact=compact)
        made = label_text(
            prepare(b"{}\n" if media_type == "application/json" else b"a\n", media_type), lean(), desk.signer, options
        )
        trust = desk.pki.store(pki.trust_list("tsa", Purpose.TSA))
        beside = made.store if media_type == "application/json" else None
        report = verify_asset(
            Asset.from_bytes(made.output, name=NAMES[media_type]), Settings(trust=trust), manifest=beside
        )
        assert report.verdict is Verdict.TRUSTED
        assert report.answers.time.state is TimeState.TIMESTAMPED
        assert made.signatures <= (3 if compact else 2)
