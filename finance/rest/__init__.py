"""Finance over REST: entities read (VAT codes written), documents and postings made by operations."""
