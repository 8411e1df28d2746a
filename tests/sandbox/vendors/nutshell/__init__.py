"""Nutshell: REST, in an envelope that looks like JSON:API; a lead is the opportunity, the change log tells updates."""

from tests.sandbox.vendors.nutshell.colleague import Colleague


class Nutshell(Colleague):
    """The whole instance, with every path."""


FAKE = Nutshell
