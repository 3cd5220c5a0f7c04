"""Signed notes and checkpoints against Go's reference vectors (golang.org/x/mod/sumdb/note) and C2SP's examples."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.log.checkpoint import Checkpoint
from service.log.note import NoteSigner, NoteVerifier
from tanba.errors import CredentialError, InputError, TanbaError

VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
# A published test key of the Go project: it protects nothing.
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
NOTE = f"{TEXT}\n{SIGNATURE}"


def test_signing_the_reference_text_gives_the_reference_note() -> None:
    assert NoteSigner.parse(SKEY).sign(TEXT) == NOTE


def test_the_reference_note_opens_with_the_reference_key() -> None:
    assert NoteVerifier.parse(VKEY).open(NOTE) == TEXT


def test_keys_keep_their_text_form() -> None:
    assert str(NoteSigner.parse(SKEY).verifier) == VKEY
    assert NoteSigner.parse(SKEY).to_text() == SKEY + "\n"


def test_no_changed_or_cut_key_is_accepted() -> None:
    for start in range(0, len(VKEY), 3):
        for end in range(start + 1, len(VKEY) + (start > 0), 7):
            with pytest.raises(CredentialError):
                NoteVerifier.parse(VKEY[start:end])
    for position, character in enumerate(VKEY):
        with pytest.raises(CredentialError):
            NoteVerifier.parse(VKEY[:position] + chr(ord(character) + 1) + VKEY[position + 1 :])


@pytest.mark.parametrize(
    "key",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
    ids=["a key of the wrong length", "an unknown algorithm"],
)
def test_gos_bad_keys_are_refused(key: str) -> None:
    with pytest.raises(CredentialError):
        NoteVerifier.parse(key)


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace("cryptography", "cryptographY"),
        NOTE.replace("x08go/Z", "x08go/Y"),
        TEXT,
        TEXT + SIGNATURE,
        NOTE[:-1],
        NOTE + "garbage\n",
        NOTE.replace("— ", "- "),
        NOTE.replace("PeterNeumann", "Somebody"),
        NOTE.replace("If", "\x07If"),
        "",
        "\n\n",
    ],
    ids=lambda note: repr(note[-30:]),
)
def test_a_changed_note_is_refused(note: str) -> None:
    with pytest.raises(InputError):
        NoteVerifier.parse(VKEY).open(note)


def test_signatures_of_others_are_ignored() -> None:
    other = NoteSigner.create("witness.example").sign(TEXT).rpartition("\n\n")[2]
    assert NoteVerifier.parse(VKEY).open(NOTE + other) == TEXT
    assert NoteVerifier.parse(VKEY).open(f"{TEXT}\n{other}{SIGNATURE}") == TEXT


def test_a_wrong_signature_of_ours_spoils_a_good_one() -> None:
    bad = SIGNATURE.replace("x08go/ZJ", "x08go/ZK")
    with pytest.raises(InputError):
        NoteVerifier.parse(VKEY).open(NOTE + bad)


def test_a_checkpoint_has_the_three_lines_of_the_specification() -> None:
    # Size and root of the example in c2sp.org/tlog-checkpoint.
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = Checkpoint.parse(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.root.hex() == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"
    assert checkpoint.text == text


ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n1\n",
        f"\n1\n{ROOT}\n",
        f"o\n01\n{ROOT}\n",
        f"o\n-1\n{ROOT}\n",
        f"o\n+1\n{ROOT}\n",
        f"o\n1 \n{ROOT}\n",
        f"o\n\N{ARABIC-INDIC DIGIT ONE}\n{ROOT}\n",
        "o\n1\nAAAA\n",
        "o\n1\n????\n",
        f"o\n1\n{ROOT}",
        f"o\n1\n{ROOT}\n\n",
        f"o\n{10**30}\n{ROOT}\n",
    ],
)
def test_what_is_not_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        Checkpoint.parse(text)


def test_a_checkpoint_of_another_origin_is_refused() -> None:
    signer = NoteSigner.create("log.example")
    note = signer.sign(f"other.example\n1\n{ROOT}\n")
    with pytest.raises(InputError) as caught:
        Checkpoint.open(note, signer.verifier)
    assert caught.value.code == "tanba.log.origin_changed"


@given(st.text(max_size=300))
def test_any_text_is_a_note_or_refused(text: str) -> None:
    with pytest.raises(TanbaError):
        NoteVerifier.parse(VKEY).open(text)
    with pytest.raises(TanbaError):
        NoteVerifier.parse(text)


def test_the_key_file_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "log" / "key"
    first = NoteSigner.load_or_create(path, "one.example")
    second = NoteSigner.load_or_create(path, "two.example")
    assert str(first.verifier) == str(second.verifier)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\N{NO-BREAK SPACE}b"])
def test_a_key_name_with_blanks_or_a_plus_is_refused(name: str) -> None:
    with pytest.raises(CredentialError):
        NoteSigner.create(name)
