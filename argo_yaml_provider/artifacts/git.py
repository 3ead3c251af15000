"""Git repositories, cloned by git itself.

In: the location, a prefix for names of environment variables.  Out: a `Transport` that only fetches.
Argo: workflow/artifacts/git/git.go.
Must not know: pods, Airflow.
"""

from __future__ import annotations

import re
import shlex

from argo_yaml_provider.artifacts.transport import Json, Transport, need, secret_env
from argo_yaml_provider.diagnostics import RunError

_BY_SSH = re.compile(r"^(?!\w+://)[^/]+:|^ssh://")
_WITHOUT_LOGIN = "name usernameSecret and passwordSecret, or sshPrivateKeySecret"


def git(location: Json, prefix: str) -> Transport:
    """A clone, at the revision that is asked for."""
    need(location, "git", ("repo",))
    if location.get("singleBranch") and not location.get("branch"):
        raise RunError("git.singleBranch of an artifact needs a branch", "add git.branch")
    env = []
    if location.get("sshPrivateKeySecret"):
        env.append(secret_env(f"{prefix}_SSH_KEY", location["sshPrivateKeySecret"]))
    for name, secret in (("USER", "usernameSecret"), ("PASSWORD", "passwordSecret")):
        if location.get(secret):
            env.append(secret_env(f"{prefix}_{name}", location[secret]))
    shown = re.sub(r"(?<=://)[^/@]*@", "", str(location["repo"]))
    return Transport(
        tool="git",
        env=tuple(env),
        fetch=" && ".join(_lines(location, prefix)),
        place=f"git {shown}{' at ' + str(location['revision']) if location.get('revision') else ''}",
        access="" if env else _WITHOUT_LOGIN,
        bucket="correct git.repo" + ("" if env else f", or, if it is private, {_WITHOUT_LOGIN}"),
    )


def _lines(location: Json, prefix: str) -> list[str]:
    command = f"git {' '.join(_options(location, prefix))}"
    inside = f'{command} -C "$file"'
    depth = f" --depth {int(location['depth'])}" if location.get("depth") else ""
    lines = [*_ssh(location, prefix), f'{command} clone --quiet {_clone(location)} -- {shlex.quote(location["repo"])} "$file"']
    if refs := [str(ref) for ref in location.get("fetch") or []]:
        lines.append(f"{inside} fetch --quiet{depth} origin {' '.join(shlex.quote(ref) for ref in refs)}")
    if revision := str(location.get("revision") or ""):
        wanted = shlex.quote(revision)
        # A repository without a commit has no revision, and is taken as it is.
        lines.append(
            f'{{ [ -z "$({inside} for-each-ref)" ] || {inside} checkout --quiet {wanted} -- 2>/dev/null'
            f" || {{ {inside} fetch --quiet{depth} origin {wanted} && {inside} checkout --quiet FETCH_HEAD; }}; }}"
        )
    if not location.get("disableSubmodules"):
        lines.append(f"{inside} submodule --quiet update --init --recursive")
    return lines


def _options(location: Json, prefix: str) -> list[str]:
    options = ["-c safe.directory=*"]
    if location.get("usernameSecret") or location.get("passwordSecret"):
        # git asks this helper, which reads the environment: the secret is in no file and on no command line.
        helper = f'!f() {{ printf "username=%s\\npassword=%s\\n" "${prefix}_USER" "${prefix}_PASSWORD"; }}; f'
        options.append(f"-c credential.helper={shlex.quote(helper)}")
    if location.get("insecureSkipTLS"):
        options.append("-c http.sslVerify=false")
    return options


def _ssh(location: Json, prefix: str) -> list[str]:
    repo = str(location["repo"])
    if not location.get("sshPrivateKeySecret") or not _BY_SSH.match(repo):
        return []
    key, hosts = f'"$private/{prefix}.key"', f'"$private/{prefix}.hosts"'
    user = "" if "@" in repo else " -l git"
    check = f"-o StrictHostKeyChecking={'no' if location.get('insecureIgnoreHostKey') else '$known'}"
    options = (
        f"-o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=15 -o UserKnownHostsFile=$private/{prefix}.hosts {check}"
    )
    return [
        f'printf "%s\\n" "${prefix}_SSH_KEY" > {key} && chmod 600 {key}',
        # The deployment may say which hosts it knows; else one that nobody knows is believed.
        f'printf "%s\\n" "${{SSH_KNOWN_HOSTS:-}}" > {hosts}',
        'if [ -n "${SSH_KNOWN_HOSTS:-}" ]; then known=yes; else known=accept-new; fi',
        f'export GIT_SSH_COMMAND="ssh -i $private/{prefix}.key{user} {options}"',
    ]


def _clone(location: Json) -> str:
    options = [f"--depth {int(location['depth'])}"] if location.get("depth") else []
    if location.get("singleBranch"):
        options += ["--single-branch", f"--branch {shlex.quote(str(location['branch']))}"]
    elif location.get("depth"):
        options.append("--no-single-branch")
    return " ".join(options)
