"""Placeholder until the page lands in the next commit."""

from __future__ import annotations

from fastapi import FastAPI


def install(app: FastAPI) -> None:
    """Nothing yet."""
