"""Endpoints: thin functions that parse, call one use case and answer. No queries, no engine calls here."""
