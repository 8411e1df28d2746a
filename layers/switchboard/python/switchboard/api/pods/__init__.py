"""The pods surface: pods and templates as callers handle them, and the pages that readers open."""
