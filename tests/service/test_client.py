"""The client library against a real server: the same words, safe repeats, clear refusals."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from tanba.client import AsyncClient, Client, ServiceProblem
from tanba.errors import ResolverError
from tanba.report import Verdict
from tests.service.conftest import jpeg
from tests.service.server import Server, free_port


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("client"), TANBA_WORKERS="1").start()
    yield running
    running.stop()


def test_a_label_goes_through_its_whole_life(server, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg((3, 4, 5)))
    with Client(server.url, key=server.key) as tanba:
        done = tanba.label(path, {"as": "generated", "system": "ExampleGen", "no_training": True, "lang": ["kk", "ru"]})
        assert done.receipt["input_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        report = tanba.verify(done.content, name="photo.jpg")
        assert report.verdict is Verdict.TRUSTED
        digest = hashlib.sha256(done.content).hexdigest()
        assert tanba.verify_hash(digest).verdict is Verdict.TRUSTED
        assert [item["label_id"] for item in tanba.find(digest)] == [done.label_id]
        assert tanba.get(done.label_id)["disclosure"]["languages"] == ["kk", "ru"]
        assert tanba.content(done.label_id) == done.content
        assert hashlib.sha256(tanba.manifest(done.label_id)).hexdigest() == done.receipt["manifest_sha256"]
        assert tanba.proof(done.label_id)["index"] == done.receipt["log"]["index"]
        case = tanba.contest(done.label_id, "not_ai", "It is mine.")
        assert tanba.follow(case["number"])["state"] == "open"
        assert tanba.withdraw(done.label_id, "a mistake")["state"] == "withdrawn"
        assert tanba.status(done.label_id)["state"] == "withdrawn"
        assert tanba.explain("assertion.dataHash.mismatch", lang="ru")["lang"] == "ru"
        assert tanba.trust()["lists"]


def test_the_same_idempotency_key_gives_the_same_label(server):
    with Client(server.url, key=server.key) as tanba:
        first = tanba.label(jpeg((7, 7, 7)), {"as": "generated"}, name="a.jpg", idempotency_key="client-1")
        again = tanba.label(jpeg((7, 7, 7)), {"as": "generated"}, name="a.jpg", idempotency_key="client-1")
    assert (again.label_id, again.content, again.replayed) == (first.label_id, first.content, True)


def test_the_asynchronous_client_does_the_same(server):
    async def life() -> None:
        async with AsyncClient(server.url, key=server.key) as tanba:
            made = await asyncio.gather(
                *(tanba.label(jpeg((n, 1, 1)), {"as": "generated"}, name="x.jpg") for n in range(3))
            )
            assert len({item.label_id for item in made}) == 3
            report = await tanba.verify("Only words.")
            assert report.verdict is Verdict.UNMARKED
            assert await tanba.verify_hash("0" * 64) is None
            found = await tanba.verify_batch([{"sha256": "0" * 64}])
            assert found[0]["status"] == 404
            with pytest.raises(ServiceProblem):
                await tanba.verify_url("http://127.0.0.1/")

    asyncio.run(life())


def test_a_refusal_is_the_services_problem_and_an_unseen_hash_is_none(server):
    with Client(server.url) as tanba:
        assert tanba.verify_hash("0" * 64) is None
        with pytest.raises(ServiceProblem) as caught:
            tanba.label(jpeg(), {"as": "generated"})
    assert (caught.value.status, caught.value.code) == (401, "tanba.auth.required")
    assert caught.value.details["request_id"]


def test_a_service_that_is_not_there_is_said_in_words():
    with Client(f"http://127.0.0.1:{free_port()}", tries=2) as tanba, pytest.raises(ResolverError, match="reached"):
        tanba.trust()


def test_trouble_that_passes_is_tried_again_with_the_same_key():
    """A server that answers 503 twice: the third try must carry the same Idempotency-Key."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            seen.append(self.headers["idempotency-key"])
            status = 503 if len(seen) < 3 else 422
            body = b'{"code": "tanba.label.failed", "detail": "x"}'
            self.send_response(status)
            self.send_header("Content-Type", "application/problem+json")
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Client(f"http://127.0.0.1:{server.server_port}") as tanba, pytest.raises(ServiceProblem) as caught:
        tanba.label(b"x", {"as": "generated"})
    server.shutdown()
    assert caught.value.status == 422
    assert len(seen) == 3
    assert len(set(seen)) == 1


def test_the_command_line_labels_through_a_service(server, tmp_path):
    import json
    import subprocess

    from tests.service.server import COMMAND

    picture = tmp_path / "photo.jpg"
    picture.write_bytes(jpeg((11, 12, 13)))

    def run(*arguments: str, key: str = server.key) -> subprocess.CompletedProcess[str]:
        environment = server.environment | {"TANBA_KEY": key, "TANBA_HOME": str(tmp_path / "nobody")}
        return subprocess.run(
            [COMMAND, "label", *arguments], capture_output=True, text=True, env=environment, check=False
        )

    done = run(
        str(picture), "-o", str(tmp_path / "out.jpg"), "--as", "generated", "--system", "M", "--prompt", "p", "--lang", "kk,ru",
        "--service", server.url, "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    receipt = json.loads(done.stdout)
    assert receipt["output_sha256"] == hashlib.sha256((tmp_path / "out.jpg").read_bytes()).hexdigest()
    assert not (tmp_path / "nobody").exists()
    with Client(server.url) as tanba:
        assert tanba.get(receipt["label_id"])["disclosure"]["languages"] == ["kk", "ru"]
    told = (str(picture), "-o", str(tmp_path / "x.jpg"), "--as", "generated", "--service", server.url, "--timestamp")
    refused = run(*told, "http://tsa.example/")
    assert (refused.returncode, "--timestamp service" in refused.stderr) == (2, True)
    assert "has no time-stamp authority" in run(*told, "service").stderr  # this one has none; it was asked for its own
    refused = run(
        str(picture),
        "-o",
        str(tmp_path / "x.jpg"),
        "--as",
        "human",
        "--service",
        server.url,
        key="tnb_no",
    )
    assert refused.returncode == 5
    assert "not valid" in refused.stderr
    assert not (tmp_path / "x.jpg").exists()


def test_a_folder_goes_through_a_service_and_one_bad_file_does_not_stop_the_rest(server, tmp_path):
    import json
    import subprocess

    from tests.service.server import COMMAND

    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for number in range(5):
        (folder / "deep" / f"{number}.jpg").write_bytes(jpeg((number, 2, 3)))
    (folder / "words.txt").write_text("Words that a machine made.\n" * 20)
    (folder / "broken.jpg").write_bytes(jpeg()[:300])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "words.txt").write_text("mine")

    def run(*more: str, key: str = server.key) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, "label", folder, "-r", "-o", f"{tmp_path}/out/", "--as", "generated", "--service", server.url, *more],
            capture_output=True, text=True, check=False, env=server.environment | {"TANBA_KEY": key},
        )  # fmt: skip

    def issued() -> int:
        return httpx2.get(f"{server.url}/v1/log").json()["size"]

    refused = run(key="tnb_no")
    assert (refused.returncode, refused.stderr.count("not valid")) == (5, 1), refused.stderr
    assert run("--resume", str(tmp_path / "ledger")).returncode == 2
    before = issued()
    done = run("--json")
    assert done.returncode == 5, done.stderr
    found = {Path(item["input"]).name: item for item in json.loads(done.stdout)}
    assert set(found) == {"0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg", "broken.jpg", "words.txt"}
    for number in range(5):
        written = (tmp_path / "out" / "deep" / f"{number}.jpg").read_bytes()
        assert hashlib.sha256(written).hexdigest() == found[f"{number}.jpg"]["output_sha256"]
    assert found["broken.jpg"]["error"]["code"].startswith("tanba.")
    assert (tmp_path / "out" / "words.txt").read_text() == "mine"
    assert found["words.txt"]["error"]["code"] == "tanba.label.output_refused"
    assert issued() == before + 5, "a label that could not be written must not be issued"
    assert "5 labelled, 2 failed" in done.stderr


def test_a_manifest_that_travels_apart_is_written_beside_the_text(server, tmp_path):
    import subprocess

    from tests.service.server import COMMAND

    text = tmp_path / "words.txt"
    text.write_text("Only words.\n" * 30)
    environment = server.environment | {"TANBA_KEY": server.key}
    subprocess.run(
        [COMMAND, "label", text, "-o", tmp_path / "out.txt", "--as", "assisted", "--carrier", "sidecar", "--service", server.url],
        check=True, capture_output=True, env=environment,
    )  # fmt: skip
    with Client(server.url) as tanba:
        report = tanba.verify(tmp_path / "out.txt", manifest=tmp_path / "out.txt.c2pa")
    assert report.verdict is Verdict.TRUSTED
