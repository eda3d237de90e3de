"""What `--help` says of the commands beside runs: contexts, schedules, webhooks, policies, claims, usage."""

from collections.abc import Mapping

from penstock.cli.entry import Entry

PLATFORM: Mapping[str, Entry] = {
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
}
