"""GET /unified/crm/capabilities."""

from switchboard.app import unified_capabilities

handler = unified_capabilities()
