"""Formats of values in the store: data that restores the same value, and pickles only for what has no such format."""
