"""The Free Music Archive's data set: reading its files of metadata, and downloading it."""
