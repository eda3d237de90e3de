"""What `--help` says of the commands beside runs: contexts, schedules, webhooks, policies, claims, usage."""

from collections.abc import Mapping

from penstock.cli.entry import Entry

PLATFORM: Mapping[str, Entry] = {
    "context": Entry(
        "Look after the contexts of an organization: variables that its projects share.",
        "Values go in and never come out; jobs that name the context get them.",
        {
            "penstock context create deploy": "for all members of the organization",
            "penstock context set deploy TOKEN": "asks for the value, or reads it from standard input",
            "penstock context restrict deploy --project gh/acme/app": "for jobs of this project alone",
            "penstock context restrict deploy --rule 'pipeline.git.branch == \"main\"'": "on this branch",
            "penstock context show deploy": "whom it is for, and its variables",
        },
        several=True,
    ),
    "group": Entry(
        "Look after the groups of people in an organization.",
        "Contexts may be for some of them alone.",
        {
            "penstock group create deployers": "a group that nobody is in",
            "penstock group admit deployers ada": "put somebody into it",
            "penstock context restrict deploy --group deployers": "a context for it",
        },
        several=True,
    ),
    "schedule": Entry(
        "Look after pipelines that start by themselves.",
        "A schedule starts a pipeline of a branch or tag in the hours, in UTC, of the days it is made for.",
        {
            "penstock schedule create nightly --hours 3 --branch main": "each night, as you",
            "penstock schedule create often --hours 8-17 --per-hour 4": "on the default branch",
            "penstock schedule list": "with the next and the last time",
            "penstock schedule next nightly": "the next ten times",
        },
        several=True,
    ),
    "webhook": Entry(
        "Look after what a project tells others: its webhooks.",
        "The end of each workflow and job is sent to the addresses of the project's webhooks, signed with "
        "their secrets, and tried again for a day where nobody takes it.",
        {
            "penstock webhook create https://chat.example.com/in --secret-file s": "tell of all ends",
            "penstock webhook ping chat.example.com": "try it",
            "penstock webhook deliveries chat.example.com": "what was sent, and what became of it",
        },
        several=True,
    ),
    "policy": Entry(
        "Look after what the configs of an organization must keep: its policies.",
        "Policies are written in Rego. Where they are switched on, each config is judged before anything of "
        "it runs.",
        {
            "penstock policy test policies": "whether policies decide as their tests say; needs no server",
            "penstock policy decide --policies policies": "what they say of the config of this checkout",
            "penstock policy push policies --dry-run": "what a push would change",
            "penstock policy push policies --yes": "make them the organization's",
            "penstock policy settings --enabled true": "have pipelines judged by them",
            "penstock policy logs --status HARD_FAIL": "what did not run because of them",
        },
        several=True,
    ),
    "oidc": Entry(
        "Look after the identity tokens of jobs, and the keys that sign them.",
        "Jobs show such a token to services that trust this server, and need no stored credentials there.",
        {
            "penstock oidc claims show": "for whom tokens are meant, and how long they are good for",
            "penstock oidc claims set --audience sts.example.com --ttl 30m": "of the whole organization",
            "penstock oidc claims set --project gh/acme/app --ttl 10m": "of one project",
            "penstock oidc keys": "by which tokens are known",
            "penstock oidc rotate": "another key signs from tomorrow on",
        },
        several=True,
    ),
    "usage": Entry(
        "See what the jobs of an organization used.",
        "",
        {
            "penstock usage show": "by project and resource class, of the last 30 days",
            "penstock usage export --output usage.csv": "a row for each run of a job",
            "penstock usage export --start 2026-10-01 --end 2026-11-01": "of a month, to standard output",
        },
        several=True,
    ),
}
