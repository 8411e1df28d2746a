"""Zoho CRM, API v8: modules of records, per-record results, settings, COQL."""

from tests.sandbox.vendors.zoho.planting import Planting


class Zoho(Planting):
    """The whole organization, with every path."""


FAKE = Zoho
