"""Wires everything together: the only package that talks to the outside."""
