"""One file per scenario of the crash test; a new flow joins with a file here."""
