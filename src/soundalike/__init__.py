"""soundalike: analyses how every track of a music library sounds, and plays what sounds alike."""

__version__ = "0.1.0"
