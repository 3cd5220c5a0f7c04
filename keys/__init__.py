"""Tanba: keys."""
