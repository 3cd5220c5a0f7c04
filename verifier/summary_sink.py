"""The summary page of a folder: rows wait in a spool file until the run is over, so memory grows by their names only."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from tanba.report import Basis
from verifier.batch import Result
from verifier.render.summary import Row, render, row_of

_SPOOL = 1 << 20


class SummarySink:
    """Takes results as they arrive; writes the page when closed. An aborted run leaves no page."""

    def __init__(self, path: Path, lang: str, *, stack: ExitStack, basis: Basis) -> None:
        self._path, self._lang, self._basis = path, lang, basis
        self._places: list[tuple[str, str, int]] = []
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
        self._places.append((result.duplicate_of or str(result.path), str(result.path), self._spool.tell()))
        self._spool.write(json.dumps(asdict(row), ensure_ascii=True) + "\n")

    def refresh(self) -> None:
        """Write the page with what there is so far."""
        self.close()

    def close(self) -> None:
        from verifier.batch_cli import Replacing

        with Replacing(self._path) as out:
            for piece in render(self._rows(), self._lang, basis=self._basis):
                out.stream.write(piece)

    def _rows(self) -> Iterator[Row]:
        """Every row so far by path, copies with their first; the spool then stands at its end again."""
        for *_, place in sorted(self._places):
            self._spool.seek(place)
            yield Row(**json.loads(self._spool.readline()))
        self._spool.seek(0, os.SEEK_END)
