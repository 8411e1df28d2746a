"""Switchboard: one API in front of thirteen CRMs, in the customer's own AWS account."""
