"""Outgoing post: rows in the outbox, handed over once, answered for."""
