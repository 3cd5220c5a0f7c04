"""Tanba: labeler."""
