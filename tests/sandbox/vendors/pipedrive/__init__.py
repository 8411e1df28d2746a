"""Pipedrive: v1 for leads, labels and users; v2 for persons, organizations, deals and search."""

from tests.sandbox.vendors.pipedrive.leads import Leads


class Pipedrive(Leads):
    """The whole company account, with every path."""


FAKE = Pipedrive
