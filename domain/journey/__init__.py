"""One pupil's story: its facts, the state they add up to, and what may happen next."""
