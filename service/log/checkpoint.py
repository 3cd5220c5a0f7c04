"""Checkpoints: signed tree heads in the format of https://c2sp.org/tlog-checkpoint."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from service.log.merkle import Hash
from service.log.note import NoteSigner, NoteVerifier
from tanba.errors import InputError

_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says about itself at one size."""

    origin: str
    size: int
    root: Hash

    @property
    def text(self) -> str:
        """The note text; extension lines are not used (the specification advises against them)."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, signer: NoteSigner) -> str:
        """The signed note."""
        return signer.sign(self.text)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read note text whose signature was checked. Raises :class:`InputError`."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]) or not _SIZE.match(lines[1]):
            raise InputError("this is not a checkpoint", code="tanba.log.checkpoint_malformed")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except (ValueError, binascii.Error) as error:
            raise InputError("the root hash is not Base64", code="tanba.log.checkpoint_malformed") from error
        if len(root) != 32 or base64.b64encode(root).decode() != lines[2]:
            raise InputError("the root hash is not 32 bytes", code="tanba.log.checkpoint_malformed")
        return cls(lines[0], int(lines[1]), root)

    @classmethod
    def open(cls, note: str, verifier: NoteVerifier) -> Checkpoint:
        """Verify a note and read it. Raises :class:`InputError`; the origin must be the key's name."""
        checkpoint = cls.parse(verifier.open(note))
        if checkpoint.origin != verifier.name:
            raise InputError("the checkpoint belongs to another log", code="tanba.log.origin_changed")
        return checkpoint
