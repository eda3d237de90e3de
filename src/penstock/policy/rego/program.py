"""Modules as one program, with what is wrong: names without values, rules that need themselves."""

from collections.abc import Collection, Mapping

from penstock.policy.rego.compile_bodies import BodyCompiler
from penstock.policy.rego.compile_terms import Match, Place, TermCompiler
from penstock.policy.rego.errors import EvaluationError, RegoError
from penstock.policy.rego.link import Linker, Node, plant_tree
from penstock.policy.rego.names import find_vars
from penstock.policy.rego.run import Clause, Context, Env, Fn, RuleSet, Step, word_conflict
from penstock.policy.rego.scope import FIRST_SLOT, Frame, Scope
from penstock.policy.rego.tree import Branch, Module, Rule, Scalar
from penstock.policy.rego.values import UNDEFINED, Obj, Value, freeze, same, thaw


class FaultError(RegoError):
    """A RegoError and the module it is in."""

    def __init__(self, module: str, error: RegoError) -> None:
        super().__init__(0, str(error))
        self.module = module


class Program:
    """Rules that can be evaluated."""

    def __init__(self, root: Node) -> None:
        self._root = root

    def find_package(self, *path: str) -> Mapping[str, RuleSet]:
        """The rules of a package, functions left out, by name."""
        node: Node | None = self._root
        for name in path:
            node = node.children.get(name) if node is not None else None
        children = node.children.items() if node is not None else ()
        return {
            name: child.rules
            for name, child in children
            if child.rules is not None and child.rules.kind != "function"
        }

    def open(self, document: object, data: object) -> Context:
        """A context of plain data in which rules can be asked for their values."""
        return Context(freeze(document) if document is not None else UNDEFINED, freeze(data))


def read_value(context: Context, rules: RuleSet) -> object:
    """The value as plain data, UNDEFINED when there is none. Raises EvaluationError."""
    try:
        return thaw(context.find(rules))
    except RecursionError:
        raise EvaluationError(f"{rules.name}: the rules call each other too deeply") from None


def compile_modules(
    modules: Mapping[str, Module],
    faults: list[FaultError],
    *,
    strict: Collection[str] = (),
    files: Mapping[str, str] | None = None,
) -> Program:
    """The modules as a program; what is wrong is added to `faults`.

    In modules that are named `strict` nothing may be brought in or given a value without being used. `files`
    are what modules are called in errors of their evaluation, when that is not their name.
    """
    try:
        root = plant_tree(modules)
    except RegoError as error:
        faults.append(FaultError("", error))
        return Program(Node())
    files = files or {}
    linkers = {name: Linker(root, module, files.get(name, name)) for name, module in modules.items()}
    for name, module in modules.items():
        for rule in module.rules:
            try:
                _compile_rule(linkers[name], rule, strict=name in strict)
            except RegoError as error:
                faults.append(FaultError(name, error))
    if not faults:
        faults += [each for name in strict for each in _find_unused(name, modules[name], linkers[name])]
    faults += [FaultError("", RegoError(0, text)) for text in _find_circles(root)]
    return Program(root)


def _find_unused(name: str, module: Module, linker: Linker) -> list[FaultError]:
    return [
        FaultError(name, RegoError(each.line, f"import {'.'.join(each.path)} unused"))
        for each in module.imports
        if each.path[0] in {"data", "input"} and each.alias not in linker.used
    ]


def _compile_rule(linker: Linker, rule: Rule, *, strict: bool) -> None:
    rules = linker.find_rules(rule.path)
    frame = Frame(linker.arity, linker.is_global)
    frame.size += len(rule.args)  # they come first
    steps = tuple(_compile_branch(linker, rules, frame, rule, branch) for branch in rule.branches)
    for slot, (name, line) in frame.declared.items():
        if strict and slot not in frame.read:
            raise RegoError(line, f"assigned var {name} unused")
    clause = Clause(f"{linker.file}:{rule.line}", frame.size, steps)
    if rule.default:
        if rules.default is not None:
            raise RegoError(rule.line, f"multiple default rules {rules.name} found")
        rules.default = clause
    else:
        rules.clauses.append(clause)


def _compile_branch(linker: Linker, rules: RuleSet, frame: Frame, rule: Rule, branch: Branch) -> Step:
    compiler = BodyCompiler(linker, rules, frame)
    head = [branch.value, *([rule.key] if rule.key is not None else [])]
    place = Place(Scope(frame), set())
    for var in (var for each in rule.args for var in find_vars(each)):
        place.scope.declare(var.name)
    scope = place.scope.enter(branch.body, head)
    matches = [compiler.compile_pattern(each, place) for each in rule.args]
    bound = place.bound.union(*map(scope.list_outputs, branch.body))
    scope.check(head, bound, branch.line)
    last = _compile_head(compiler, rule, branch, Place(scope, bound))
    body = compiler.compile_body(branch.body, scope, place.bound, last)
    return _take_args(matches, place.chain(body))


def _take_args(matches: list[Match], body: Step) -> Step:
    if not matches:
        return body

    def step(env: Env) -> bool:
        fits = all(match(env, env[FIRST_SLOT + at]) for at, match in enumerate(matches))
        return fits and body(env)

    return step


def _compile_head(compiler: TermCompiler, rule: Rule, branch: Branch, place: Place) -> Step:
    """The last step: what the rule says is so."""
    rules, written = compiler.rules, f"{compiler.linker.file}:{branch.line}"
    if rule.kind == "set" and rule.key is not None:
        return place.chain(_add_member(compiler.compile(rule.key, place)))
    if rule.kind == "map" and rule.key is not None:
        key = compiler.compile(rule.key, place)
        return place.chain(
            _add_item(word_conflict(rules, written), key, compiler.compile(branch.value, place))
        )
    value = compiler.compile(branch.value, place)
    return place.chain(
        _set_value(word_conflict(rules, written), value, final=isinstance(branch.value, Scalar))
    )


def _add_member(value: Fn) -> Step:
    def add(env: Env) -> bool:
        found = value(env)
        if found is not UNDEFINED:
            env[1].add(found)
        return False

    return add


def _add_item(conflict: str, key: Fn, value: Fn) -> Step:
    def add(env: Env) -> bool:
        name, found = key(env), value(env)
        if (
            name is not UNDEFINED
            and found is not UNDEFINED
            and not same(env[1].setdefault(name, found), found)
        ):
            raise EvaluationError(conflict)
        return False

    return add


def _set_value(conflict: str, value: Fn, *, final: bool) -> Step:
    def put(env: Env) -> bool:
        found: Value = value(env)
        if found is UNDEFINED:
            return False
        if env[1] is not UNDEFINED and not same(env[1], found):
            raise EvaluationError(conflict)
        env[1] = found
        return final

    return put


def _find_circles(root: Node) -> list[str]:
    """A sentence for each rule that needs its own value, as far as rules before did not show it."""
    found: list[str] = []
    done: set[RuleSet] = set()
    for start in root.walk():
        trail: list[tuple[RuleSet, list[RuleSet]]] = [(start, sorted(start.uses, key=lambda each: each.name))]
        on_trail = {start}
        while trail and start not in done:
            current, rest = trail[-1]
            if not rest:
                done.add(current)
                on_trail.discard(current)
                trail.pop()
                continue
            following = rest.pop()
            if following in on_trail:
                circle = [each.name for each, _ in trail[[each for each, _ in trail].index(following) :]]
                found.append(f"rule {circle[0]} is recursive: {' -> '.join([*circle, circle[0]])}")
            elif following not in done:
                trail.append((following, sorted(following.uses, key=lambda each: each.name)))
                on_trail.add(following)
    return found[:10]


__all__ = ["Obj", "Program", "compile_modules"]
