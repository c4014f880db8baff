"""Read models made anew."""

from typing import Any


def rebuild(views: Any, school_ids: Any, names: Any, progress: Any) -> None:
    """Later."""
