"""A local stand-in for the NAV's Online Számla service, faithful enough to test against.

It listens on this machine only, checks requests against the official XSD files, verifies signatures
and tokens, works through batches asynchronously, keeps what it accepted in SQLite, and fails on demand.
"""
