"""The dialects of tags: each module reads one, whatever bytes it gets."""
