"""Signed notes with Ed25519 keys, as https://c2sp.org/signed-note says; keys in the text form of Go's sumdb/note.

Anything that does not verify is refused whole: a note's text means nothing before :meth:`NoteVerifier.open` returns it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tanba.errors import CredentialError, InputError

_ED25519 = b"\x01"
_PRIVATE = "PRIVATE+KEY+"
_MAX_NOTE = 64 << 10
_MAX_SIGNATURES = 100
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _check_name(name: str) -> str:
    if not name or "+" in name or any(character.isspace() or not character.isprintable() for character in name):
        raise CredentialError("a note key's name may hold neither blanks nor a plus sign", code="tanba.log.key_invalid")
    return name


def _parse_key(text: str) -> tuple[str, bytes]:
    """Name and 32 key bytes out of ``name+hash+base64``. Raises :class:`CredentialError`."""
    try:
        name, key_hash, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        identifier = bytes.fromhex(key_hash)
    except (ValueError, binascii.Error) as error:
        raise CredentialError("this is not a note key", code="tanba.log.key_invalid") from error
    if len(raw) != 33 or raw[:1] != _ED25519 or len(identifier) != 4 or key_hash != key_hash.lower():
        raise CredentialError("this is not an Ed25519 note key", code="tanba.log.key_invalid")
    return _check_name(name), identifier + raw[1:]


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A public note key: ``name+hash+base64``."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> NoteVerifier:
        """Read the text form. Raises :class:`CredentialError`."""
        name, material = _parse_key(text)
        if _key_id(name, material[4:]) != material[:4]:
            raise CredentialError("the note key does not match its own hash", code="tanba.log.key_invalid")
        return cls(name, material[4:])

    def __str__(self) -> str:
        encoded = base64.b64encode(_ED25519 + self.public).decode()
        return f"{self.name}+{_key_id(self.name, self.public).hex()}+{encoded}"

    def open(self, note: str) -> str:
        """The text of a note that this key signed. Raises :class:`InputError`.

        Signatures of other keys are ignored; one that claims this key and fails rejects the note.
        """
        text, separator, signatures = note.rpartition("\n\n")
        text += "\n"
        if len(note) > _MAX_NOTE or not separator or not signatures.endswith("\n") or _has_controls(note):
            raise InputError("this is not a signed note", code="tanba.log.note_malformed")
        verified = False
        lines = signatures[:-1].split("\n")
        for line in lines[:_MAX_SIGNATURES]:
            name, identifier, signature = _parse_signature(line)
            if (name, identifier) != (self.name, _key_id(self.name, self.public)):
                continue
            try:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
            except InvalidSignature as error:
                raise InputError("the note's signature is wrong", code="tanba.log.signature_invalid") from error
            verified = True
        if not verified:
            raise InputError(f"the note is not signed by {self.name}", code="tanba.log.signature_invalid")
        return text


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A private note key. Never printed."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)
    verifier: NoteVerifier = field(init=False, repr=False, compare=False)
    """The public half."""

    def __post_init__(self) -> None:
        public = self.private.public_key().public_bytes_raw()
        object.__setattr__(self, "verifier", NoteVerifier(self.name, public))

    @classmethod
    def create(cls, name: str) -> NoteSigner:
        """A fresh key. Raises :class:`CredentialError` for a name the format does not allow."""
        return cls(_check_name(name), Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> NoteSigner:
        """Read ``PRIVATE+KEY+name+hash+base64``. Raises :class:`CredentialError`."""
        if not text.startswith(_PRIVATE):
            raise CredentialError("this is not a private note key", code="tanba.log.key_invalid")
        name, material = _parse_key(text[len(_PRIVATE) :])
        signer = cls(name, Ed25519PrivateKey.from_private_bytes(material[4:]))
        if _key_id(name, signer.verifier.public) != material[:4]:
            raise CredentialError("the note key does not match its own hash", code="tanba.log.key_invalid")
        return signer

    @classmethod
    def load_or_create(cls, path: Path, name: str) -> NoteSigner:
        """The key in ``path`` (mode 0600), made there when the file does not exist. Raises :class:`CredentialError`.

        The name is the log's origin and stays what the file says: a log never changes its identity by a setting.
        """
        try:
            return cls.parse(path.read_text("ascii"))
        except FileNotFoundError:
            pass
        except (OSError, UnicodeDecodeError) as error:
            raise CredentialError("the log's key cannot be read", code="tanba.log.key_unreadable") from error
        signer = cls.create(name)
        _write_once(path, signer.to_text())
        return cls.parse(path.read_text("ascii"))

    def to_text(self) -> str:
        """The private text form: a secret."""
        raw = base64.b64encode(_ED25519 + self.private.private_bytes_raw()).decode()
        return f"{_PRIVATE}{self.name}+{_key_id(self.name, self.verifier.public).hex()}+{raw}\n"

    def sign(self, text: str) -> str:
        """A note: the text (ending in a newline), a blank line, our signature. Raises :class:`InputError`."""
        if not text.endswith("\n") or _has_controls(text):
            raise InputError("a note's text ends in a newline and holds no control character", code="tanba.log.note")
        blob = _key_id(self.name, self.verifier.public) + self.private.sign(text.encode())
        return f"{text}\n\N{EM DASH} {self.name} {base64.b64encode(blob).decode()}\n"


def _has_controls(text: str) -> bool:
    return _CONTROL.search(text) is not None


def _parse_signature(line: str) -> tuple[str, bytes, bytes]:
    try:
        dash, name, encoded = line.split(" ")
        blob = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise InputError("a signature line is malformed", code="tanba.log.note_malformed") from error
    if dash != "\N{EM DASH}" or not name or len(blob) < 5:
        raise InputError("a signature line is malformed", code="tanba.log.note_malformed")
    return name, blob[:4], blob[4:]


def _write_once(path: Path, text: str) -> None:
    """Write a secret whole or not at all; a file that another process made first wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # mode 0600
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(temporary, path)
    except FileExistsError:
        pass
    except OSError as error:
        raise CredentialError("the log's key cannot be written", code="tanba.log.key_unreadable") from error
    finally:
        temporary.unlink(missing_ok=True)
