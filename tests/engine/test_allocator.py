"""Processes that take one file after the other get no memory from the system for each."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

ROUNDS = """
import resource
from tanba.allocator import keep_freed_memory
{first}
def use(blocks):
    held = [b"x" * 200_000 for _ in range(blocks)]
use(20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    use(20)
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // 20)
"""


def faults(first: str) -> int:
    """Page faults of a round in which 4 MB are used and freed."""
    run = subprocess.run([sys.executable, "-c", ROUNDS.format(first=first)], capture_output=True, text=True, check=True)
    return int(run.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_memory_that_was_freed_is_used_again_without_the_system():
    assert faults("") > 500
    assert faults("keep_freed_memory()") < 10
