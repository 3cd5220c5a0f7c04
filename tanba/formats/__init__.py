"""Containers: what a file is, and the metadata layers beside C2PA."""
