"""The pods surface in memory."""
