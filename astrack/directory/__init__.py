"""The directory of schools' keys: kept and published by somebody they trust, followed and checked by each of them."""
