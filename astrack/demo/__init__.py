"""The demo: a made-up story that uses the whole service, from a roster file to a verified hand-over."""
