"""Lieferavise of the suppliers: many formats in, one plain despatch advice out."""
