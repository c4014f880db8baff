"""The HTTP service: how it is built, listens, watches itself, does what is due, and stops."""
