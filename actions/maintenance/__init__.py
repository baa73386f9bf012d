"""Maintenance: what was agreed becomes dates, dates become tickets, tickets proof. docs/processes/maintenance_round.md"""
