"""What `--help` says of each command: a sentence, what it does in more words, and examples."""

from collections.abc import Mapping
from types import MappingProxyType

from penstock.cli.catalog_platform import PLATFORM
from penstock.cli.entry import Entry, Place

CATALOG: Mapping[str, Entry] = MappingProxyType(
    {
        "run": Entry(
            "Run the pipeline of a checkout on this machine.",
            "The whole pipeline: every workflow, every job, uncommitted changes included. The working tree "
            "is copied, never written to. Exits with 0 when everything passed, 1 when a job failed, 2 when "
            "the config or the call is wrong, 3 when something it depends on is missing, 70 "
            "when Penstock is at fault, 130 after Ctrl-C, 141 when who read its output has gone.",
            {
                "penstock run": "the whole pipeline",
                "penstock run --job test": "one job and what it requires",
                "penstock run --param size=large": "an argument for a parameter",
                "penstock run --approve hold": "with an approval given",
                "penstock run --output results": "artifacts and logs as files",
            },
            place=Place.HERE,
        ),
        "validate": Entry(
            "Say what is wrong with a config, and where.",
            "Every finding comes with its place, the line and a way out. Exits with 0 when a pipeline can be "
            "made of the config, 2 when not; warnings and hints do not count.",
            {
                "penstock validate": "the config of this checkout",
                "penstock validate ci.yml": "another file",
                "penstock validate --json": "for programs",
            },
            place=Place.HERE,
        ),
        "compile": Entry(
            "Print a config as it is after all expansion.",
            "Commands, executors, parameters and matrices are expanded, as `circleci config process` does.",
            {
                "penstock compile": "the config of this checkout",
                "penstock compile --tag v1.0": "as for a tag",
                "penstock compile --plan": "what the engine would run",
            },
            place=Place.HERE,
        ),
        "serve": Entry(
            "Run a server.",
            "HTTP, the scheduler and an agent, in one process until SIGTERM or Ctrl-C. Every option is also "
            "a variable (PENSTOCK_PORT) and a line of a TOML file (port = 8080).",
            {
                "penstock serve": "on this machine, with SQLite",
                "penstock serve --data /srv/penstock --host 0.0.0.0": "for others too",
                "penstock serve --database postgresql://ci@db/penstock": "with PostgreSQL",
            },
            place=Place.SERVING,
        ),
        "agent": Entry(
            "Run jobs for a server, on this machine.",
            "It joins a group of agents with the group's token, takes jobs and reports what they do, until "
            "SIGTERM or Ctrl-C: then it takes nothing new and lets what runs end; a second signal hands that "
            "back. It calls the server, which need not reach it. Exits with 2 when the server refuses it.",
            {
                "penstock agent --server https://ci.example.com --token-file join": "a machine with one slot",
                "penstock agent --server https://ci.example.com --labels gpu,big --slots 4": "labels, slots",
                "penstock agent --server https://ci.example.com --once": "one job, then leave",
                "penstock agent list": "the agents of the server you logged in to",
            },
            several=True,
            place=Place.SERVING,
        ),
        "config": Entry(
            "Show the settings of a server.",
            "Every setting, its value, and whether an option, a variable, a line of a file or nobody set it. "
            "Secrets are not shown.",
            {
                "penstock config show": "as a server without options would have them",
                "penstock config show --json": "for programs",
            },
            place=Place.SERVING,
        ),
        "doctor": Entry(
            "Look for what would keep a server from working.",
            "Data folder, disk, keys, database, blobs, address, git, Docker and clock: a line for each, with "
            "a way out where one is needed. Exits with 3 when something fails, else with 0.",
            {
                "penstock doctor": "before the first start",
                "penstock doctor --settings /etc/penstock/penstock.toml": "with these settings",
            },
            place=Place.SERVING,
        ),
        "db": Entry(
            "Look after the database of a server.",
            "A server upgrades its database when it starts; this does so apart from it.",
            {
                "penstock db version": "the schema it has",
                "penstock db upgrade": "to the one this penstock needs",
                "penstock db reseal": "its secrets, with the newest key",
            },
            place=Place.SERVING,
        ),
        "backup": Entry(
            "Write all a server keeps to a file.",
            "The database and the blobs, as they are at one moment, while the server may run. The keys that "
            "seal secrets are left out unless asked for: keep them apart.",
            {
                "penstock backup penstock.tar": "of the server of this user",
                "penstock backup penstock.tar --with-key": "with the key file",
            },
            place=Place.SERVING,
        ),
        "restore": Entry(
            "Make a data folder from a backup.",
            "The folder must be empty or missing. Start a server on it afterwards.",
            {
                "penstock restore penstock.tar --data /srv/penstock": "into a new folder",
            },
            place=Place.SERVING,
        ),
        "pack": Entry(
            "Print a folder of YAML files as one config, or orb.",
            "A folder becomes a map under its name, a file a map under its own; files at the top, and those "
            "named @anything.yml, are merged into the folder they are in. Included scripts of an orb are put "
            "in place, as `circleci config pack` and `circleci orb pack` do.",
            {
                "penstock pack config/ > .circleci/config.yml": "a config kept in parts",
                "penstock pack src/ > orb.yml": "an orb: a folder with @orb.yml",
            },
            place=Place.HERE,
        ),
        "orb": Entry(
            "Keep orbs on this machine.",
            "Configs find orbs here first, then among those fetched before, then in the registry that "
            "PENSTOCK_ORB_REGISTRY names (CircleCI's own by default, `off` for none).",
            {
                "penstock orb publish acme/build@1.2.0 orb.yml": "a file, or a folder with @orb.yml",
                "penstock orb import orbs/": "files like acme__build@1.2.0.yml or acme/build/1.2.0.yml",
                "penstock orb list": "what there is",
            },
            place=Place.HERE,
        ),
        "login": Entry(
            "Log in to a server.",
            "Asks for a token, or with --user for the password that makes one, tries it, and keeps it in a "
            "file that only you can read. Commands that talk to a server use the one you logged in to last, "
            "unless --server or PENSTOCK_SERVER names one.",
            {
                "penstock login https://ci.example.com": "asks for the token",
                "penstock login https://ci.example.com --user ada": "asks for a password",
                "penstock login --token - < token.txt": "for scripts, at a server on this machine",
            },
        ),
        "logout": Entry(
            "Forget a server and its token.",
            "",
            {"penstock logout": "the server you logged in to last"},
        ),
        "project": Entry(
            "Look after the projects of a server.",
            "",
            {
                "penstock project add": "make one of the repository this checkout is cloned from",
                "penstock project add https://github.com/acme/app": "of another repository",
                "penstock project list": "all that you see",
                "penstock project set gh/acme/app autocancel_builds=true": "change a setting",
                "penstock project hook --new": "a secret for the webhook of its git host",
                "penstock project env set DEPLOY_TOKEN < token": "a variable of its jobs",
                "penstock project key add": "a key that opens its repository",
            },
            several=True,
        ),
        "organization": Entry(
            "Look after the organizations of a server and who belongs to them.",
            "A role is owner, admin, member or viewer; each may do what the later ones may.",
            {
                "penstock organization add gh/acme": "make one",
                "penstock organization admit gh/acme ada admin": "give somebody a role",
                "penstock organization members gh/acme": "who belongs to it",
            },
            several=True,
        ),
        "user": Entry(
            "Look after the accounts of a server.",
            "Only its administrators may, but everybody may change their own password.",
            {
                "penstock user add ada --password": "an account entered with a password",
                "penstock user add robot": "one that is entered by tokens alone",
                "penstock user disable ada": "neither it nor its tokens open anything",
            },
            several=True,
        ),
        "trigger": Entry(
            "Start a pipeline on a server.",
            "Of the branch that is checked out, as its remote has it. Exits with 0 when the pipeline is "
            "started, 2 when its config is wrong; with --watch as `penstock watch` does.",
            {
                "penstock trigger --watch": "of this branch, shown until it ends",
                "penstock trigger gh/acme/app --tag v1.0": "of another project",
                "penstock trigger -p size=large": "an argument for a parameter",
            },
        ),
        "watch": Entry(
            "Show a pipeline of a server until it ends.",
            "Exits with 0 when everything passed, 1 when something did not, 2 when the config is wrong, 4 "
            "when it has not ended in time. Ctrl-C ends only the watching.",
            {
                "penstock watch": "the newest pipeline of this project",
                "penstock watch 42 --timeout 30m": "a pipeline by its number",
            },
        ),
        "approve": Entry(
            "Let an approval of a pipeline pass.",
            "",
            {
                "penstock approve": "the only one that waits in the newest pipeline",
                "penstock approve hold --pipeline 42": "one by its name, of a pipeline by its number",
            },
        ),
        "cancel": Entry(
            "Stop a pipeline.",
            "",
            {
                "penstock cancel": "the newest pipeline of this project",
                "penstock cancel 42 --job test": "one job; what does not need it goes on",
            },
        ),
        "rerun": Entry(
            "Run a workflow of a pipeline again.",
            "",
            {
                "penstock rerun --from-failed --watch": "what failed, and what comes after it",
                "penstock rerun 42 --job test": "one job, and what comes after it",
            },
        ),
        "artifacts": Entry(
            "List the files that a job kept, or download them.",
            "",
            {
                "penstock artifacts build": "of the newest pipeline of this project",
                "penstock artifacts build --pipeline 42 --download out": "into a folder",
            },
        ),
        "token": Entry(
            "Look after the tokens of your account on a server.",
            "",
            {
                "penstock token create deploy --scope run --project gh/acme/app": "to start pipelines with",
                "penstock token list": "all you have, and when they were last used",
                "penstock token revoke deploy": "end one",
            },
            several=True,
        ),
        "agent-group": Entry(
            "Look after the groups of agents of a server.",
            "",
            {
                "penstock agent-group create linux/large": "jobs ask for it by resource_class",
                "penstock agent-group token linux/large spare": "another token to join it with",
            },
            several=True,
        ),
        "logs": Entry(
            "Print what jobs printed.",
            "Of a run on this machine; with --pipeline, --follow, --project, --server, --token or --json of "
            "a pipeline on a server.",
            {
                "penstock logs -f test": "on a server, of the newest pipeline, until the job ends",
                "penstock logs": "all jobs of the last run",
                "penstock logs test": "one job",
                "penstock logs test --step install": "steps by their name",
                "penstock logs test --run 12": "an older run",
            },
            place=Place.HERE,
        ),
        "runs": Entry(
            "List past runs, or pipelines on a server.",
            "",
            {
                "penstock runs": "of this project",
                "penstock runs --everywhere": "of all projects on this machine",
                "penstock runs --remote": "of this project on a server",
            },
            place=Place.HERE,
        ),
        "clean": Entry(
            "Remove what past runs left on this machine.",
            "Runs that ended long ago go with their logs, artifacts, test results and workspaces, and caches "
            "as old as they. Safe while runs go on.",
            {
                "penstock clean": "what is older than 30 days, but never the last 10 runs of a project",
                "penstock clean --older-than 7d --keep 3": "more",
                "penstock clean --caches": "every cache too",
                "penstock clean --dry-run": "only say what would go",
            },
            place=Place.HERE,
        ),
        "completion": Entry(
            "Print a script that completes commands and options.",
            "",
            {
                "source <(penstock completion bash)": "in this shell",
                "penstock completion fish > ~/.config/fish/completions/penstock.fish": "for good",
            },
            place=Place.HERE,
        ),
        **PLATFORM,
    }
)

AGENT_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "list": "List the agents of a server, and what they run.",
        "disable": "Let an agent end what it runs, and give it nothing new.",
        "enable": "Let an agent that was disabled run jobs again.",
        "remove": "Remove an agent: it is not let in any more, and what it ran is run elsewhere.",
    }
)
"""The commands of `penstock agent`, which without one runs an agent."""

OVERVIEW: Mapping[str, str] = MappingProxyType(
    {
        "penstock run": "the whole pipeline of this checkout",
        "penstock run --approve all": "with every approval given",
        "penstock validate": "what is wrong with the config",
        "penstock logs test": "what job `test` of the last run printed",
        "penstock run --help": "all that run can be asked",
        "penstock serve": "a server; `penstock login` and `penstock trigger --watch` use it",
    }
)
