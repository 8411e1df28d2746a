"""Pipeliner (Coevera): one REST grammar for every entity; plural entity names, UUIDs, doubled relations, cursors."""

from tests.sandbox.vendors.pipeliner.records import Records


class Pipeliner(Records):
    """A whole space, with every path."""


FAKE = Pipeliner
