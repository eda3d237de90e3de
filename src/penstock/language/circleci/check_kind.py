"""Rules of the kinds of jobs and of single steps that a shape cannot say."""

from penstock.language.circleci.lower.values import read_seconds
from penstock.language.common.diagnostic import Reporter
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Items, Map, Place
from penstock.model.status import JobKind

MOST_RERUNS = 5
LONGEST_DELAY = 600.0
"""Seconds (CircleCI config reference: auto_rerun_delay)."""

_NEEDED = {JobKind.LOCK: "key", JobKind.UNLOCK: "key", JobKind.RELEASE: "plan_name"}


def check_kind(kind: JobKind, body: Map, report: Reporter) -> None:
    """A job that runs nothing must say what its kind is about."""
    key = _NEEDED.get(kind)
    if key is not None and show_scalar(body.get(key)) == "":
        message = f"[{Place(body).find_pointer()}] required key [{key}] not found"
        report.error("required-key", message, Place(body), hint=f"a job of type {kind} needs '{key}:'")


def check_reruns(body: Map, report: Reporter) -> None:
    """`max_auto_reruns`, of a workflow or of a step, is a whole number from 1 to 5."""
    reruns = body.get("max_auto_reruns")
    if isinstance(reruns, int | float) and not (isinstance(reruns, int) and 1 <= reruns <= MOST_RERUNS):
        message = f"[{Place(body).find_pointer()}/max_auto_reruns] must be between 1 and {MOST_RERUNS}"
        report.error("invalid-value", message, Place(body, "max_auto_reruns"))


def check_step(name: str, settings: Map, body: Map, report: Reporter) -> None:
    """One built-in step of a job's body, with all values filled in."""
    if name == "checkout":
        _check_checkout(settings, report)
    if name == "restore_cache" and not {"key", "keys"} & settings.keys():
        message = f"[{Place(settings).find_pointer()}] required key [keys] not found"
        report.error(
            "required-key", message, Place(settings), hint="name the caches to look for: 'keys: [v1-]'"
        )
    if name not in {"run", "deploy"}:
        return
    check_reruns(settings, report)
    if "auto_rerun_delay" in settings:
        _check_delay(settings, report)
    if name == "deploy":
        _check_deploy(settings, body, report)


def _check_checkout(settings: Map, report: Reporter) -> None:
    """A shallow checkout says how deep it is, and no other does (CircleCI config reference: checkout)."""
    depth, shallow = settings.get("depth"), settings.get("method") == "shallow"
    if depth is not None and (not isinstance(depth, int) or depth < 1 or not shallow):
        message = (
            f"[{Place(settings).find_pointer()}/depth] a whole number of at least 1, with method: shallow"
        )
        report.error("invalid-value", message, Place(settings, "depth"))
    elif shallow and depth is None:
        message = f"[{Place(settings).find_pointer()}] required key [depth] not found"
        report.error("required-key", message, Place(settings), hint="say how many commits: 'depth: 1'")


def _check_delay(settings: Map, report: Reporter) -> None:
    place = Place(settings, "auto_rerun_delay")
    delay = read_seconds(settings["auto_rerun_delay"])
    if delay is not None and delay > LONGEST_DELAY:
        message = f"[{place.find_pointer()}] a delay of more than 10 minutes"
        report.error("invalid-value", message, place, hint="wait at most 10m")
    if "max_auto_reruns" not in settings:
        message = f"[{Place(settings).find_pointer()}] required key [max_auto_reruns] not found"
        report.error("required-key", message, place, hint="a delay makes sense only between reruns")


def _check_deploy(settings: Map, body: Map, report: Reporter) -> None:
    """The old step makes the first copy of a parallel job wait for all others."""
    parallelism = body.get("parallelism")
    if isinstance(parallelism, int) and parallelism > 1:
        message = (
            "'deploy' is deprecated: the first parallel copy keeps its agent until all others have passed."
        )
        hint = "move it to a job of its own that requires this one"
        report.warn("deploy-step", message, Place(settings), hint=hint)


def list_steps(body: Map) -> list[tuple[str, object, Map]]:
    """The steps with settings: name, settings, and the map they stand in."""
    steps = body.get("steps")
    listed = steps if isinstance(steps, Items) else Items(())
    return [(name, said, step) for step in listed if isinstance(step, Map) for name, said in step.items()]
