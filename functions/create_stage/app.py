"""POST /unified/crm/stages."""

from switchboard.app import unified_create
from switchboard.models.stage import STAGE

handler = unified_create(STAGE)
