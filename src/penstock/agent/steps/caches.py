"""save_cache and restore_cache: files a later run of the project finds again."""

from collections.abc import Mapping

from penstock.agent.context import Result, StepContext
from penstock.agent.executor.base import Member
from penstock.agent.steps.cache_key import KeyFacts, expand_key
from penstock.agent.steps.transfer import format_size, upload_archive, with_archive
from penstock.agent.transport import BlobKind
from penstock.model.errors import NotFoundError, RefusedError, UnavailableError
from penstock.plan.step import RestoreCache, SaveCache

_HOME = "home"  # first part of names of what lies below HOME, which differs from task to task
_ROOT = "root"  # first part of all other names


def save_cache(step: SaveCache, context: StepContext) -> Result:
    """Keep the paths under the key, unless it is taken or nothing is there."""
    task, log = context.task, context.log
    key = _expand(step.key, context)
    if context.persist(lambda: task.transport.has_cache(task.assignment.task, key)):
        log.say(f"Skipping cache generation, cache already exists for key: {key}")
        return Result()
    members = find_members(step.paths, context)
    if not members:
        log.say("Skipping cache generation, there is nothing to keep")
        return Result()
    try:
        blob, size = upload_archive(context, BlobKind.CACHE, lambda: context.place.pack(members))
    except UnavailableError as error:
        log.say(f"Warning: the cache was not stored: {error}")
        return Result()
    task.reporter.cache(key, size, blob)
    context.settle()
    log.say(f"Stored {format_size(size)} under the key: {key}")
    return Result()


def restore_cache(step: RestoreCache, context: StepContext) -> Result:
    """Lay out the newest cache that matches the first key that matches any; none is no failure."""
    task, log = context.task, context.log
    keys = tuple(_expand(key, context) for key in step.keys)
    hit = context.persist(lambda: task.transport.find_cache(task.assignment.task, keys))
    if hit is None:
        for key in keys:
            log.say(f"No cache is found for key: {key}")
        return Result()
    log.say(f"Found a cache at {hit.key} ({format_size(hit.size)})")
    roots = {_HOME: context.place.home, _ROOT: "/"}
    try:
        with_archive(context, hit.blob, lambda tar: context.place.unpack(tar, roots))
    except (NotFoundError, UnavailableError) as error:
        log.say(f"Warning: the cache could not be read: {error}")
        return Result()
    log.say("Cache restored")
    return Result()


def find_members(paths: tuple[str, ...], context: StepContext) -> list[Member]:
    """The paths that exist, named so that another task's HOME receives what lay in this one's."""
    members: list[Member] = []
    for path in paths:
        full = context.resolve(path)
        if context.place.find_kind(full) is None:
            context.log.say(f"Warning: could not archive {full} - Not found")
            continue
        home = context.place.home
        below = full == home or full.startswith(home + "/")
        name = _HOME + full.removeprefix(home) if below else _ROOT + full
        members.append(Member(name=name, path=full))
    return members


def _expand(template: str, context: StepContext) -> str:
    environment: Mapping[str, str] = context.task.environment
    facts = KeyFacts(
        context.task.assignment, environment, lambda path: context.place.read(context.resolve(path))
    )
    key = expand_key(template, facts)
    limit = context.task.tuning.cache_key
    if len(key) > limit:
        raise RefusedError(f"the cache key has {len(key)} characters, {limit} are allowed")
    return key
