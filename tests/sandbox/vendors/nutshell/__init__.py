"""Nutshell: REST, in an envelope that looks like JSON:API; a lead is the opportunity, the change log tells updates."""

from tests.sandbox.vendors.nutshell.leads import Leads


class Nutshell(Leads):
    """The whole instance, with every path."""


FAKE = Nutshell
