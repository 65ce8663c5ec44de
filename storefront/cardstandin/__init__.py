"""A card provider on this machine, for trying out and testing: pays nothing, behaves as badly as real ones."""
