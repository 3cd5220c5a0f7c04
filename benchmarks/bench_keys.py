"""What a signature costs, per algorithm and provider: ``python benchmarks/bench_keys.py``.

Writes ``benchmarks/results-keys.md``. Everything is CPU time of one run, so the ratios hold although the machine may be
shared. "sign" is the bare signature through an open identity (with the check against the certificate); "label" is a
whole 64 x 64 PNG through the engine, with manifest, hashing and embedding. The KMS, Vault and remote rows run against
local doubles: they show what Tanba adds, not what a network or AWS costs. Options: ``--rounds N``, ``--quick``.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from keys import lifecycle, open_identity, timestamping, tsa
from keys.algorithms import ALGORITHMS
from keys.development import utc_now
from keys.lifecycle import Plan
from tanba.engine.write import sign
from tests.keys import doubles
from tests.keys.conftest import DEFINITION

HERE = Path(__file__).resolve().parent
SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
CLAIM = os.urandom(1500)
"""As long as a usual ToBeSigned."""
SECRETS = {"env:PIN": "1234", "env:TOKEN": "t0ken", "env:PASS": "correct horse"}


@dataclass(frozen=True)
class Row:
    what: str
    open_ms: float
    sign_ms: float
    label_ms: float
    size: int


def median(work: Callable[[], object], rounds: int) -> float:
    """Median CPU milliseconds of this process, after one round to warm up."""
    work()
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append((time.process_time() - started) * 1000)
    return statistics.median(times)


def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 90, 30)).save(stream, "PNG")
    return stream.getvalue()


def label(content: bytes, signer: object, url: str | None = None) -> int:
    out = io.BytesIO()
    sign(io.BytesIO(content), "image/png", DEFINITION, signer, out, timestamp_url=url)
    return len(out.getvalue())


def measure(home: Path, plan: Plan, what: str, rounds: int, content: bytes) -> Row:
    """One identity of this kind, opened and used."""
    info = lifecycle.create(home, plan, clock=utc_now, secrets=SECRETS.__getitem__)
    lifecycle.activate(home, info.name, clock=utc_now, probe=lambda _: None)

    def open_once() -> None:
        with open_identity(home=home, secrets=SECRETS.__getitem__):
            pass

    few = max(3, rounds // 20)
    opened = median(open_once, few)
    with open_identity(home=home, secrets=SECRETS.__getitem__) as signer:
        signed = median(lambda: signer.sign(CLAIM), rounds)
        whole = median(lambda: label(content, signer), rounds)
        grown = label(content, signer) - len(content)
    return Row(what, opened, signed, whole, grown)


@contextmanager
def softhsm(folder: Path) -> Iterator[dict[str, str] | None]:
    """A token of our own, or None where SoftHSM is not installed."""
    if not SOFTHSM.exists():
        yield None
        return
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(
        f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(folder / "conf")
    command = ["softhsm2-util", "--init-token", "--free", "--label", "bench", "--pin", "1234", "--so-pin", "12345"]
    subprocess.run(command, check=True, capture_output=True)
    yield {"module": str(SOFTHSM), "token": "bench", "pin": "env:PIN"}


def providers(home: Path, rounds: int, content: bytes, folder: Path) -> list[Row]:
    """ES256 at every provider."""
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
    rows = [
        measure(home, Plan("plain"), "file", rounds, content),
        measure(home, Plan("sealed", options={"passphrase": "env:PASS"}), "file, encrypted (scrypt)", rounds, content),
    ]
    with ExitStack() as stack:
        token = stack.enter_context(softhsm(folder))
        if token is not None:
            plan = Plan("token", provider="pkcs11", options={**token, "label": "bench"})
            rows.append(measure(home, plan, "PKCS#11 (SoftHSM)", rounds, content))
        for kind, provider, options in (
            (doubles.Kms, "aws-kms", {"key": "alias/test", "region": "eu-central-1"}),
            (doubles.Vault, "vault", {"key": "test", "token": "env:TOKEN"}),
            (doubles.Remote, "remote", {"token": "env:TOKEN"}),
        ):
            service = stack.enter_context(kind("es256", "t0ken").running())
            where = {"endpoint" if provider == "aws-kms" else "url": service.url}
            plan = Plan(provider, provider=provider, options={**where, **options}, existing=True)
            rows.append(measure(home, plan, f"{provider} (local double)", max(10, rounds // 5), content))
    return rows


def stamped(home: Path, rounds: int, content: bytes) -> tuple[float, float, int]:
    """A label without and with a time stamp of the local authority, and the bytes a stamp adds."""
    import threading

    server = tsa.server(tsa.local(home, utc_now()), utc_now)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    with open_identity(home=home) as signer, timestamping([url]) as stamps:
        without = median(lambda: label(content, signer), rounds)
        having = median(lambda: stamps.sign(lambda relay: label(content, signer, relay)), max(10, rounds // 5))
        grown = label(content, signer, stamps.url) - label(content, signer)
    server.shutdown()
    return without, having, grown


def table(rows: list[Row], first: str) -> str:
    base = rows[0]
    lines = [
        f"| {first} | open ms | sign ms | label ms | labels per CPU s | x first row | bytes added |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        rate, ratio = 1000 / row.label_ms, row.label_ms / base.label_ms
        lines.append(
            f"| {row.what} | {row.open_ms:.1f} | {row.sign_ms:.3f} | {row.label_ms:.2f} | {rate:.0f} | {ratio:.2f} | {row.size:,} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    rounds = 20 if options.quick else options.rounds
    content = picture()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        home = folder / "keys"
        by_provider = providers(home, rounds, content, folder)
        by_algorithm = [measure(home, Plan(name, name), name, rounds, content) for name in ALGORITHMS]
        fresh = folder / "stamped"
        plain = lifecycle.create(fresh, Plan("plain"), clock=utc_now)
        lifecycle.activate(fresh, plain.name, clock=utc_now, probe=lambda _: None)
        without, having, grown = stamped(fresh, rounds, content)
    text = f"""# Keys: what a signature costs

{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; medians of {rounds} rounds, CPU time of
the process (token, doubles and authority included, waiting not), one run. The machine was shared: read the ratios.
Repeat: `python benchmarks/bench_keys.py`.

## Providers (ES256)

{table(by_provider, "provider")}

A key that is not in this process costs a larger file: the engine reserves room for the signature it cannot foresee.
The last three rows run against local doubles and show Tanba's own share; a real service adds its network and quota.

## Algorithms (file key)

{table(by_algorithm, "algorithm")}

## Time stamps

A label with a stamp of the local authority takes {having:.1f} ms instead of {without:.1f} ms and {grown:,} bytes more. A real
authority adds its network.
"""
    (HERE / "results-keys.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
