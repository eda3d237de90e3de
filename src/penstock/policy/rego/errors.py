"""What can be wrong with Rego: its text, or its evaluation."""

from penstock.model.errors import InvalidError


class RegoError(InvalidError):
    """The text is no Rego; `line` is where."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.line = line


class FaultError(RegoError):
    """A RegoError and the module it is in."""

    def __init__(self, module: str, error: RegoError) -> None:
        super().__init__(0, str(error))
        self.module = module


class EvaluationError(Exception):
    """The rules contradict themselves, or want more than they may."""


class BuiltinError(Exception):
    """A builtin was given what it cannot work with; its result is undefined."""
