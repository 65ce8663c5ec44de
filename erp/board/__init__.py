"""The consistency board: the ownership map, live; history, samples side by side, signed reports."""
