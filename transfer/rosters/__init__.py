"""Rosters from outside: the Common Transfer File in and out, OneRoster in, and tables read with care."""
