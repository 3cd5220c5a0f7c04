"""Tanba: service."""
