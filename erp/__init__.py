"""The platform under the modules."""
