"""What data must look like, as data: types, keys, required keys, permitted values."""

import re
from collections.abc import Mapping

import msgspec

from penstock.language.common.diagnostic import Reporter, suggest_name
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Items, Map, Place, Unresolved

TYPE_NAMES: dict[type, str] = {
    Map: "Mapping", Items: "Sequence", str: "String", int: "Number", float: "Number", bool: "Boolean",
    type(None): "Null",
}  # fmt: skip


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of one value.

    `types` are names of `TYPE_NAMES`. `keys` are a mapping's known keys; `others` is the shape of any
    other key, and when it is None such a key is an error, or with `lenient` only a warning; a mapping's
    shape with neither is open. `items` is
    the shape of a list's items, `least` how many there must be. `options` and `pattern` hold for scalars.
    `hint` tells what is expected, `misplaced` where a key belongs that is often written here.
    """

    types: frozenset[str]
    keys: Mapping[str, "Shape"] = {}
    required: tuple[str, ...] = ()
    others: "Shape | None" = None
    lenient: bool = False
    items: "Shape | None" = None
    least: int = 0
    options: frozenset[object] = frozenset()
    pattern: str = ""
    hint: str = ""
    misplaced: Mapping[str, str] = {}


def shape(types: str, **details: object) -> Shape:
    """A shape from the names of its types, separated by blanks."""
    return Shape(types=frozenset(types.split()), **details)  # type: ignore[arg-type]  # checked by the callers' tests


_WAYS_OUT = {
    "Mapping": "a map ('key: value')", "Sequence": "a list ('- value')", "String": "a text",
    "Number": "a number without quotes", "Boolean": "true or false",
}  # fmt: skip


def _explain_types(expected: Shape) -> str:
    """What may be written, for a shape that has no hint of its own."""
    forms = [text for name, text in _WAYS_OUT.items() if name in expected.types]
    return expected.hint or f"write {', or '.join(forms)}"


class ShapeChecker:
    """Checks values against shapes and reports in the words of the vendor's schema.

    A container is looked at only once with the same shape; what came out is remembered. Before values
    are filled in (`templates`), a text with `<<` may stand for anything.
    """

    def __init__(self, report: Reporter, *, templates: bool) -> None:
        self._report = report
        self._templates = templates
        # The values are held beside the answers, so that their ids stay unique.
        self._known: dict[tuple[int, int], tuple[object, bool]] = {}

    def check(self, value: object, expected: Shape, place: Place) -> bool:
        """True when the value has the shape; else everything wrong with it is reported."""
        return self._check(value, expected, place.container, place.key)

    def _check(self, value: object, expected: Shape, container: Map | Items, key: str | int | None) -> bool:
        """As `check`; a place is made only for a finding, since there are many values and few findings."""
        kind = name_type(value)
        if kind == "String" and (isinstance(value, Unresolved) or (self._templates and "<<" in str(value))):
            return True
        if kind not in expected.types:
            self._refuse_type(kind, expected, Place(container, key))
            return False
        if isinstance(value, Map | Items):
            return self._check_container(value, expected, container, key)
        if expected.options or expected.pattern:
            return self._check_scalar(value, expected, Place(container, key))
        return True

    def _check_container(
        self, value: Map | Items, expected: Shape, container: Map | Items, key: str | int | None
    ) -> bool:
        name = (id(value), id(expected))
        if (known := self._known.get(name)) is not None:
            return known[1]
        if isinstance(value, Map):
            right = self._check_map(value, expected)
        else:
            right = self._check_items(value, expected, Place(container, key))
        self._known[name] = value, right
        return right

    def _check_map(self, value: Map, expected: Shape) -> bool:
        right = True
        keys, others = expected.keys, expected.others
        if not keys and others is None:
            return right
        for key, item in value.items():
            inner = keys.get(key, others)
            if inner is not None:
                right = self._check(item, inner, value, key) and right
            elif not (self._templates and "<<" in key):
                right = self._refuse_key(value, key, expected) and right
        for key in expected.required:
            if key not in value:
                message = f"[{Place(value).find_pointer()}] required key [{key}] not found"
                hint = expected.hint or f"add '{key}:' here"
                self._report.error("required-key", message, Place(value), hint=hint)
                right = False
        return right

    def _check_items(self, value: Items, expected: Shape, place: Place) -> bool:
        right = True
        if len(value) < expected.least:
            message = f"[{place.find_pointer()}] minimum item count: {expected.least}, found: {len(value)}"
            hint = expected.hint or "add an item ('- value'), or leave the key out"
            self._report.error("too-few-items", message, place, hint=hint)
            right = False
        if expected.items is not None:
            for index, item in enumerate(value):
                right = self._check(item, expected.items, value, index) and right
        return right

    def _check_scalar(self, value: object, expected: Shape, place: Place) -> bool:
        if expected.options and value not in expected.options:
            hint = "one of: " + ", ".join(sorted(map(show_scalar, expected.options)))
            message = f"[{place.find_pointer()}] Input not a valid enum value"
            self._report.error("invalid-value", message, place, hint=hint)
            return False
        if expected.pattern and isinstance(value, str) and not re.fullmatch(expected.pattern, value):
            message = f"[{place.find_pointer()}] string [{value[:80]}] does not match what is expected here"
            self._report.error("invalid-value", message, place, hint=expected.hint)
            return False
        return True

    def _refuse_type(self, kind: str, expected: Shape, place: Place) -> None:
        wanted = [name for name in TYPE_NAMES.values() if name in expected.types]
        types = "|".join(dict.fromkeys(wanted))
        message = f"[{place.find_pointer()}] expected type: {types}, found: {kind}"
        self._report.error("wrong-type", message, place, hint=_explain_types(expected))

    def _refuse_key(self, value: Map, key: str, expected: Shape) -> bool:
        place = Place(value, key, on_key=True)
        message = f"[{Place(value).find_pointer()}] extraneous key [{key}] is not permitted"
        hint = expected.misplaced.get(key) or suggest_name(key, expected.keys)
        hint = hint.replace("known here:", "permitted keys:")
        if expected.lenient:
            message = message.replace("extraneous key", "key").replace("is not permitted", "is ignored")
            self._report.warn("unknown-key", message, place, hint=hint)
            return True
        self._report.error("unknown-key", message, place, hint=hint)
        return False


def name_type(value: object) -> str:
    """The vendor's name for the type of a value, also of one whose class only carries more with it."""
    known = TYPE_NAMES.get(value.__class__)
    return known or next((name for kind, name in TYPE_NAMES.items() if isinstance(value, kind)), "Unknown")
