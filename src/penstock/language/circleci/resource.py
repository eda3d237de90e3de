"""Resource classes that contradict the executor they stand beside."""

from penstock.language.common.diagnostic import Reporter
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Map, Place
from penstock.plan.executor import ExecutorKind
from penstock.plan.resources import CLASSES, SIZES, find_resources, is_own_class

_LINUX_IMAGES = ("ubuntu-", "linux-", "android:")


def check_resource(body: Map, report: Reporter) -> None:
    """Warns of what the vendor's schema refuses and its compiler lets pass until the job cannot start."""
    written = show_scalar(body.get("resource_class"))
    machine = body.get("machine")
    settings = machine if isinstance(machine, Map) else Map(())
    if written and "resource_class" in settings:
        message = "'resource_class' is given twice; the one of 'machine' is not used."
        report.warn("resource-class", message, Place(settings, "resource_class", on_key=True))
    written = written or show_scalar(settings.get("resource_class"))
    image = show_scalar(settings.get("image"))
    wrong = ""
    if isinstance(body.get("macos"), Map) and written in SIZES:
        wrong = "macos"
    elif image.startswith(_LINUX_IMAGES) and written.startswith("windows."):
        wrong = f"image {image}"
    elif "docker" in body and written and "<<" not in written and _is_unknown(written):
        message = f"Resource class {written} is none of the docker executor: nothing bounds its containers."
        hint = f"one of {', '.join(CLASSES[ExecutorKind.DOCKER])}"
        report.warn("resource-class", message, Place(body, "resource_class"), hint=hint)
    if wrong:
        message = f"Resource class {written} does not go with {wrong}."
        report.warn("resource-class", message, Place(body, "resource_class"))


def _is_unknown(name: str) -> bool:
    return not is_own_class(name) and find_resources(name) is None
