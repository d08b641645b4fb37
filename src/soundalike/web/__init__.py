"""The web player: Flask over the services."""
