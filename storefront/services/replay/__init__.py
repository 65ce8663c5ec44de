"""Replay of a retail history through the system's own write paths.

The file is read twice. Pass 1 (`source`, `spool`) checks its form and keeps the lines on disk, grouped by
invoice in date order. Pass 2 reads whole invoices (`history`), decides what each row is (`rules`), first to learn
what must exist before the first order (`survey`), then to turn every invoice into a document (`planning`).
"""
