"""Zendesk Sell (formerly Base CRM): the Core API v2, and the Search API v3 with its other names."""

from tests.sandbox.vendors.zendesk_sell.search import Search


class ZendeskSell(Search):
    """The whole account, with every path."""


FAKE = ZendeskSell
