"""SEPA direct debit: pain.008.001.08.

write_direct_debits(run_key, created_at, creditor, debits) -> SepaFile      integrations.sepa.pain008
is_target_day(day), next_target_day(day) -> ...                             integrations.sepa.calendar
collection_date(told_on, days), latest_submission(collect_on) -> date       integrations.sepa.calendar
mandate_lapses_on(last_used) -> date                                        integrations.sepa.calendar
creditor_id_holds(creditor_id) -> bool                                      integrations.sepa.checks
sepa_text(text, length) -> str                                              integrations.sepa.text
"""
