"""Outputs appear whole or not at all, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from labeler import Labelled, LabelOptions, label
from labeler import output as out
from tanba.errors import OutputRefused, SelfCheckFailed
from tanba.model import Disclosure, Involvement
from tests.labeler.conftest import GENERATED, Lab


def leftovers(folder: Path) -> list[str]:
    return [item.name for item in folder.iterdir() if item.name.startswith(".")]


def test_the_input_is_never_modified(tmp_path: Path, photo: bytes, lab: Lab) -> None:
    source = tmp_path / "a.jpg"
    source.write_bytes(photo)
    label(source, GENERATED, signer=lab.signer, output=tmp_path / "new" / "b.jpg")
    assert source.read_bytes() == photo
    assert (tmp_path / "new" / "b.jpg").stat().st_size > len(photo)


def test_same_path_in_and_out_is_safe_and_keeps_permissions(tmp_path: Path, photo: bytes, lab: Lab) -> None:
    source = tmp_path / "a.jpg"
    source.write_bytes(photo)
    source.chmod(0o640)
    done = label(source, GENERATED, signer=lab.signer, output=source)
    assert done.receipt.input_sha256 != done.receipt.output_sha256
    assert source.stat().st_mode & 0o777 == 0o640
    again = label(source, GENERATED, signer=lab.signer, output=source)
    assert again.receipt.input_sha256 == done.receipt.output_sha256
    assert leftovers(tmp_path) == []


def test_another_file_is_not_replaced_without_being_told(tmp_path: Path, photo: bytes, lab: Lab) -> None:
    target = tmp_path / "b.jpg"
    target.write_bytes(b"precious")
    with pytest.raises(OutputRefused, match="exists"):
        label(photo, GENERATED, signer=lab.signer, output=target)
    assert target.read_bytes() == b"precious"
    label(photo, GENERATED, signer=lab.signer, output=target, options=LabelOptions(overwrite=True))
    assert target.read_bytes() != b"precious"


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "b.bin"
    with out.stage(target) as staged:
        staged.stream.write(b"ours")
        target.write_bytes(b"theirs")
        with pytest.raises(OutputRefused):
            staged.commit()
    assert target.read_bytes() == b"theirs"
    assert leftovers(tmp_path) == []


def test_symbolic_links_are_not_written_through(tmp_path: Path) -> None:
    real = tmp_path / "real.bin"
    real.write_bytes(b"precious")
    link = tmp_path / "link.bin"
    link.symlink_to(real)
    with pytest.raises(OutputRefused, match="symbolic link"):
        out.check(link, overwrite=True)


def test_a_failing_self_check_hands_nothing_out(
    tmp_path: Path, photo: bytes, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labeler import selfcheck

    def broken(*args: object, **kwargs: object) -> None:
        raise SelfCheckFailed("made to fail")

    monkeypatch.setattr(selfcheck, "_check_state", broken)
    target = tmp_path / "b.jpg"
    with pytest.raises(SelfCheckFailed):
        label(photo, GENERATED, signer=lab.signer, output=target)
    assert not target.exists()
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a Linux device")
def test_a_full_disk_leaves_nothing_at_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "b.bin"
    real = os.open

    def full(path: str | Path, flags: int, mode: int = 0o777) -> int:
        return real("/dev/full", os.O_RDWR) if str(path).endswith(".tanba-part") else real(path, flags, mode)

    monkeypatch.setattr(os, "open", full)

    def write() -> None:
        with out.stage(target) as staged:
            staged.stream.write(b"x" * 100_000)
            staged.commit()

    with pytest.raises(OutputRefused, match="cannot write"):
        write()
    assert not target.exists()


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_run_leaves_no_partial_file_and_the_next_one_sweeps_up(tmp_path: Path) -> None:
    target = tmp_path / "b.bin"
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom labeler import output\n"
        f"with output.stage(Path({str(target)!r})) as staged:\n"
        "    staged.stream.write(b'half')\n    staged.stream.flush()\n"
        "    print('ready', flush=True)\n    time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not target.exists()
    assert len(leftovers(tmp_path)) == 1
    with out.stage(target) as staged:
        staged.stream.write(b"whole")
        staged.commit()
    assert target.read_bytes() == b"whole"
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="watches processes in /proc")
def test_the_file_of_a_killed_process_that_nobody_buried_is_swept(tmp_path: Path) -> None:
    """In a container without an init process such numbers stay for ever."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with out.stage(tmp_path / "a.bin") as staged:
        (mine,) = leftovers(tmp_path)
        theirs = tmp_path / mine.replace(f"-{os.getpid()}-", f"-{child.pid}-")
        theirs.write_bytes(b"half")
        out.sweep(tmp_path)
        assert theirs.exists(), "its process lives"
        child.kill()
        while b") Z " not in Path(f"/proc/{child.pid}/stat").read_bytes():
            time.sleep(0.01)
        out.sweep(tmp_path)
        assert not theirs.exists()
        staged.stream.write(b"a")
        staged.commit()
    child.wait()
    assert (tmp_path / "a.bin").read_bytes() == b"a"


def test_a_running_neighbour_is_not_swept(tmp_path: Path) -> None:
    with out.stage(tmp_path / "a.bin") as first:
        first.stream.write(b"a")
        with out.stage(tmp_path / "b.bin") as second:
            second.stream.write(b"b")
            second.commit()
        first.commit()
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a.bin", "b.bin"]


def test_an_old_stranger_is_swept(tmp_path: Path) -> None:
    stranger = tmp_path / ".abcdef-1-0123456789ab.tanba-part"
    stranger.write_bytes(b"x")
    out.sweep(tmp_path)
    assert stranger.exists()
    two_days_ago = time.time() - 2 * 86400
    os.utime(stranger, (two_days_ago, two_days_ago))
    out.sweep(tmp_path)
    assert not stranger.exists()


def test_prompts_never_enter_a_file_unless_published(photo: bytes, labelled: Callable[..., Labelled]) -> None:
    secret = "a lighthouse that nobody may read about"
    import hashlib

    digest = hashlib.sha256(secret.encode()).hexdigest()
    quiet = Disclosure(involvement=Involvement.GENERATED, prompt_sha256=digest)
    content = labelled(photo, disclosure=quiet).content or b""
    assert secret.encode() not in content
    assert digest.encode() in content
    published = Disclosure(involvement=Involvement.GENERATED, prompt=secret)
    assert secret.encode() in (labelled(photo, disclosure=published).content or b"")
