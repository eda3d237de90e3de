"""Where names of commands, jobs and executors are looked up: the config, or an orb."""

from penstock.language.common.tree import Map

KINDS = ("commands", "jobs", "executors")


MOST_HOPS = 8
"""References from job to job that are followed."""


def leads_nowhere(jobs: Map, name: str) -> bool:
    """True for a job that is a reference to a job, and so on, without an end."""
    following: object = name
    for _ in range(MOST_HOPS):
        following = jobs.get(following) if isinstance(following, str) else None
    return isinstance(following, str) and following in jobs


class Unavailable:
    """Something that is there but cannot be used; that has been reported, so its uses are not."""


class Found:
    """A definition and the scope it was written in, which is where its own names are looked up."""

    __slots__ = ("definition", "name", "scope")

    def __init__(self, definition: Map, name: str, scope: "Scope") -> None:
        self.definition = definition
        self.name = name
        self.scope = scope


class Scope:
    """The elements one text defines, and its orbs by alias.

    An orb's scope is `private`: it sees no parameters of the pipeline and nothing of the config that
    uses it.
    """

    def __init__(self, tree: Map, *, private: bool) -> None:
        self.tree = tree
        self.private = private
        self.orbs: dict[str, Scope | Unavailable] = {}
        self.used: set[tuple[str, str]] = set()
        self.defined = {kind: self._list_definitions(kind) for kind in KINDS}

    def _list_definitions(self, kind: str) -> dict[str, object]:
        section = self.tree.get(kind)
        return section if isinstance(section, Map) else {}

    def find(self, kind: str, name: str) -> Found | Unavailable | None:
        """The definition of a local name, or of `alias/name` in an orb; None when there is none."""
        for _ in range(MOST_HOPS):  # a job may be a reference to another job
            self.used.add((kind, name))
            definition = self.defined[kind].get(name)
            if isinstance(definition, Map):
                return Found(definition, name, self)
            if not isinstance(definition, str):
                return self._find_in_orb(kind, name) if name not in self.defined[kind] else Unavailable()
            name = definition
            if name not in self.defined[kind] and "/" not in name:
                return Unavailable()
        return Unavailable()

    def _find_in_orb(self, kind: str, name: str) -> "Found | Unavailable | None":
        alias, slash, rest = name.partition("/")
        orb = self.orbs.get(alias) if slash else None
        return orb.find(kind, rest) if isinstance(orb, Scope) else orb

    def list_names(self, kind: str) -> list[str]:
        """Every name that `find` knows, for suggestions."""
        names = list(self.defined[kind])
        for alias, orb in self.orbs.items():
            if isinstance(orb, Scope):
                names.extend(f"{alias}/{name}" for name in orb.defined[kind])
        return names


class ExecutorName(str):
    """An executor given as an argument: a name, and the scope of whoever gave it."""

    __slots__ = ("scope",)
    scope: Scope


class ExecutorCall(Map):
    """An executor given as an argument, with arguments of its own; the scope is the giver's."""

    __slots__ = ("scope",)
    scope: Scope


def attach_scope(value: object, scope: Scope) -> object:
    """An executor argument bound to the scope it was written in; bound ones stay as they are."""
    if isinstance(value, ExecutorName | ExecutorCall):
        return value
    if isinstance(value, str):
        name = ExecutorName(value)
        name.scope = scope
        return name
    if isinstance(value, Map):
        call = ExecutorCall(value.items(), value)
        call.scope = scope
        return call
    return value
