"""Text carriers of C2PA 2.4: HTML (Annex A.7), unstructured text (A.8) and structured text (A.9).

Both halves of each codec (attach and locate) live in one file. Nothing here decides about trust or signs anything.
"""
