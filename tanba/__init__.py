"""Tanba (таңба): marks AI-made images and text so that machines and people can tell, and checks such marks."""

__version__ = "0.1.0"
