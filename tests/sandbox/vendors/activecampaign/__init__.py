"""ActiveCampaign (API v3): contacts for leads, accounts for companies, dealGroups and dealStages for pipelines."""

from tests.sandbox.vendors.activecampaign.colleague import Colleague


class ActiveCampaign(Colleague):
    """The whole account, with every path."""


FAKE = ActiveCampaign
