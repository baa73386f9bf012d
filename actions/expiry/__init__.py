"""Enden: the due-ledger of warranties, licences, firmware support, rental lives and mandates."""
