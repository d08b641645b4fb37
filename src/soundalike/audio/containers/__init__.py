"""Containers: where each has audio and tags, and whether what its header promises is there."""
