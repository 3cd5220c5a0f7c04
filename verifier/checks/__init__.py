"""One question per module: each takes evidence and returns facts, never a verdict."""
