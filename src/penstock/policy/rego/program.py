"""Modules as one program, with what is wrong: names without values, rules that need themselves."""

from collections.abc import Callable, Collection, Mapping

from penstock.policy.rego.compile_bodies import BodyCompiler
from penstock.policy.rego.compile_terms import Match, Place, TermCompiler
from penstock.policy.rego.errors import EvaluationError, FaultError, RegoError
from penstock.policy.rego.link import Linker, Node, plant_tree
from penstock.policy.rego.names import find_vars, list_declared
from penstock.policy.rego.run import Clause, Context, Env, Fn, Growth, RuleSet, Step, word_conflict
from penstock.policy.rego.scope import FIRST_SLOT, Frame, Scope
from penstock.policy.rego.strict import check_strictly
from penstock.policy.rego.tree import Branch, Module, Rule, Scalar
from penstock.policy.rego.values import UNDEFINED, Value, freeze, same, thaw


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


def find_value(context: Context, rules: RuleSet) -> Value:
    """The value, UNDEFINED when there is none. Raises EvaluationError."""
    try:
        return context.find(rules)
    except RecursionError:
        raise EvaluationError(f"{rules.name}: the rules call each other too deeply") from None


def read_value(context: Context, rules: RuleSet) -> object:
    """The value as plain data, UNDEFINED when there is none. Raises EvaluationError."""
    return thaw(find_value(context, rules))


def compile_modules(
    modules: Mapping[str, Module],
    faults: list[FaultError],
    *,
    strict: Collection[str] = (),
    files: Mapping[str, str] | None = None,
) -> Program:
    """The modules as a program; what is wrong is added to `faults`, most in those named `strict`.

    `files` are what modules are called in errors of their evaluation, when that is not their name.
    """
    root, placed = plant_tree(modules, faults)
    if faults:
        return Program(Node())
    files = files or {}
    linkers = {name: Linker(root, module, files.get(name, name)) for name, module in modules.items()}
    for name, rules in placed.items():
        for owner, rule in rules:
            try:
                _compile_rule(linkers[name], owner, rule, strict=name in strict)
            except RegoError as error:
                faults.append(FaultError(name, error))
    if not faults:
        found = ((name, check_strictly(modules[name], linkers[name].used)) for name in strict)
        faults += [FaultError(name, each) for name, errors in found for each in errors]
    faults += _find_circles(root)
    return Program(root)


def _compile_rule(linker: Linker, rules: RuleSet, rule: Rule, *, strict: bool) -> None:
    frame = Frame(linker.arity, linker.is_global)
    frame.size += len(rule.args)  # they come first
    steps = tuple(_compile_branch(linker, rules, frame, rule, branch) for branch in rule.branches)
    if strict and not rule.default:
        _check_args(rule, frame)
    for slot, (var, how) in frame.declared.items():
        if strict and slot not in frame.read:
            raise RegoError(var.line, f"{how} var {var.name} unused")
    clause = Clause(f"{linker.file}:{rule.line}", frame.size, steps)
    if rule.default:
        if rules.default is not None:
            raise RegoError(rule.line, f"multiple default rules {rules.name} found")
        rules.default = clause
    else:
        rules.clauses.append(clause)


def _check_args(rule: Rule, frame: Frame) -> None:
    """Raises RegoError for an argument that no branch of the function needs."""
    for var in (var for each in rule.args for var in find_vars(each)):
        if not var.name.startswith("$") and var.name not in frame.used_args:
            raise RegoError(
                var.line, f"unused argument {var.name}. (hint: use _ (wildcard variable) instead)"
            )


def _compile_branch(linker: Linker, rules: RuleSet, frame: Frame, rule: Rule, branch: Branch) -> Step:
    compiler = BodyCompiler(linker, rules, frame)
    head = [branch.value, *rule.keys, *([rule.key] if rule.key is not None else [])]
    place = Place(Scope(frame), set())
    args = {var.name: place.scope.declare(var.name) for each in rule.args for var in find_vars(each)}
    again = next((var for var in list_declared(branch.body) if var.name in args), None)
    if again is not None:
        raise RegoError(again.line, f"arg {again.name} redeclared")
    scope = place.scope.enter(branch.body, head)
    matches = [compiler.compile_pattern(each, place) for each in rule.args]
    bound = place.bound.union(*map(scope.list_outputs, branch.body))
    scope.check(head, bound, branch.line)
    last = _compile_head(compiler, rule, branch, Place(scope, bound))
    body = compiler.compile_body(branch.body, scope, place.bound, last)
    frame.used_args |= {name for name, slot in args.items() if slot in frame.read}
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
    if rule.key is not None:
        keys = [compiler.compile(each, place) for each in rule.keys]
        key = compiler.compile(rule.key, place)
        if rule.kind == "set" and not keys:
            return place.chain(_add_member(key))
        value = key if rule.kind == "set" else compiler.compile(branch.value, place)
        path = keys if rule.kind == "set" else [*keys, key]
        add = Growth.add_member if rule.kind == "set" else Growth.add_value
        return place.chain(_add_to(path, value, add, word_conflict(rules, written)))
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


def _add_to(
    keys: list[Fn], value: Fn, put: Callable[[Growth, list[Value], Value], bool], conflict: str
) -> Step:
    def add(env: Env) -> bool:
        path, found = [key(env) for key in keys], value(env)
        if found is not UNDEFINED and UNDEFINED not in path and not put(env[1], path, found):
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


def _find_circles(root: Node) -> list[FaultError]:
    """The fault of each rule that needs its own value, as far as rules before did not show it."""
    found: list[FaultError] = []
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
                shown = f"rule {circle[0]} is recursive: {' -> '.join([*circle, circle[0]])}"
                found.append(FaultError(following.module, RegoError(following.line, shown)))
            elif following not in done:
                trail.append((following, sorted(following.uses, key=lambda each: each.name)))
                on_trail.add(following)
    return found[:10]


__all__ = ["FaultError", "Program", "compile_modules", "read_value"]
