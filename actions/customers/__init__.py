"""Kunden: where they stand with us, what they cost and use, and who is told."""
