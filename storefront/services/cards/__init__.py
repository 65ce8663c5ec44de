"""Paying by card: attempt and hold, the provider and its callbacks, the order, capture, refund and release."""
