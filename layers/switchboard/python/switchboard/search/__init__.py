"""The store of contacts: how they are kept, in which lists they stand, and how they are found."""
