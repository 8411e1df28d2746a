"""POST /v1/pods and /api/v1/pods/new."""

from switchboard.app import create_pod

handler = create_pod()
