"""Engines that learn what sounds alike, and what they write."""
