"""Backup and restore of a home: docs/runbooks/sicherung.md says how, docs/adr/0021-backup-and-restore.md why so."""
