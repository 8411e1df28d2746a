"""Zoho CRM, API v8: modules of records, per-record results, settings, COQL."""

from tests.sandbox.vendors.zoho.queries import Queries


class Zoho(Queries):
    """The whole organization, with every path."""


FAKE = Zoho
