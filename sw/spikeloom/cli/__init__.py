"""The command line: one module a verb, one console for all of them."""
