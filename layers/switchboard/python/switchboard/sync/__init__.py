"""Syncs: when an account's contacts are to be read, how far that has come, and what is done with what was read."""
