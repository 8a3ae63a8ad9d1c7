"""Numbers that a chapter computes and prose quotes, in the chapter or on other pages."""

from __future__ import annotations

from collections.abc import Callable

from myst_nb import glue


def gluer(chapter: str) -> Callable[[str, object], None]:
    """A function that keeps a value, as text, under a key of the chapter.

    Args:
        chapter: name of its source, with which keys begin.

    Returns:
        A function of key and value; prose quotes {glue:text}`chapter-key`.
    """

    def glue_text(key: str, value: object) -> None:
        glue(f"{chapter}-{key}", str(value), display=False)

    return glue_text
