"""Documents that customers, the post and the bank see: service report, invoice, printed face, postal list."""
