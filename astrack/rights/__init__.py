"""Rights that need more than a fact: a copy of everything held, and the register of what is held and why."""
