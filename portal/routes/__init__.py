"""The pages: each file reads a form, calls one action, fills a template."""
