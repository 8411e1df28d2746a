"""GET /pods/{id}/live, /pods/edit/{id} and /pods/assets/{file}."""

from switchboard.app import view_pod

handler = view_pod()
