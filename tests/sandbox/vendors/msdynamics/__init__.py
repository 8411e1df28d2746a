"""Microsoft Dynamics 365 Sales: leads, contacts, accounts and opportunities of a Dataverse environment, its users and
its metadata.

Not here: winning and losing, tasks, notes, $batch, $metadata, $apply and fetchXml, which nothing needs yet.
"""

from tests.sandbox.vendors.msdynamics.planting import Planting


class MsDynamics(Planting):
    """The whole environment, with every path."""


FAKE = MsDynamics
