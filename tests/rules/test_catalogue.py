"""Every fact of the domain is known to whoever reads a log, and says in the school's words what it is."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import domain
from domain import catalogue
from domain.base import Erased, Event, Opaque


def facts() -> Iterator[type[Event]]:
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        importlib.import_module(module.name)
    waiting = list(Event.__subclasses__())
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one.__module__.startswith("domain.") and one not in (Opaque, Erased):
            yield one


FACTS = sorted(facts(), key=lambda one: one.__qualname__)


def test_every_module_with_facts_is_in_the_catalogue() -> None:
    assert {one.__module__ for one in FACTS} == {module.__name__ for module in catalogue.MODULES}


@pytest.mark.parametrize("fact", FACTS, ids=lambda one: one.__name__)
def test_a_fact_has_a_topic_with_a_version_and_a_sentence(fact: type[Event]) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z][a-z-]*[a-z]\.v[1-9]", fact.TOPIC)
    assert fact.__doc__ is not None and fact.__doc__.split("\n")[0].endswith(".")
