"""Text from elsewhere, made safe to show."""

import unicodedata


def printable(text: str) -> str:
    """A text without what acts on a terminal: escapes, controls, direction marks, lone surrogates."""
    # A zero-width joiner holds an emoji together (👩‍👧).
    signs = unicodedata.normalize("NFC", text)
    return "".join(c if c.isprintable() or c == "\u200d" else " " if c.isspace() else "" for c in signs)
