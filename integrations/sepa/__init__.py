"""SEPA direct debit: pain.008.001.08.

write_direct_debits(run_key, created_at, creditor, debits) -> SepaFile                 integrations.sepa.pain008
is_target_day(day), next_target_day(day), collection_date(told_on, days) -> date       integrations.sepa.calendar
mandate_lapses_on(last_used) -> date                                                   integrations.sepa.calendar
sepa_text(text) -> str                                                                 integrations.sepa.text
"""
