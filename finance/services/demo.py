"""Finance's part of the demo: the books with round exchange rates."""

from finance.services.books import load_demo

__all__ = ["load_demo"]
