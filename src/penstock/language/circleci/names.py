"""Which names `<< >>` can see at one point of a config."""

from collections.abc import Iterable, Mapping

from penstock.language.circleci.expression.evaluator import MISSING
from penstock.language.circleci.values import PARAMETERS, PipelineValues


class Names:
    """The parameters of one element, the matrix of one job invocation, and the pipeline's values.

    Scope is lexical: nothing of the caller is seen. Inside an orb `pipeline.parameters` is unknown.
    """

    __slots__ = ("matrix", "parameters", "pipeline", "private")

    def __init__(
        self,
        pipeline: PipelineValues,
        *,
        parameters: Mapping[str, object] | None = None,
        matrix: Mapping[str, object] | None = None,
        private: bool = False,
    ) -> None:
        self.pipeline = pipeline
        self.parameters = parameters or {}
        self.matrix = matrix or {}
        self.private = private

    def look_up(self, name: str) -> object:
        """The value; None when known but absent, MISSING when unknown. A trailing `?` forgives."""
        if name.endswith("?"):
            value = self.look_up(name[:-1])
            return None if value is MISSING else value
        root, _, rest = name.partition(".")
        match root:
            case "parameters":
                return self.parameters.get(rest, MISSING)
            case "matrix":
                return self.matrix.get(rest, MISSING)
            case "pipeline" if not (self.private and name.startswith(PARAMETERS)):
                return self.pipeline.look_up(name)
            case _:
                return MISSING

    def list_names(self) -> Iterable[str]:
        """Every name that can be seen, for suggestions."""
        yield from (f"parameters.{name}" for name in self.parameters)
        yield from (f"matrix.{name}" for name in self.matrix)
        yield from (
            name for name in self.pipeline.list_names() if not (self.private and name.startswith(PARAMETERS))
        )
