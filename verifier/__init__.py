"""Tanba: verifier."""
