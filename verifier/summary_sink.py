"""The summary page of a folder: rows wait in a spool file until the run is over, so memory does not grow with it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from verifier.batch import Result
from verifier.render.summary import Row, render, row_of

_SPOOL = 1 << 20


class SummarySink:
    """Takes results as they arrive; writes the page when closed. An aborted run leaves no page."""

    def __init__(self, path: Path, lang: str, *, stack: ExitStack, command: str, checked_at: datetime) -> None:
        self._path, self._lang, self._command, self._checked_at = path, lang, command, checked_at
        self._spool = stack.enter_context(
            tempfile.SpooledTemporaryFile(_SPOOL, mode="w+", encoding="utf-8", newline="")  # noqa: SIM115  the stack closes it
        )

    def add(self, result: Result) -> None:
        row = row_of(
            str(result.path),
            self._lang,
            report=result.report,
            error=result.error,
            duplicate_of=result.duplicate_of,
        )
        self._spool.write(json.dumps(asdict(row), ensure_ascii=True) + "\n")

    def refresh(self) -> None:
        """Write the page with what there is so far."""
        self.close()

    def close(self) -> None:
        from verifier.batch_cli import Replacing

        with Replacing(self._path) as out:
            for piece in render(self._rows(), self._lang, checked_at=self._checked_at, command=self._command):
                out.stream.write(piece)

    def _rows(self) -> Iterator[Row]:
        """Every row so far; the spool then stands at its end again, ready for the next."""
        self._spool.seek(0)
        for line in self._spool:
            yield Row(**json.loads(line))
        self._spool.seek(0, os.SEEK_END)
