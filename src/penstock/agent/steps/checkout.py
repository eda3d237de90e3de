"""The checkout step: the pipeline's source at its revision, uncommitted changes included."""

import os
import tempfile
from pathlib import PurePosixPath

from penstock.agent.context import Result, StepContext
from penstock.agent.executor.archive import pack
from penstock.agent.executor.base import Kind, Member, Request
from penstock.agent.executor.processes import Family
from penstock.agent.steps.credentials import PRELUDE, describe_credentials
from penstock.agent.steps.transfer import breathe_between
from penstock.model.errors import RefusedError
from penstock.model.status import StepStatus
from penstock.plan.step import Checkout
from penstock.wire.messages import Source

# A script, not calls from here, so that it runs in whatever place the executor offers. Everything it
# needs comes in variables, so nothing has to be quoted.
_SCRIPT = (
    r"""
set -eu
export GIT_TERMINAL_PROMPT=0 GIT_ADVICE=0
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
"""
    + PRELUDE
    + r"""
# Objects a cached clone borrowed are those this clone would borrow.
borrow() {
  if [ "$PENSTOCK_OPTIONS" = "--shared" ] && [ -f .git/objects/info/alternates ]; then
    git -C "$PENSTOCK_URL" rev-parse --path-format=absolute --git-path objects \
      > .git/objects/info/alternates
  fi
}
if [ -d "$PENSTOCK_PATH/.git" ]; then
  cd "$PENSTOCK_PATH"
  borrow
  git remote set-url origin "$PENSTOCK_URL" 2>/dev/null || git remote add origin "$PENSTOCK_URL"
  echo "Fetching into the existing repository"
  git fetch --quiet --force --tags origin '+refs/heads/*:refs/remotes/origin/*'
elif [ -e "$PENSTOCK_PATH" ] && [ -n "$(ls -A "$PENSTOCK_PATH")" ]; then
  echo "$PENSTOCK_PATH is not empty and no git repository: the source cannot be checked out there" >&2
  exit 1
else
  echo "Cloning $PENSTOCK_SHOWN"
  # shellcheck disable=SC2086
  git clone --quiet --no-checkout -c gc.auto=0 -c advice.detachedHead=false $PENSTOCK_OPTIONS \
    -- "$PENSTOCK_URL" "$PENSTOCK_PATH"
  cd "$PENSTOCK_PATH"
fi
if ! git cat-file -e "$PENSTOCK_SHA^{commit}" 2>/dev/null; then
  git fetch --quiet origin "$PENSTOCK_SHA" || {
    echo "the revision $PENSTOCK_SHA is not in $PENSTOCK_SHOWN" >&2
    exit 1
  }
fi
if [ -n "$PENSTOCK_BRANCH" ]; then
  git checkout --quiet --force -B "$PENSTOCK_BRANCH" "$PENSTOCK_SHA"
elif [ "$(git rev-parse --quiet --verify "refs/tags/$PENSTOCK_TAG^{commit}" || :)" = "$PENSTOCK_SHA" ]; then
  git checkout --quiet --force "$PENSTOCK_TAG"
else
  git checkout --quiet --force --detach "$PENSTOCK_SHA"
fi
git reset --quiet --hard "$PENSTOCK_SHA"
if [ -n "$PENSTOCK_OVERLAY" ]; then
  echo "Laying uncommitted changes over it"
  index=$(git rev-parse --git-path penstock-index)
  cp "$(git rev-parse --git-path index)" "$index"
  GIT_INDEX_FILE="$index" git read-tree -m -u "$PENSTOCK_SHA" "$PENSTOCK_OVERLAY"
  rm -f "$index"
fi
if [ -n "$PENSTOCK_ORIGIN" ]; then
  borrow
  git remote set-url origin "$PENSTOCK_ORIGIN"
fi
if [ -n "$PENSTOCK_ALONE" ]; then
  git repack -a -d -q
  rm -f .git/objects/info/alternates
fi
git --no-pager log -1 --no-show-signature --format='HEAD is now at %h %s'
"""
)
_COMMAND = ("/bin/sh", "-c", _SCRIPT, "checkout")


def check_out(step: Checkout, context: StepContext) -> Result:
    """The step's path holds the source (CircleCI docs: checkout; submodules are left alone)."""
    source = context.task.assignment.source
    if source is None:
        raise RefusedError("this pipeline has no source to check out")
    if not context.place.has_git:
        return _bring_in(source, step, context)
    url = context.place.lend(source.url)
    environment = {**context.task.environment, **describe_source(source, step, url), "GIT_PAGER": "cat"}
    environment |= describe_credentials(source, environment, context.place.control)
    environment["PENSTOCK_PATH"] = context.resolve(step.path)
    if url != source.url:
        environment["GIT_CONFIG_SYSTEM"] = _trust(context)
    request = Request(argv=_COMMAND, environment=environment, directory=context.place.home)
    return context.execute(request)


def _trust(context: StepContext) -> str:
    """A git config by which the local copy, another user's, may be read."""
    path = f"{context.place.control}/gitconfig"
    context.place.write(path, b"[safe]\n\tdirectory = *\n[include]\n\tpath = /etc/gitconfig\n")
    return path


def _bring_in(source: Source, step: Checkout, context: StepContext) -> Result:
    """Check out on the agent's machine and carry the files into a place that has no git."""
    path = context.resolve(step.path)
    if context.place.find_kind(path) is Kind.FOLDER and context.place.match(path, "*"):
        raise RefusedError(f"{path} is not empty and there is no git here to update it with")
    with tempfile.TemporaryDirectory(prefix="penstock-checkout-") as folder:
        tree = f"{folder}/tree"
        environment = {**os.environ, **describe_source(source, step, source.url), "PENSTOCK_PATH": tree}
        environment |= describe_credentials(source, environment, folder)
        if environment["PENSTOCK_OPTIONS"] == "--shared":
            environment["PENSTOCK_ALONE"] = "yes"  # the local copy will not be there to borrow from
        running = Family(adopts=False).start(Request(_COMMAND, environment, folder))
        result = context.watch(running)
        if result.status is StepStatus.SUCCESS:
            tar = breathe_between(context, pack([Member(name="tree", path=tree)]))
            context.place.make_folder(path)
            context.place.unpack(tar, {"tree": path})
    return result


def describe_source(source: Source, step: Checkout, url: str) -> dict[str, str]:
    """The variables of the script."""
    revision = source.revision
    return {
        "PENSTOCK_URL": url,
        "PENSTOCK_SHOWN": source.origin or source.url,
        "PENSTOCK_ORIGIN": source.origin,
        "PENSTOCK_SHA": revision.sha,
        "PENSTOCK_BRANCH": revision.branch,
        "PENSTOCK_TAG": revision.tag,
        "PENSTOCK_OVERLAY": revision.overlay,
        "PENSTOCK_OPTIONS": choose_options(url, step),
        "PENSTOCK_ALONE": "",
    }


def choose_options(url: str, step: Checkout) -> str:
    """Options of git clone, none with a blank inside; a local copy is borrowed from, not copied."""
    if PurePosixPath(url).is_absolute():
        return "--shared"
    if step.method == "blobless":
        return "--filter=blob:none"
    if step.method == "shallow" or step.depth:
        return f"--depth={step.depth or 1} --no-single-branch"
    return ""
