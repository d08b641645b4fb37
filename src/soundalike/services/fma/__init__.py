"""What the Free Music Archive says of tracks: imported, and taken out again."""
