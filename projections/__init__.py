"""Read models: one file, one table, one page. They never refuse a fact and can always be rebuilt."""
