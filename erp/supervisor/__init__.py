"""Starts web, workers, beat and watchdog as one, keeps them up, and stops them together. Used by `make run`."""
