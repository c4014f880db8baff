"""The keys of a school: its document, how it is issued and renewed, and whom it trusts."""
