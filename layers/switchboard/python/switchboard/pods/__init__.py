"""Pods: pages about a CRM's record, made from templates. What a template is, what it says of a record, how it looks."""
