"""Samples: real photographs and texts, their labelled versions, and the scripts that build them."""
