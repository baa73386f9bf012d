"""The fictional example company; `python -m examples.make_company` writes it anew."""
