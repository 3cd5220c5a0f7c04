"""What labelling and verifying pictures costs, beside the floor and beside others: ``python benchmarks/bench_images.py``.

Writes ``benchmarks/results-images.md``. Times are CPU milliseconds of this process, medians, because the machine may be
shared; the floor (one SHA-256 of the bytes and one ES256 signature) is measured in the same run. Options: ``--rounds N``,
``--files N`` (folder throughput), ``--quick``.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import io
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import c2pa
import encypher_c2pa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image, ImageChops

from benchmarks.costs import load, timed

HERE = Path(__file__).resolve().parent
PHOTO = HERE.parent / "samples" / "sources" / "photo.jpg"
SIZES = {"1 MP": (1154, 866), "12 MP": (4000, 3000)}
FORMATS = {"JPEG": {"quality": 90}, "PNG": {"compress_level": 1}, "WEBP": {"quality": 90, "method": 0}}


@dataclass(frozen=True)
class Bench:
    """Everything that is made once."""

    signer: object
    trust: object
    root_pem: str
    rounds: int


def picture(size: tuple[int, int], kind: str) -> bytes:
    """A real photograph at this size, with sensor-like noise so that it compresses as a photograph does."""
    photo = Image.open(PHOTO).convert("RGB").resize(size, Image.Resampling.BICUBIC)
    noise = Image.effect_noise(size, 12).convert("RGB")
    out = io.BytesIO()
    ImageChops.add(photo, noise, scale=1, offset=-128).save(out, kind, **FORMATS[kind])
    return out.getvalue()


def cpu(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median CPU milliseconds of each, taken in turns, so that a busy neighbour disturbs all of them alike."""
    spent: dict[str, list[float]] = {what: [] for what in works}
    for turn in range(rounds + 1):
        for what, work in works.items():
            gc.collect()
            start = time.process_time()
            work()
            if turn:
                spent[what].append((time.process_time() - start) * 1000)
    return {what: statistics.median(values) for what, values in spent.items()}


class PlainC2pa:
    """c2pa-python used directly, with the same checks: probe for an old label, digests, read back and compare."""

    def __init__(self, bench: Bench) -> None:
        anchors = [{"trust_anchors": bench.root_pem, "trust_kind": "manifest", "trust_uri": "https://bench.invalid/"}]
        self.settings = {
            "version": 1,
            "trust": {"anchors": anchors, "trust_config": "1.3.6.1.5.5.7.3.4\n1.3.6.1.4.1.62558.2.1\n"},
            "core": {"allowed_network_hosts": [], "allow_redirects": False},
            "verify": {"verify_after_sign": False, "remote_manifest_fetch": False, "ocsp_fetch": False},
            "builder": {"thumbnail": {"enabled": False}},
        }
        info = c2pa.C2paSignerInfo(
            alg=c2pa.C2paSigningAlg.ES256,
            sign_cert=bench.signer.chain_pem,
            private_key=bench.signer.pkcs8_pem(),
            ta_url=None,
        )
        self.signer = c2pa.Signer.from_info(info)
        self.context = c2pa.Context.from_dict(self.settings)

    def label(self, data: bytes, media_type: str, definition: dict) -> bytes:
        if c2pa.Reader.try_create(media_type, io.BytesIO(data), context=self.context) is not None:
            raise RuntimeError("labelled already")
        out = io.BytesIO()
        hashlib.sha256(data).hexdigest()
        with c2pa.Builder(definition, context=self.context) as builder:
            builder.sign(self.signer, media_type, io.BytesIO(data), out)
        made = out.getvalue()
        hashlib.sha256(made).hexdigest()
        with c2pa.Reader(media_type, io.BytesIO(made), context=self.context) as reader:
            active = json.loads(reader.json())["active_manifest"]
            if reader.get_validation_state() != "Trusted" or active is None:
                raise RuntimeError("not trusted")
        return made

    def read(self, data: bytes, media_type: str) -> str:
        """With crJSON: the only view that names the certificate."""
        with c2pa.Reader(media_type, io.BytesIO(data), context=self.context) as reader:
            json.loads(reader.json())
            json.loads(reader.crjson())
            return reader.get_validation_state()

    def read_facts(self, data: bytes, media_type: str) -> str:
        """The same, with the digest of the file and the raw manifest store, which every report of ours rests on."""
        hashlib.sha256(data).hexdigest()
        with c2pa.Reader(media_type, io.BytesIO(data), context=self.context) as reader:
            active = json.loads(reader.json())["active_manifest"]
            json.loads(reader.crjson())
            reader.resource_to_stream(f"self#jumbf=/c2pa/{active}/c2pa.signature", io.BytesIO())
            return reader.get_validation_state()


def one_picture(name: str, kind: str, bench: Bench) -> list[list[str]]:
    from labeler import LabelOptions, label
    from tanba.asset import Asset
    from tanba.engine import definition as defs
    from tanba.model import Disclosure, Involvement
    from verifier import Settings, verify_bytes

    data = picture(SIZES[name], kind)
    media_type = Asset.from_bytes(data).format.media_type
    said = Disclosure(involvement=Involvement.GENERATED, system="ExampleGen", system_version="1.2")
    key = ec.generate_private_key(ec.SECP256R1())
    plain = PlainC2pa(bench)
    definition = defs.build(said, defs.Context(moment=datetime.now(UTC), content_id="0" * 36))

    def floor() -> None:
        key.sign(hashlib.sha256(data).digest(), ec.ECDSA(hashes.SHA256()))

    def tanba(**options: bool) -> bytes:
        done = label(data, said, signer=bench.signer, trust=bench.trust, name="a", options=LabelOptions(**options))
        return done.content

    signed = tanba()
    spent = cpu(
        {
            "floor": floor,
            "label: Tanba, signature only": lambda: tanba(metadata=False),
            "label: Tanba, all layers (XMP and signature)": tanba,
            "label: plain c2pa-python, same checks": lambda: plain.label(data, media_type, definition),
            "verify: Tanba, the whole report": lambda: verify_bytes(signed, Settings(trust=bench.trust)),
            "verify: plain c2pa-python Reader": lambda: plain.read(signed, media_type),
            "verify: plain c2pa-python, digest and store too": lambda: plain.read_facts(signed, media_type),
            "verify: encypher-c2pa": lambda: encypher(signed, media_type, bench),
        },
        bench.rounds,
    )
    head = f"{name} {kind} ({len(data) / 1e6:.2f} MB)"
    print(head, {what: round(value, 2) for what, value in spent.items()}, flush=True)
    return [[head, what, f"{value:.2f}", f"{value / spent['floor']:.1f} x"] for what, value in spent.items()]


def encypher(data: bytes, media_type: str, bench: Bench) -> None:
    encypher_c2pa.verify(data, media_type, trust_pem=bench.root_pem, no_default_trust=True, telemetry=False)


def folder(files: int, home: Path) -> list[list[str]]:
    """Seconds of the command over a folder, with one and with two processes; start-up included.

    On a shared machine the wall clock says little, so CPU seconds stand beside it: where they are equal, a second idle
    core would halve the time.
    """
    rows, wall, spent = [], {}, {}
    with tempfile.TemporaryDirectory() as place:
        inputs = Path(place) / "in"
        inputs.mkdir()
        data = picture(SIZES["1 MP"], "JPEG")
        for index in range(files):
            (inputs / f"{index:05}.jpg").write_bytes(data)
        for jobs in (1, 2):
            runs = [_folder_once(inputs, Path(place) / f"out{jobs}-{turn}", jobs, home) for turn in range(2)]
            wall[jobs], spent[jobs] = (min(values) for values in zip(*runs, strict=True))
            words = f"{wall[jobs]:.2f} s, {files / wall[jobs]:.0f} files/s"
            rows.append([f"{files} x 1 MP JPEG", f"{jobs} process(es)", words, f"{spent[jobs]:.2f} CPU s"])
        apart = _halves(inputs, Path(place), home)
    possible = 2 * spent[1] / spent[2]
    rows.append(["", "two beside one", f"{wall[1] / wall[2]:.2f} x", f"target 1.8 x; {possible:.2f} x by CPU time"])
    words = f"{wall[1] / apart:.2f} x beside one process: about what this machine allows"
    rows.append(["", "two commands side by side, half of the files each", f"{apart:.2f} s", words])
    print("folder", rows, flush=True)
    return rows


def _label(inputs: Path, out: Path, jobs: int) -> list[str]:
    return [*COMMAND, "label", str(inputs), "-r", "-o", str(out), "--as", "generated", "--jobs", str(jobs), "-q"]


def _halves(inputs: Path, place: Path, home: Path) -> float:
    """Wall-clock seconds of two commands that know nothing of each other, on one core each."""
    for index, path in enumerate(sorted(inputs.iterdir())):
        half = place / f"half{index % 2}"
        half.mkdir(exist_ok=True)
        path.rename(half / path.name)
    parts = [shlex.join(_label(place / f"half{n}", place / f"apart{n}", 1)) for n in (0, 1)]
    return timed(["sh", "-c", f"{' & '.join(parts)} & wait"], environment={**os.environ, "TANBA_HOME": str(home)})[0]


def _folder_once(inputs: Path, out: Path, jobs: int, home: Path) -> tuple[float, float]:
    """Wall-clock and CPU seconds."""
    return timed(_label(inputs, out, jobs), environment={**os.environ, "TANBA_HOME": str(home)})


COMMAND = [sys.executable, "-c", "from tanba.cli import main; main()"]


def memory(home: Path) -> list[list[str]]:
    """Peak resident memory of the command for one JPEG of about 100 MB, and of a start that does nothing."""
    with tempfile.TemporaryDirectory() as place:
        big = Path(place) / "big.jpg"
        size = (9000, 7000)
        Image.merge("RGB", [Image.effect_noise(size, 90 + index) for index in range(3)]).save(big, quality=96)
        labelled = Path(place) / "labelled.jpg"
        env = {**os.environ, "TANBA_HOME": str(home)}
        mega = big.stat().st_size / 1e6
        rows = []
        for what, args in (
            ("label, all layers", ["label", str(big), "-o", str(labelled), "--as", "generated", "-q"]),
            (
                "label, --no-metadata",
                ["label", str(big), "-o", f"{labelled}2.jpg", "--as", "generated", "-q", "--no-metadata"],
            ),
            ("verify", ["verify", str(labelled), "-q"]),
        ):
            script = (
                "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
            )
            done = subprocess.run(
                [sys.executable, "-c", script, *COMMAND, *args], check=True, env=env, capture_output=True, text=True
            )
            rows.append([f"{mega:.0f} MB JPEG", what, f"{int(done.stdout.split()[-1]) / 1024:.0f} MiB", ""])
    print("memory", rows, flush=True)
    return rows


def cold_start(home: Path, bench: Bench) -> list[list[str]]:
    """Wall-clock seconds of `tanba verify FILE` from nothing, median of ten."""
    from labeler import label
    from tanba.model import Disclosure, Involvement

    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "a.jpg"
        label(PHOTO, Disclosure(involvement=Involvement.GENERATED), signer=bench.signer, trust=bench.trust, output=path)
        rows = []
        for what, args in (("tanba verify FILE", []), ("tanba verify FILE --json", ["--json"])):
            spent = []
            for _ in range(11):
                start = time.perf_counter()
                subprocess.run(
                    [*COMMAND, "verify", str(path), *args],
                    check=True,
                    capture_output=True,
                    env={**os.environ, "TANBA_HOME": str(home)},
                )
                spent.append(time.perf_counter() - start)
            rows.append(["start", what, f"{statistics.median(spent[1:]):.3f} s", "target 0.35 s"])
    print("cold start", rows, flush=True)
    return rows


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--files", type=int, default=1500)
    parser.add_argument("--quick", action="store_true", help="few rounds, no large files, nothing written")
    options = parser.parse_args()
    import keys
    from tanba import trustdir
    from tanba.trust import Purpose

    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        keys.ensure_development_identity(home / "keys", home / "trust")
        trust = trustdir.load(home / "trust")
        root = trust.of(Purpose.MANIFEST)[0].anchors_pem
        with keys.open_identity(home=home / "keys") as signer:
            bench = Bench(signer, trust, root, 3 if options.quick else options.rounds)
            sizes = ["1 MP"] if options.quick else list(SIZES)
            rows = [row for name in sizes for kind in FORMATS for row in one_picture(name, kind, bench)]
            starts = cold_start(home, bench)
        folders = folder(100 if options.quick else options.files, home)
        peaks = [] if options.quick else memory(home)
    if not options.quick:
        write(rows, [*folders, *peaks, *starts])


def write(rows: list[list[str]], others: list[list[str]]) -> None:
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {load()}"
    text = f"""# Pictures

Written by `bench_images.py` on {when}; {machine}; c2pa-python {c2pa.__version__ if hasattr(c2pa, "__version__") else ""}
({c2pa.sdk_version()}), encypher-c2pa {encypher_c2pa.__version__}.

CPU milliseconds, medians. The floor is one SHA-256 of the bytes and one ES256 signature.

{table(["picture", "what", "ms", "floor"], rows)}

{table(["input", "what", "result", ""], others)}
"""
    (HERE / "results-images.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
