"""Close: a lead is a company and holds its contacts; what changed since is only to be had by Advanced Filtering."""

from tests.sandbox.vendors.close.search import Search


class Close(Search):
    """The whole organization, with every path."""


FAKE = Close
