"""Listeners: accounts, what they listen to, and their profiles."""
