"""HubSpot CRM: v3/v4 paths and their dated twins (2026-03, 2026-09)."""

from tests.sandbox.vendors.hubspot.backdoor import Backdoor


class HubSpot(Backdoor):
    """The whole account, with every path."""


FAKE = HubSpot
