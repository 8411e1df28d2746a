"""POST /unified/crm/pipelines."""

from switchboard.app import unified_create
from switchboard.models.pipeline import PIPELINE

handler = unified_create(PIPELINE)
