"""What the engine remembers between transactions, so that it need not read it again."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from penstock.engine.attempts import Attempts
from penstock.engine.facts import Facts, load_facts
from penstock.engine.principal import Principal
from penstock.engine.recent import Recent, Trusted
from penstock.engine.rules import SlowRules
from penstock.lifecycle.state import WorkflowState
from penstock.model.access import User
from penstock.model.agent import Agent
from penstock.store import jobs
from penstock.store.database import Transaction


class SavedState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a workflow as it was saved under a version.

    `ids` are row id and UUID of each job. `flags` has the jobs of which the engine remembers more than the
    state machine does.
    """

    version: int
    state: WorkflowState
    ids: Mapping[str, tuple[int, str]]
    flags: Mapping[str, Mapping[str, Any]]


class Memory:
    """Facts, which never change, and states, which are used only while their version is the stored one.

    The version is read under the lock of the workflow's row, so a state that another server has changed
    is never taken for the present one. Who showed which token is trusted for a moment.
    """

    def __init__(self) -> None:
        self._facts: Recent[int, Facts] = Recent(512)
        self._states: Recent[int, SavedState] = Recent(128)
        self.principals: Trusted[Principal] = Trusted(4096)  # by the hash of a token
        self.attempts = Attempts()
        self.people: Trusted[User] = Trusted(1024)  # by login
        self.agents: Trusted[Agent] = Trusted(4096)  # the same
        self.slow_rules: SlowRules = Recent(4096)

    def facts(self, tx: Transaction, workflow_id: int) -> Facts:
        """The facts of the workflow of that row id, for readers: all that `tx` sees must be committed.

        Raises NotFoundError when there is none.
        """
        found = self._facts.get(workflow_id)
        if found is None:
            found = load_facts(tx, workflow_id)
            self._facts.put(workflow_id, found)
        return found

    def recall_facts(self, workflow_id: int) -> Facts | None:
        """The facts when they are remembered."""
        return self._facts.get(workflow_id)

    def keep_facts(self, workflow_id: int, facts: Facts) -> None:
        """Remember the facts of a workflow that is committed."""
        self._facts.put(workflow_id, facts)

    def state(self, workflow_id: int, version: int, load: Callable[[], SavedState]) -> SavedState:
        """The state of that version: the remembered one, or what `load` reads."""
        found = self._states.get(workflow_id)
        return found if found is not None and found.version == version else load()

    def job_ids(self, tx: Transaction, workflow_id: int) -> Mapping[str, tuple[int, str]]:
        """Row id and UUID of each job of the workflow, by key; these never change."""
        found = self._states.get(workflow_id)
        if found is not None:
            return found.ids
        return {row.key: (row.id, row.uuid) for row in jobs.states_of(tx, workflow_id)}

    def keep_state(self, workflow_id: int, saved: SavedState) -> None:
        """Remember a state that is committed, unless a later one is remembered already."""
        self._states.put(workflow_id, saved, over=lambda known: known.version < saved.version)
