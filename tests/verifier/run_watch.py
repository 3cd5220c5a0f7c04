"""Runs ``tanba verify --watch`` for the test of it: ``python -m tests.verifier.run_watch FOLDER NAME=PEM [OPTION]…``."""

from __future__ import annotations

import sys

from verifier.cli import verify

if __name__ == "__main__":
    verify.main(
        [sys.argv[1], "--watch", "--jsonl", "--no-configured-trust", "--trust", *sys.argv[2:], "--jobs", "1"],
        standalone_mode=False,
    )
