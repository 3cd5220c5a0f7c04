"""The policy ``queue``: sign now, stamp later, and the label then outlives its certificate in every kind of file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import encypher_c2pa
import pytest

from keys import late, tsa
from tanba import trustdir
from tanba.asset import Asset
from tanba.cli import main
from tanba.engine.read import read
from tanba.paths import keys_dir, trust_dir
from tanba.trust import TrustStore
from tests.beside import beside
from tests.keys.conftest import codes
from tests.labeler.conftest import drawn, made
from tests.pki import now

NOBODY = "http://127.0.0.1:9/"
FILES = ("a.jpg", "a.png", "a.gif", "a.svg", "a.avif", "a.webp", "a.tiff", "a.pdf", "a.wav", "a.txt")


@pytest.fixture
def tanba(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("TANBA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*args: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as left:
            main([str(arg) for arg in args])
        return int(left.value.code or 0), capsys.readouterr().out

    return run


@pytest.fixture
def authority(tanba) -> Iterator[str]:
    stamping = tsa.local(keys_dir(), now())
    tsa.trust(keys_dir(), trust_dir(), now())
    with beside(tsa.server(stamping, now)) as url:
        yield url


def write(path: Path) -> Path:
    kind = path.suffix[1:]
    path.write_bytes(
        drawn({"jpg": "JPEG"}.get(kind, kind.upper())) if kind in {"jpg", "png", "gif", "avif", "webp", "tiff", "pdf"}
        else made(path.name) or b"A sentence that a model wrote.\n"
    )  # fmt: skip
    return path


def queue_label(tanba, source: Path) -> dict:
    code, out = tanba(
        "label", source, "-o", "out-" + source.name, "--as", "generated", "--system", "X", "--json",
        "--timestamp", NOBODY, "--timestamp-policy", "queue", "--carrier", "sidecar" if source.suffix == ".txt" else "auto",
    )  # fmt: skip
    assert code == 0, out
    return json.loads(out)


def seen(path: Path, trust: TrustStore):
    beside = path.with_name(path.name + ".c2pa")
    return read(Asset.from_path(path), trust=trust, manifest=beside.read_bytes() if beside.exists() else None)


@pytest.mark.parametrize("name", FILES)
def test_a_label_is_made_says_that_it_is_unstamped_and_is_stamped_later(
    name: str, tanba, authority: str, tmp_path: Path
) -> None:
    receipt = queue_label(tanba, write(tmp_path / name))
    assert receipt["timestamp"] is None
    assert receipt["warnings"][0].startswith("signed without a time stamp")
    out = tmp_path / f"out-{name}"
    before = seen(out, trustdir.load(trust_dir()))
    assert before.active == receipt["label_id"]
    assert "timeStamp.validated" not in codes(before)

    code, told = tanba("keys", "stamp", "--queued", "--timestamp", authority)
    assert (code, told.count("stamped ")) == (0, 1)
    after = seen(out, trustdir.load(trust_dir()))
    assert after.state == "Trusted"
    assert "timeStamp.trusted" in codes(after)
    assert receipt["label_id"] in after.report["manifests"], "the first label is still there"
    assert late.queued(keys_dir()) == ()


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.tiff"])
def test_another_engine_trusts_the_label_that_was_stamped_later(
    name: str, tanba, authority: str, tmp_path: Path
) -> None:
    queue_label(tanba, write(tmp_path / name))
    tanba("keys", "stamp", "--queued", "--timestamp", authority)
    anchors = "".join(item.anchors_pem for item in trustdir.load(trust_dir()).lists)
    media = {"jpg": "image/jpeg", "webp": "image/webp", "tiff": "image/tiff"}[name.partition(".")[2]]
    report = dict(
        encypher_c2pa.verify(
            (tmp_path / f"out-{name}").read_bytes(), media, trust_pem=anchors, no_default_trust=True, telemetry=False
        )
    )
    assert (report["integrity"], report["validation_state"]) == ("valid", "Trusted"), report["validation_results"]


def test_a_label_inside_a_text_is_not_made_because_it_could_never_be_stamped(tanba, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A sentence that a model wrote.\n")
    code, out = tanba(
        "label", "a.txt", "-o", "b.txt", "--as", "generated", "--json", "--carrier", "a8",
        "--timestamp", NOBODY, "--timestamp-policy", "queue",
    )  # fmt: skip
    assert (code, json.loads(out)["error"]["code"]) == (5, "tanba.timestamp.down")
    assert not (tmp_path / "b.txt").exists()
    assert late.queued(keys_dir()) == ()


def test_what_goes_to_standard_output_cannot_wait(tanba, tmp_path: Path) -> None:
    write(tmp_path / "a.png")
    code, _ = tanba(
        "label", "a.png", "-o", "-", "--as", "generated", "--timestamp", NOBODY, "--timestamp-policy", "queue"
    )
    assert code == 2


def test_a_batch_queues_from_every_worker(tanba, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(6):
        write(tmp_path / "in" / f"{number}.png")
    code, _ = tanba(
        "label", "in", "-r", "-o", "out", "--as", "generated", "--jobs", "2",
        "--timestamp", NOBODY, "--timestamp-policy", "queue",
    )  # fmt: skip
    assert code == 0
    assert sorted(Path(item.path).name for item in late.queued(keys_dir())) == [f"{number}.png" for number in range(6)]
    code, out = tanba("keys", "stamp", "--list", "--json")
    assert [item["reason"] for item in json.loads(out)] == ["tanba.timestamp.down"] * 6


@pytest.mark.parametrize("change", ["content", "label", "gone"])
def test_a_file_that_changed_since_is_never_stamped_and_can_be_forgotten(
    change: str, tanba, authority: str, tmp_path: Path
) -> None:
    queue_label(tanba, write(tmp_path / "a.png"))
    out = tmp_path / "out-a.png"
    match change:
        case "content":
            broken = bytearray(out.read_bytes())
            broken[broken.rindex(b"IDAT") + 12] ^= 1
            out.write_bytes(broken)
        case "label":
            tanba("label", "a.png", "-o", out.name, "--overwrite", "--as", "generated", "--system", "Y")
        case _:
            out.unlink()
    before = out.read_bytes() if out.exists() else None
    code, _ = tanba("keys", "stamp", "--queued", "--timestamp", authority)
    assert code == 5
    assert (out.read_bytes() if out.exists() else None) == before
    assert len(late.queued(keys_dir())) == 1
    tanba("keys", "stamp", "--queued", "--timestamp", authority, "--forget-refused")
    assert late.queued(keys_dir()) == ()


def test_a_stamp_is_never_replaced_by_a_later_one(tanba, authority: str, tmp_path: Path) -> None:
    for name in ("a.png", "a.webp", "a.txt"):
        queue_label(tanba, write(tmp_path / name))
    tanba("keys", "stamp", "--queued", "--timestamp", authority)
    for name in ("out-a.png", "out-a.webp", "out-a.txt.c2pa"):
        before = (tmp_path / name).read_bytes()
        code, out = tanba("keys", "stamp", name, "--timestamp", authority, "--json")
        assert (code, json.loads(out)[0]["error"]["code"]) == (5, "tanba.keys.stamped_before")
        assert (tmp_path / name).read_bytes() == before


def test_a_file_whose_signature_has_no_room_is_left_as_it_was(tanba, authority: str, tmp_path: Path) -> None:
    write(tmp_path / "a.webp")
    tanba("label", "a.webp", "-o", "b.webp", "--as", "generated")
    before = (tmp_path / "b.webp").read_bytes()
    code, out = tanba("keys", "stamp", "b.webp", "--timestamp", authority, "--json")
    assert (code, json.loads(out)[0]["error"]["code"]) == (5, "tanba.input.unsupported_format")
    assert (tmp_path / "b.webp").read_bytes() == before
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a.webp", "b.webp", "home"]


def test_after_a_rotation_the_successor_signs_the_update(tanba, authority: str, tmp_path: Path) -> None:
    queue_label(tanba, write(tmp_path / "a.png"))
    first = late.queued(keys_dir())[0].identity
    tanba("keys", "rotate", "development")
    tanba("keys", "retire", first)
    code, _ = tanba("keys", "stamp", "--queued", "--timestamp", authority)
    assert code == 0
    assert seen(tmp_path / "out-a.png", trustdir.load(trust_dir())).state == "Trusted"


def test_a_line_cut_short_by_a_crash_costs_only_itself(tanba, tmp_path: Path) -> None:
    queue_label(tanba, write(tmp_path / "a.png"))
    with (keys_dir() / late.QUEUE).open("ab") as stream:
        stream.write(b'{"path": "/tmp/x.png", "iden')
    assert [Path(item.path).name for item in late.queued(keys_dir())] == ["out-a.png"]
