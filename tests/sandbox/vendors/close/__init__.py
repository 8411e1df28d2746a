"""Close: a lead is a company and holds its contacts; what changed since is only to be had by Advanced Filtering."""

from tests.sandbox.vendors.close.events import Events


class Close(Events):
    """The whole organization, with every path."""


FAKE = Close
