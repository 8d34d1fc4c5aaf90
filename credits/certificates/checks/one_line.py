"""Text that somebody else may have written, shown where it can do nothing but be read. Pure."""

from unicodedata import category


def in_one_line(text: str) -> str:
    """The text with every sign escaped that would move a cursor, begin a line or turn the direction of writing."""
    return "".join(
        sign if sign.isprintable() or category(sign) == "Zs" else sign.encode("unicode_escape").decode()
        for sign in text
    )
