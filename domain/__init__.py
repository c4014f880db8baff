"""The facts and rules of the school's world: no input or output, no clock, no chance."""
