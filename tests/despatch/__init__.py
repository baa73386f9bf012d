"""Readers of despatch advices and inventories."""
