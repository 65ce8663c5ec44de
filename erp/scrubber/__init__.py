"""The nightly scrubber: independent checks over all modules, each from the tables themselves."""
