"""`penstock completion`: a script that makes a shell complete commands and options."""

from typing import Literal


def completion(shell: Literal["bash", "zsh", "fish"]) -> int:
    """Print a completion script.

    Load it in the current shell with `source <(penstock completion bash)`, or keep it where your shell
    looks for completions.

    Parameters
    ----------
    shell
        The shell to complete in.
    """
    from penstock.cli.main import make_app

    print(make_app().generate_completion(shell=shell))
    return 0
