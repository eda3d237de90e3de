"""Offers places made of containers: the task's images side by side, the first one for its steps."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

from penstock.agent.executor.base import LostPlaceError, Watch
from penstock.agent.executor.docker.containers import PLACE_LABEL, TASK_LABEL
from penstock.agent.executor.docker.engine import Engine, EngineError
from penstock.agent.executor.docker.making import Making, make_place
from penstock.agent.executor.docker.place import DockerPlace
from penstock.agent.executor.docker.sweep import Lifeline, sweep_containers
from penstock.agent.executor.docker.watch import EngineWatch
from penstock.agent.executor.guardian import Guardian
from penstock.agent.executor.removal import remove_tree
from penstock.kit.ids import new_id
from penstock.model.errors import UnavailableError
from penstock.wire.messages import Assignment

_SCRIPTS = Path(__file__).with_name("scripts")

_COMMANDS = ("circleci", "circleci-agent")
_CURL = Path(__file__).parents[2] / "injob" / "curl.sh"


class DockerExecutor:
    """Offers containers of one engine, which must run on this machine: folders are shared with it.

    Below the folder `work` only what belongs to this executor is made, and removed when it has served.
    Containers carry labels (`penstock.agent`); those of agents that died are removed before the first task.
    The guardian, when given, removes those of this agent should it die. `logins` is the folder of Docker's
    client; who is logged in there may pull for every job.
    """

    def __init__(
        self, engine: Engine, work: Path, guardian: Guardian | None = None, *, logins: Path | None = None
    ) -> None:
        self._engine = engine
        self._logins = logins
        self._guardian = guardian
        self._name = new_id()
        self._folder = work / f"docker-{self._name[-12:]}"
        self._lock = threading.Lock()
        self._lifeline: Lifeline | None = None
        self._watch: EngineWatch | None = None
        self._places: WeakSet[DockerPlace] = WeakSet()

    def prepare(self, assignment: Assignment, watch: Watch) -> DockerPlace:
        """Containers of the task's images. Raises UnavailableError with the reason when there cannot be."""
        if not assignment.plan.executor.images:
            raise UnavailableError("the job asks for a container and names no image")
        name = new_id()
        folder = self._folder / name
        with _clean_up_after_failure(folder):
            lifeline = self._set_up()
            folder.mkdir()
            making = Making(
                engine=self._engine,
                labels=lifeline.labels | {PLACE_LABEL: name, TASK_LABEL: assignment.task},
                assignment=assignment,
                watch=watch,
                folder=folder,
                commands=self._folder / ("setup-bin" if assignment.continues else "bin"),
                logins=self._logins,
            )
            place = make_place(making)
            self._places.add(place)
            return place

    def close(self) -> None:
        """Nothing is left of the executor; every place was removed before."""
        if self._watch is not None:
            self._watch.close()
        if self._lifeline is not None:
            self._lifeline.close()
        remove_tree(self._folder)

    def _set_up(self) -> Lifeline:
        """The commands of containers are in place, what died agents left is gone; done once."""
        with self._lock:
            if self._lifeline is None:
                self._folder.mkdir(parents=True, mode=0o700, exist_ok=True)
                _write_commands(self._folder / "bin")
                _write_commands(self._folder / "setup-bin")
                shutil.copyfile(_CURL, self._folder / "setup-bin/curl")
                (self._folder / "setup-bin/curl").chmod(0o755)
                self._lifeline = Lifeline(self._engine, self._name, self._folder, self._guardian)
                self._watch = EngineWatch(self._engine, self._lose)
                sweep_containers(self._engine)
            return self._lifeline

    def _lose(self, message: str) -> None:
        for place in list(self._places):
            place.lose(message)


def _write_commands(folder: Path) -> None:
    """The scripts containers run, readable by whatever user an image has."""
    folder.mkdir(exist_ok=True)
    for script in _SCRIPTS.iterdir():
        shutil.copyfile(script, folder / script.name)
        (folder / script.name).chmod(0o755)
    for name in _COMMANDS:
        (folder / name).symlink_to("circleci.sh")
    folder.chmod(0o755)


@contextmanager
def _clean_up_after_failure(folder: Path) -> Iterator[None]:
    """What makes a place impossible is said as UnavailableError, and its folder is gone."""
    try:
        yield
    except (EngineError, LostPlaceError, OSError) as error:
        remove_tree(folder)
        raise UnavailableError(_explain(error, folder)) from error
    except BaseException:
        remove_tree(folder)
        raise


def _explain(error: Exception, folder: Path) -> str:
    match error:
        case EngineError():
            return f"the Docker engine refused: {error}"
        case OSError():
            return f"cannot make a folder for the task in {folder}: {error}"
        case _:
            return str(error)
