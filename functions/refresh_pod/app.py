"""POST /v1/pods/{id}/refresh."""

from switchboard.app import refresh_pod

handler = refresh_pod()
