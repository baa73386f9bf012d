"""Reads that only pages need: counts, lists and progress, each a few set-based statements."""
