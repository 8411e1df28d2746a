"""ActiveCampaign (API v3): contacts for leads, accounts for companies, dealGroups and dealStages for pipelines."""

from tests.sandbox.vendors.activecampaign.contacts import Contacts


class ActiveCampaign(Contacts):
    """The whole account, with every path."""


FAKE = ActiveCampaign
