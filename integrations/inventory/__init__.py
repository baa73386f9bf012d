"""Inventories of devices: reports of agents and lists in, plain devices out."""
