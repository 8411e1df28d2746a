"""GET, PATCH and DELETE /v1/pods/{id}; POST /v1/pods/search."""

from switchboard.app import manage_pods

handler = manage_pods()
