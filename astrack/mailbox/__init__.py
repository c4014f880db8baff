"""The mailbox: sealed files move between installations through a service that sees tokens, sizes and times alone."""
