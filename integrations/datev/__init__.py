"""DATEV: the EXTF booking batch (version 700, category 21, format 13).

booking_rows(invoice, client) -> tuple[DatevBooking, ...]                              integrations.datev.batch
write_batches(invoices, client, *, name, created_at) -> tuple[DatevFile, ...]          integrations.datev.batch
"""
