"""The marks by which a commit's message asks for no pipeline (CircleCI docs: skip a build)."""

MARKS = ("[skip ci]", "[ci skip]")
_REACH = 250
"""Characters of the title, and of the body, in which a mark counts."""


def find_skip(subject: str, body: str) -> str:
    """The mark in the message of the newest commit, or ""."""
    title, text = subject[:_REACH], body[:_REACH]
    return next((mark for mark in MARKS if mark in title or mark in text), "")


def split_message(message: str) -> tuple[str, str]:
    """The subject and the body of a commit's message, as git parts them."""
    subject, _, body = message.strip().partition("\n\n")
    return " ".join(subject.split("\n")), body.strip()
