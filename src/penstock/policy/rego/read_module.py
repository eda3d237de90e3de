"""Reads a module: its package, its imports, its rules, in the syntax of version 0 and of version 1."""

from typing import NamedTuple

from penstock.policy.rego.errors import RegoError
from penstock.policy.rego.read_bodies import BodyReader
from penstock.policy.rego.scan import scan_module
from penstock.policy.rego.tree import Body, Branch, Import, Module, Rule, Scalar, Term

_TRUE = Scalar(value=True)


class _Head(NamedTuple):
    """What stands before a rule's body: its name, and what leads on from there."""

    name: str
    steps: tuple[Term, ...]
    bracket: bool  # the last step is in brackets
    member: Term | None
    args: tuple[Term, ...] | None
    value: Term | None
    line: int


def read_module(source: str) -> Module:
    """The module. Raises RegoError, which names the line."""
    return _ModuleReader(scan_module(source)).read()


class _ModuleReader(BodyReader):
    """Reads a module from its beginning."""

    _v1 = False

    def read(self) -> Module:
        """The module."""
        if not self.skip("package"):
            raise self.wrong("package expected")
        package = self._read_path()
        imports = []
        while self.skip("import"):
            imports.append(self._read_import())
        module = Module(package=package, imports=tuple(imports), rules=())
        self._v1 = module.is_v1
        rules: list[Rule] = []
        while self.word.kind != "end":
            rules += self._read_rule()
            if not self.word.first and not self.skip(";"):
                raise self.wrong("expected the end of the rule")
        return Module(package=package, imports=module.imports, rules=tuple(rules))

    def _read_path(self) -> tuple[str, ...]:
        names = [self.read_name()]
        while not self.word.apart:
            if self.skip("."):
                names.append(self.read_name())
                continue
            self.expect("[")
            if self.word.kind not in {"text", "raw"}:
                raise self.wrong("expected a string")
            names.append(self.take().value)
            self.expect("]")
        return tuple(names)

    def _read_import(self) -> Import:
        line = self.word.line
        path = self._read_path()
        if path[0] not in {"data", "input", "future", "rego"}:
            raise RegoError(line, "an import begins with data, input, future or rego")
        return Import(path, self.read_name() if self.skip("as") else path[-1], line)

    def _read_rule(self) -> list[Rule]:
        """A rule, more than one when bodies follow each other."""
        default = self.word.text == "default" and self.skip("default")
        head = self._read_head()
        if default:
            if head.value is None or self.word.text == "{" or (self.word.text == "if" and self.is_keyword()):
                raise RegoError(head.line, "a default has a value and no body")
            return [self._make(head, (Branch(head.value, (), head.line),), bracket=False, default=True)]
        has_if = self.word.text == "if"
        branches = [Branch(head.value or _TRUE, self._read_condition(), head.line), *self._read_elses()]
        rules = [self._make(head, tuple(branches), bracket=not has_if)]
        while self.word.text == "{" and self.word.kind == "sign":
            branch = Branch(head.value or _TRUE, self._read_condition(chained=True), self.word.line)
            rules.append(self._make(head, (branch,), bracket=not has_if))
        return rules

    def _read_head(self) -> _Head:
        line, name, args, bracket = self.word.line, self._read_rule_name(), None, False
        steps: list[Term] = []
        while not self.word.apart and args is None:
            if self.skip("."):
                steps.append(Scalar(self.read_name()))
                bracket = False
            elif self.skip("["):
                steps.append(self.read_term())
                self.expect("]")
                bracket = True
            elif self.skip("("):
                args = tuple(self.read_terms(")"))
            else:
                break
        member = self.read_term() if args is None and self.skip("contains") else None
        value = self.read_term() if self.skip(":=") or self.skip("=") else None
        return _Head(name, tuple(steps), bracket, member, args, value, line)

    def _read_rule_name(self) -> str:
        if not self._is_name():
            raise self.wrong("expected the name of a rule")
        return self.take().text

    def _read_condition(self, *, chained: bool = False) -> Body:
        """The body behind a head, () when there is none."""
        if self.skip("if"):
            return self.read_body("}") if self.skip("{") else (self.read_literal(),)
        if self.word.text == "{" and self.word.kind == "sign":
            if self._v1 and not chained:
                raise self.wrong("`if` keyword is required before rule body")
            self.take()
            return self.read_body("}")
        return ()

    def _read_elses(self) -> list[Branch]:
        branches = []
        while self.word.text == "else" and self.skip("else"):
            line = self.word.line
            value = self.read_term() if self.skip(":=") or self.skip("=") else _TRUE
            branches.append(Branch(value, self._read_condition(), line))
        return branches

    def _make(
        self, head: _Head, branches: tuple[Branch, ...], *, bracket: bool, default: bool = False
    ) -> Rule:
        """The rule; one like `deny[msg]` is a set when it has nothing else, in version 0 of the language."""
        steps, key = list(head.steps), head.member
        kind = "function" if head.args is not None else "set" if key is not None else "complete"
        if kind == "complete" and head.bracket:
            key, kind = steps.pop(), "set" if head.value is None and bracket else "map"
            if kind == "set" and self._v1:
                raise RegoError(head.line, "`contains` keyword is required for partial set rules")
        names = [head.name]
        while steps and isinstance(first := steps[0], Scalar) and isinstance(first.value, str):
            names.append(first.value)
            del steps[0]
        if steps and kind == "complete":
            key, kind = steps.pop(), "map"
        if kind == "function" and steps:
            raise RegoError(head.line, "the name of a function can have no variables")
        if kind in {"set", "map"} and (len(branches) > 1 or default):
            what = "a rule with `default`" if default else "else"
            raise RegoError(head.line, f"{what} cannot be used on partial rules")
        return Rule(
            kind=kind,
            path=tuple(names),
            branches=branches,
            line=head.line,
            key=key,
            keys=tuple(steps),
            args=head.args or (),
            default=default,
        )


def read_policy_name(module: Module) -> Scalar | None:
    """The member that the first rule's set has, None when it is no set of one text."""
    first = module.rules[0]
    return first.key if first.kind == "set" and isinstance(first.key, Scalar) else None
