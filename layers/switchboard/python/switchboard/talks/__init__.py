"""Talks with CRMs: a line to one account, and the credentials that it is signed with."""
