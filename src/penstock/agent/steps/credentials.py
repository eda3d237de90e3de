"""What opens a private repository for the checkout, and for it alone: handed over in its environment."""

import base64
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlsplit

from penstock.wire.messages import Source, SourceCredentials

_USERS = {"bitbucket.org": "x-token-auth", "gitlab.com": "oauth2"}
_USER = "x-access-token"
_WEB = {"http", "https"}

# The key is a file only while the script runs; git hands its ssh command to a shell, which knows the folder.
PRELUDE = r"""
if [ -n "$PENSTOCK_KEY$PENSTOCK_HOSTS" ]; then
  before=$(umask)
  umask 077
  PENSTOCK_LENT=$(mktemp -d "$PENSTOCK_CONTROL/git.XXXXXX" 2>/dev/null || mktemp -d)
  export PENSTOCK_LENT
  trap 'rm -rf "$PENSTOCK_LENT"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  asks=ssh
  if [ -n "$PENSTOCK_KEY" ]; then
    printf '%s\n' "$PENSTOCK_KEY" > "$PENSTOCK_LENT/key"
    asks='ssh -F none -i "$PENSTOCK_LENT/key" -o IdentitiesOnly=yes -o IdentityAgent=none'
  fi
  asks="$asks -o BatchMode=yes -o ConnectTimeout=15"
  if [ -n "$PENSTOCK_HOSTS" ]; then
    printf '%s\n' "$PENSTOCK_HOSTS" > "$PENSTOCK_LENT/hosts"
    asks="$asks -o StrictHostKeyChecking=yes"' -o "UserKnownHostsFile=\"$PENSTOCK_LENT/hosts\""'
  else
    asks="$asks -o StrictHostKeyChecking=accept-new"
  fi
  GIT_SSH_COMMAND=$asks
  export GIT_SSH_COMMAND
  umask "$before"
fi
unset PENSTOCK_KEY PENSTOCK_HOSTS
"""
"""The beginning of the script that checks out."""


def describe_credentials(source: Source, environment: Mapping[str, str], control: str) -> dict[str, str]:
    """The variables that `PRELUDE` and git read; `control` is a folder that goes with the job.

    A token goes to the source's own host only: with it redirects are not followed and no helper is asked.
    """
    lent = source.credentials or SourceCredentials()
    variables = {"PENSTOCK_KEY": lent.key, "PENSTOCK_HOSTS": lent.known_hosts, "PENSTOCK_CONTROL": control}
    header = _make_header(source, lent)
    if not header:
        return variables
    parts = urlsplit(source.url)
    settings = {
        "credential.helper": "",
        "http.followRedirects": "false",
        f"http.{parts.scheme}://{parts.netloc.rpartition('@')[2]}/.extraHeader": header,
    }
    given = environment.get("GIT_CONFIG_COUNT", "")
    first = int(given) if given.isascii() and given.isdecimal() else 0
    for number, (name, value) in enumerate(settings.items(), start=first):
        variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return variables | {"GIT_CONFIG_COUNT": str(first + len(settings))}


def list_forms(source: Source | None) -> Iterator[str]:
    """The forms in which a token might be printed, to be masked."""
    if source is None or source.credentials is None or not source.credentials.token:
        return
    token = source.credentials.token
    yield token
    yield quote(token, safe="")
    yield _encode(source, source.credentials)


def _make_header(source: Source, lent: SourceCredentials) -> str:
    if not lent.token or urlsplit(source.url).scheme not in _WEB:
        return ""
    return f"Authorization: Basic {_encode(source, lent)}"


def _encode(source: Source, lent: SourceCredentials) -> str:
    user = lent.user or _USERS.get(urlsplit(source.url).hostname or "", _USER)
    return base64.b64encode(f"{user}:{lent.token}".encode()).decode()
