"""Insightly v3.1: one set of verbs for leads, contacts and organisations; pipelines and stages can only be read."""

from tests.sandbox.vendors.insightly.records import Records


class Insightly(Records):
    """The whole instance, with every path."""


FAKE = Insightly
