"""CircleCI configuration, versions 2 and 2.1 (CircleCI config reference)."""

from penstock.language.circleci.compile import compile  # noqa: A004 - every compiler's name

__all__ = ["compile"]
