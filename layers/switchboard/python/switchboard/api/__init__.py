"""Our HTTP edge: from an API Gateway event to a reply."""
