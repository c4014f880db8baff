"""Every module that names facts, so that whoever reads a log knows all topics; a test keeps the list whole."""

from domain import identity, look, roster, round, safeguarding, school, staff
from domain.journey import facts

MODULES = (facts, identity, safeguarding, round, school, roster, staff, look)
