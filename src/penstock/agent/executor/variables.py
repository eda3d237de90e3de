"""Which variables of this machine a job on the host sees, each with its reason."""

import os
from collections.abc import Mapping
from pathlib import Path

PASSED = {
    "PATH": "the tools of the machine",
    "LANG": "how tools write text",
    "LANGUAGE": "how tools write text",
    "TZ": "the machine's time zone",
    "USER": "tools that ask who they are",
    "LOGNAME": "tools that ask who they are",
    "http_proxy": "the way out of this network",
    "https_proxy": "the way out of this network",
    "ftp_proxy": "the way out of this network",
    "no_proxy": "the way out of this network",
    "all_proxy": "the way out of this network",
    "HTTP_PROXY": "the way out of this network",
    "HTTPS_PROXY": "the way out of this network",
    "FTP_PROXY": "the way out of this network",
    "NO_PROXY": "the way out of this network",
    "ALL_PROXY": "the way out of this network",
    "SSL_CERT_FILE": "whom this network trusts",
    "SSL_CERT_DIR": "whom this network trusts",
    "REQUESTS_CA_BUNDLE": "whom this network trusts",
    "CURL_CA_BUNDLE": "whom this network trusts",
    "GIT_SSL_CAINFO": "whom this network trusts",
    "NODE_EXTRA_CA_CERTS": "whom this network trusts",
    "SSH_AUTH_SOCK": "the keys of whoever runs the agent",
    "DOCKER_HOST": "where the machine's Docker engine listens",
    "DOCKER_CONTEXT": "where the machine's Docker engine listens",
    "XDG_RUNTIME_DIR": "where rootless engines listen",
    "JAVA_HOME": "which of several installations is meant",
    "ANDROID_HOME": "which of several installations is meant",
    "ANDROID_SDK_ROOT": "which of several installations is meant",
    "GOROOT": "which of several installations is meant",
    "LD_LIBRARY_PATH": "libraries of tools outside the system's folders",
    "NIX_PATH": "where Nix finds its packages",
    "NIX_PROFILES": "where Nix finds its packages",
    "NIX_SSL_CERT_FILE": "whom this network trusts",
    "CGO_ENABLED": "how this machine's Go builds",
    "GOPROXY": "where this network finds packages",
    "GOPRIVATE": "where this network finds packages",
    "GONOPROXY": "where this network finds packages",
    "GONOSUMDB": "where this network finds packages",
    "GOSUMDB": "where this network finds packages",
    "GOFLAGS": "how this machine's Go builds",
    "GOINSECURE": "where this network finds packages",
    "GOTOOLCHAIN": "how this machine's Go builds",
}
"""Variables that pass when they are set, and why."""

PASSED_PREFIXES = {
    "LC_": "how tools write text",
    "PIP_": "where this network finds Python packages",
    "UV_": "where this network finds Python packages",
    "NPM_CONFIG_": "where this network finds JavaScript packages",
    "npm_config_": "where this network finds JavaScript packages",
    "YARN_": "where this network finds JavaScript packages",
    "BUNDLE_": "where this network finds Ruby packages",
    "CARGO_": "where this network finds Rust packages, and its installation",
    "RUSTUP_": "where this network finds Rust toolchains",
    "PYENV_": "which of several Pythons is meant",
    "ASDF_": "which of several tools is meant",
    "MISE_": "which of several tools is meant",
    "SDKMAN_": "which of several JDKs is meant",
    "DOCKER_TLS": "how the machine's Docker engine is reached",
    "DOCKER_CERT": "how the machine's Docker engine is reached",
}
"""Beginnings of names of variables that pass, and why."""

POINTERS = {
    "PIP_CONFIG_FILE": (".config/pip/pip.conf", ".pip/pip.conf"),
    "NPM_CONFIG_USERCONFIG": (".npmrc",),
    "GIT_CONFIG_GLOBAL": (".gitconfig", ".config/git/config"),
    "UV_CONFIG_FILE": (".config/uv/uv.toml",),
    "BUNDLE_USER_CONFIG": (".bundle/config",),
    "NETRC": (".netrc",),
    "DOCKER_CONFIG": (".docker",),
    "RUSTUP_HOME": (".rustup",),
    "PYENV_ROOT": (".pyenv",),
    "NVM_DIR": (".nvm",),
    "RBENV_ROOT": (".rbenv",),
    "NODENV_ROOT": (".nodenv",),
    "VOLTA_HOME": (".volta",),
    "ASDF_DATA_DIR": (".asdf",),
    "MISE_DATA_DIR": (".local/share/mise",),
    "SDKMAN_DIR": (".sdkman",),
    "GOMODCACHE": ("go/pkg/mod",),
    "GOENV": (".config/go/env",),
    "PLAYWRIGHT_BROWSERS_PATH": (".cache/ms-playwright",),
}
"""What tools look for below HOME, by the variable that leads them there: settings of this network, installed
toolchains and downloads that no job changes. A job has a HOME of its own, so without these it would not
find what works in the user's shell. A pointer is set only when the thing exists and the variable does not.
"""


def read_host(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """The part of the host's environment that a job sees."""
    prefixes = tuple(PASSED_PREFIXES)
    passed = {name: text for name, text in environment.items() if name in PASSED or name.startswith(prefixes)}
    passed.setdefault("PATH", os.defpath)
    passed.setdefault("LANG", "C.UTF-8")
    for name, candidates in POINTERS.items():
        found = next((home / path for path in candidates if (home / path).exists()), None)
        if found is not None and name not in environment:
            passed[name] = str(found)
    return passed
