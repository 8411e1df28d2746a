"""The records surface: contacts of all connected CRMs, out of the synced store."""
