"""How fast the label log appends and proves: ``python benchmarks/bench_log.py [entries]`` (100,000 by default).

Measures on SQLite with ``synchronous=FULL``, on the disk of the temporary folder.
"""

from __future__ import annotations

import hashlib
import random
import statistics
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from service.db.session import Database, upgrade
from service.log import LabelLog, LogEvent, LogRecord, NoteSigner, merkle, store
from service.log.audit import audit
from service.log.source import DatabaseLog

BATCH = 1000


def record(number: int) -> LogRecord:
    digest = hashlib.sha256(b"%d" % number).hexdigest()
    return LogRecord(
        event=LogEvent.ISSUED,
        label_id=f"urn:c2pa:{uuid.uuid4()}",
        input_sha256=digest,
        output_sha256=digest,
        manifest_sha256=digest,
        kind="generated",
        profiles=("kz", "eu"),
        identity=digest,
    )


def milliseconds(work, repeats: int) -> str:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return f"p50 {statistics.median(times):.2f} ms, p99 {statistics.quantiles(times, n=100)[98]:.2f} ms"


def main(entries: int) -> None:
    log = LabelLog(NoteSigner.create("bench.example/log"))
    dice = random.Random(6962)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        upgrade(f"sqlite:///{path}")
        database = Database(f"sqlite:///{path}")
        start = time.perf_counter()
        for first in range(0, entries, BATCH):
            with database.write() as session:
                log.append_many(
                    session, [record(n) for n in range(first, min(first + BATCH, entries))], datetime.now(UTC)
                )
        spent = time.perf_counter() - start
        print(f"append, {BATCH} a transaction: {entries / spent:,.0f} entries/s ({spent:.1f} s for {entries:,})")

        def one() -> None:
            with database.write() as session:
                log.append(session, record(0), datetime.now(UTC))

        print(f"append, one durable transaction each: {milliseconds(one, 300)}")
        with database.read() as session:
            size = store.size(session)
            print(f"database: {path.stat().st_size / size:.0f} bytes an entry")

            def prove() -> None:
                index = dice.randrange(size)
                found = log.proof(session, index)
                path = [bytes.fromhex(value) for value in found["proof"]]
                leaf = LogRecord.from_dict(found["entry"]).leaf
                assert merkle.verify_inclusion(index, size, leaf, path, store.root(session, size))

            print(f"inclusion proof with checkpoint, made and verified: {milliseconds(prove, 500)}")
            head = store.root(session, size)

            def consist() -> None:
                old = dice.randrange(1, size)
                proof = store.consistency_proof(session, old, size)
                assert merkle.verify_consistency(old, size, store.root(session, old), head, proof)

            print(f"consistency proof, made and verified: {milliseconds(consist, 500)}")
            start = time.perf_counter()
            result = audit(DatabaseLog(session, log), key=log.key, full=True)
            assert result.good
            print(
                f"full audit of {result.entries_read:,} entries and their records: {time.perf_counter() - start:.2f} s"
            )
        database.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
