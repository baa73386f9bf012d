"""The example company's story as data and the few steps that turn it into files."""
