"""Outages as an operator meets them: each ends by itself or by the runbook's words, nothing lost, nothing twice."""
