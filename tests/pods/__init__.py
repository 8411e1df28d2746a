"""Pods: the page, its prose, its policies, and the templates to start with."""
