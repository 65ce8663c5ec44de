"""Logistics over REST: what it owns to read, its operations to call."""
