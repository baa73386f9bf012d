"""Monatsabrechnung: what flows, staff and the command line do with a month. Page: docs/processes/monthly_billing.md"""
