"""Drift to be planted, by check; each table in a file of its own."""
