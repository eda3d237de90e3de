"""The numbers an agent works by; tests make them small."""

import msgspec


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds and bytes."""

    grace: float = 5.0  # between SIGTERM and SIGKILL
    background_grace: float = 1.0  # the same for background steps at the end of the job
    clean_up: float = 300.0  # all steps that still run after a cancel with clean-up
    job_time: float = 5 * 3600.0  # a job that names no limit (CircleCI docs: the longest of its plans)
    poll: float = 10.0  # the longest a sync may be held by the server
    retry: float = 10.0  # the longest pause before an unreachable server is asked again
    farewell: float = 10.0  # how long an agent that must stop tries to deliver its last events
    company: float = 600.0  # how long one copy waits for another that no agent takes
    sample: float = 15.0  # between looks at what a task uses (CircleCI docs: Usage API), 0 for none
    look: float = 1.0  # between looks at how other copies stand
    persistence: float = 120.0  # how long one upload or download is tried again
    artifact: int = 3 << 30  # CircleCI docs: 3 GB for one artifact
    artifacts: int = 20 << 30  # one task's artifacts together
    reports: int = 250 << 20  # CircleCI docs: 250 MB of test results
    cache_key: int = 900  # CircleCI docs: characters of a cache key
