"""Texts of users, such as keys, as a terminal may get them: it acts on control characters."""


def printable(text: str) -> str:
    """Escape what a file's name may hold and a terminal must not get, such as line breaks."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def printable_lines(text: str) -> str:
    """Do the same with a text of several lines."""
    return "\n".join(map(printable, text.split("\n")))
