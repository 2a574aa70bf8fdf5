"""Texts as a terminal should have them: it acts on control characters; people read counts."""


def printable(text: str) -> str:
    """Escape what a file's name may hold and a terminal must not get, such as line breaks."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def printable_lines(text: str) -> str:
    """Do the same with a text of several lines."""
    return "\n".join(map(printable, text.split("\n")))


def counted(count: int, noun: str) -> str:
    """Return `1 object`, `2 objects`, `1,000 objects`."""
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"
