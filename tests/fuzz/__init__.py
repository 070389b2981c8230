"""Fuzzers, guided by coverage, of what strangers send: forms, archives and metadata. Run by hand and by tox."""
