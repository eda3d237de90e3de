"""Names people give to jobs and workflows, as far as they cause surprises."""

from penstock.language.common.diagnostic import Reporter
from penstock.language.common.tree import Map, Place

_FILL = str.maketrans(dict.fromkeys(" \t_-", "x"))
_SECTIONS = {"jobs": "job", "workflows": "workflow"}


def check_names(tree: Map, report: Reporter) -> None:
    """Warns of names that differ only in case, and hints at characters other tools stumble over."""
    for section, kind in _SECTIONS.items():
        names = tree.get(section)
        if isinstance(names, Map):
            _check_section(names, kind, report)


def _check_section(names: Map, kind: str, report: Reporter) -> None:
    seen: dict[str, str] = {}
    for name in names:
        place = Place(names, name, on_key=True)
        if (twin := seen.setdefault(name.lower(), name)) != name:
            message = f"The names of {kind}s '{twin}' and '{name}' differ only in case."
            hint = f"names of {kind}s are to be unique without regard to case"
            report.warn("similar-names", message, place, hint=hint)
        if not _is_usual(name):
            message = f"The name of {kind} '{name}' has characters the published schema does not allow."
            report.suggest(
                "unusual-name",
                message,
                place,
                hint="use letters, digits, blanks, '_' and '-', a letter first",
            )


def _is_usual(name: str) -> bool:
    """True for what the published JSON schema allows; the vendor's compiler takes more."""
    rest = name.translate(_FILL)
    return name.isascii() and name[:1].isalpha() and rest.isalnum()
