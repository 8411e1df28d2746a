"""Brevo: it knows no leads, so a lead is a contact; pipelines can only be read."""

from tests.sandbox.vendors.brevo.sales import Sales


class Brevo(Sales):
    """The whole account, with every path."""


FAKE = Brevo
