"""What labelling and verifying texts costs, beside the floor and beside others: ``python benchmarks/bench_text.py``.

Writes ``benchmarks/results-text.md``. Times are CPU milliseconds of this process, medians; the machine may be shared.
The floor is one SHA-256 of the bytes and one ES256 signature, and one plain c2pa-python sign-and-verify of a tiny PNG
is measured in the same run. Options: ``--rounds N``, ``--quick``.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import c2pa
import c2patxt
import encypher_c2pa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image

from labeler.text import PreparedText, TextOptions, label_text, prepare
from tanba.engine import definition as defs
from tanba.engine import native
from tanba.model import Disclosure, Involvement
from tanba.text.evidence import read_marked
from tests.pki import Pki, make_pki

HERE = Path(__file__).resolve().parent
SIZES = {"1 KB": 1_000, "100 KB": 100_000, "5 MB": 5_000_000}
SENTENCE = "Қазақстан туралы жаңалық: the model wrote this sentence, и эту тоже.\n"
CARRIERS = {
    "A.8": ("text/plain", "{}"),
    "A.9": ("text/markdown", "# T\n\n{}"),
    "A.7": ("text/html", "<!doctype html><html><head><title>T</title></head><body><p>{}</p></body></html>"),
    "sidecar": ("text/csv", "{}"),
}
DISCLOSURE = Disclosure(involvement=Involvement.GENERATED, system="ExampleLM")


def text(size: int, frame: str) -> bytes:
    """A text of about that many bytes."""
    unit = SENTENCE.encode()
    body = (unit * (size // len(unit) + 1))[:size].decode("utf-8", "ignore")
    return frame.format(body).encode()


def cpu(work: Callable[[], Any], rounds: int) -> float:
    """Median CPU milliseconds of one call."""
    work()
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append((time.process_time() - started) * 1e3)
    return statistics.median(times)


def plain_picture(pki: Pki, signer: Any, rounds: int) -> float:
    """One sign-and-verify of a tiny PNG with c2pa-python alone, thumbnails off, verify-after-sign as it comes."""
    image = io.BytesIO()
    Image.new("RGB", (16, 16)).save(image, "PNG")
    settings = native.settings(pki.store(), signing=True)
    settings["verify"]["verify_after_sign"] = True
    context = c2pa.Context.from_dict(settings)
    made = c2pa.Signer.from_info(
        c2pa.C2paSignerInfo(
            alg=c2pa.C2paSigningAlg.ES256, sign_cert=signer.chain_pem, private_key=signer.pkcs8_pem(), ta_url=None
        )
    )
    import json

    definition = json.dumps(_definition())

    def work() -> None:
        out = io.BytesIO()
        with c2pa.Builder(definition, context=context) as builder:
            builder.sign(made, "image/png", io.BytesIO(image.getvalue()), out)
        with c2pa.Reader("image/png", io.BytesIO(out.getvalue()), context=context) as reader:
            assert reader.get_validation_state() == "Trusted"

    return cpu(work, rounds)


def _definition() -> dict[str, Any]:
    return defs.build(DISCLOSURE, defs.Context(moment=datetime.now(UTC), content_id="1"))


def floor(data: bytes, key: ec.EllipticCurvePrivateKey, rounds: int) -> float:
    """One SHA-256 and one signature."""
    return cpu(lambda: (hashlib.sha256(data).digest(), key.sign(data[:1500], ec.ECDSA(hashes.SHA256()))), rounds)


def rows(rounds: int, quick: bool) -> list[str]:
    """The table's rows."""
    pki = make_pki()
    signer = pki.leaf().signer()
    key = ec.generate_private_key(ec.SECP256R1())
    trust, root = pki.store(), pki.root_pem.decode()
    picture = plain_picture(pki, signer, rounds)
    ed = make_pki("ed25519")
    leaf = ed.leaf()
    other = c2patxt.Signer(private_key=leaf.key, certificates=leaf.chain)
    disclosure = c2patxt.Disclosure(media_type="text/plain", model_type=c2patxt.ModelType.GENERIC)
    out = [
        f"One plain c2pa-python sign-and-verify of a 16x16 PNG: {picture:.2f} ms.",
        "",
        (
            "| text | carrier | floor ms | label ms (x floor) | label / plain PNG | verify ms | encypher-c2pa verify ms |"
            " ours / encypher | c2patxt embed / verify ms | bytes added | compact |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for size, count in SIZES.items():
        if quick and count > 100_000:
            continue
        turns = max(3, rounds // 10) if count > 1_000_000 else rounds
        for carrier, (media_type, frame) in CARRIERS.items():
            raw = text(count, frame)
            made = label_text(prepare(raw, media_type), _definition(), signer)
            beside = made.store if carrier == "sidecar" else None
            base = floor(raw, key, turns)
            label = cpu(lambda raw=raw, kind=media_type: label_text(prepare(raw, kind), _definition(), signer), turns)
            verify = cpu(
                lambda o=made.output, kind=media_type, b=beside: read_marked(o, kind, trust=trust, manifest=b), turns
            )
            judge: float | None = None
            if carrier != "sidecar":
                judge = cpu(
                    lambda o=made.output, kind=media_type: encypher_c2pa.verify(
                        o, kind, trust_pem=root, no_default_trust=True, telemetry=False
                    ),
                    turns,
                )
            peer = "-"
            if carrier == "A.8":
                words = raw.decode()
                marked = c2patxt.embed(words, other, disclosure)
                embed = cpu(lambda w=words: c2patxt.embed(w, other, disclosure), max(3, turns // 3))
                check = cpu(lambda m=marked: c2patxt.verify(m), max(3, turns // 3))
                peer = f"{embed:.1f} / {check:.1f}"
            small = label_text(PreparedText(raw, media_type), _definition(), signer, TextOptions(compact=True))
            added = len(made.output) - len(raw) if beside is None else len(made.store)
            less = len(small.output) - len(raw) if beside is None else len(small.store)
            out.append(
                f"| {size} | {carrier} | {base:.2f} | {label:.2f} ({label / base:.0f}x) | {label / picture:.2f} | {verify:.2f} | "
                f"{f'{judge:.2f}' if judge else '-'} | {f'{verify / judge:.2f}' if judge else '-'} | {peer} | {added:,} | {less:,} |"
            )
    out += ["", throughput(signer, quick)]
    return out


def throughput(signer: Any, quick: bool) -> str:
    """1 KB texts a second with two threads (the engine releases the interpreter's lock)."""
    raw = text(1000, "{}")
    total = 100 if quick else 400

    def one(_: int) -> None:
        label_text(PreparedText(raw, "text/plain"), _definition(), signer)

    rates = []
    for threads in (1, 2):
        started = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, range(total)))
        rates.append(total / (time.perf_counter() - started))
    return f"Throughput, A.8 on 1 KB, wall clock: {rates[0]:.0f} labels/s on one thread, {rates[1]:.0f} on two."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    body = "\n".join(rows(arguments.rounds, arguments.quick))
    head = "# Texts\n\nMade by `python benchmarks/bench_text.py`. CPU milliseconds, medians; ratios matter more than values.\n\n"
    if not arguments.quick:
        (HERE / "results-text.md").write_text(head + body + "\n", "utf-8")
    sys.stdout.write(body + "\n")


if __name__ == "__main__":
    main()
