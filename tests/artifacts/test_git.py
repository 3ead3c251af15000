"""Git repositories, cloned for real over http and ssh: revisions, branches, depth, submodules, logins right and wrong."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.artifacts.containers import Moved, store_containers
from argo_yaml_provider.artifacts.transports import transport_for
from argo_yaml_provider.diagnostics import RunError
from tests.stores.moving import fetch
from tests.stores.servers import make_repository, serve_ssh, ssh_key
from tests.stores.web import PASSWORD, USER, Web, serve_web

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

KEY, STRANGER = ssh_key(), ssh_key()
SECRETS = {"git": {"user": USER, "password": PASSWORD, "wrong": "guess", "key": KEY.private, "stranger": STRANGER.private}}
LOGIN = {"usernameSecret": {"name": "git", "key": "user"}, "passwordSecret": {"name": "git", "key": "password"}}
BY_KEY = {"sshPrivateKeySecret": {"name": "git", "key": "key"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Where the repositories are."""

    root: Path
    http: str
    ssh: str
    host_key: str

    def head(self, revision: str) -> str:
        return git(self.root / "project.git", "rev-parse", revision)


def git(place: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=place, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("git")
    make_repository(root)
    git(root, "init", "--quiet", "--bare", "empty.git")
    with serve_web(Web(git=root)) as web, serve_ssh(root, KEY.public) as (port, host_key):
        yield Served(root=root, http=f"http://127.0.0.1:{web.port}", ssh=f"ssh://git@127.0.0.1:{port}", host_key=host_key)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name not in (".git", ".gitmodules"))


@pytest.mark.parametrize(
    ("options", "want"),
    [
        pytest.param({}, ["library", "one", "three", "two"], id="head"),
        pytest.param({"revision": "v2"}, ["library", "one", "two"], id="tag"),
        pytest.param({"revision": "other"}, ["library", "one", "only-other", "two"], id="branch"),
        pytest.param({"revision": "main~1"}, ["library", "one", "two"], id="relative"),
        pytest.param({"depth": 1}, ["library", "one", "three", "two"], id="shallow"),
        pytest.param({"depth": 1, "revision": "v2"}, ["library", "one", "two"], id="shallow-at-an-older-revision"),
        pytest.param({"singleBranch": True, "branch": "other"}, ["library", "one", "only-other", "two"], id="single-branch"),
        pytest.param({"branch": "other"}, ["library", "one", "three", "two"], id="a-branch-counts-only-with-singleBranch"),
        pytest.param({"fetch": ["refs/heads/other:refs/remotes/origin/x"]}, ["library", "one", "three", "two"], id="fetch"),
    ],
)
def test_a_repository_arrives_at_the_revision(served: Served, tmp_path: Path, options: dict[str, Any], want: list[str]) -> None:
    assert fetch({"git": {"repo": f"{served.http}/git/project.git", **options}}, tmp_path) == ""
    assert names(tmp_path / "got") == want
    assert (tmp_path / "got/library/one").read_text() == "1"


def test_depth_and_single_branch_bring_no_more(served: Served, tmp_path: Path) -> None:
    where = {"repo": f"{served.http}/git/project.git", "depth": 1, "singleBranch": True, "branch": "main"}
    assert fetch({"git": where}, tmp_path) == ""
    got = tmp_path / "got"
    assert (git(got, "rev-list", "--all", "--count"), git(got, "branch", "-r").split()[-1]) == ("1", "origin/main")


def test_submodules_can_be_left_out(served: Served, tmp_path: Path) -> None:
    assert fetch({"git": {"repo": f"{served.http}/git/project.git", "disableSubmodules": True}}, tmp_path) == ""
    assert list((tmp_path / "got/library").iterdir()) == []


def test_a_repository_without_a_commit_is_taken_as_it_is(served: Served, tmp_path: Path) -> None:
    assert fetch({"git": {"repo": f"{served.http}/git/empty.git", "revision": "main"}}, tmp_path) == ""
    assert names(tmp_path / "got") == []


@pytest.mark.parametrize(
    ("path", "options"),
    [
        pytest.param("http:/private-git/project.git", LOGIN, id="http-password"),
        pytest.param("ssh:/project.git", {**BY_KEY, "insecureIgnoreHostKey": True}, id="ssh-any-host-key"),
        pytest.param("ssh:/project.git", BY_KEY, id="ssh"),
        pytest.param("ssh:/project.git", {**BY_KEY, "revision": "v2", "depth": 1}, id="ssh-revision"),
    ],
)
def test_the_right_credentials_let_in_submodules_too(served: Served, tmp_path: Path, path: str, options: Any) -> None:
    kind, _, rest = path.partition(":")
    base = served.http if kind == "http" else served.ssh
    assert fetch({"git": {"repo": base + rest, **options}}, tmp_path, SECRETS) == ""
    assert (tmp_path / "got/library/one").read_text() == "1"


def test_the_deployment_may_say_which_hosts_it_knows(served: Served, tmp_path: Path) -> None:
    artifact = {"git": {"repo": f"{served.ssh}/project.git", **BY_KEY}}
    host = f"[127.0.0.1]:{served.ssh.rpartition(':')[2]}"
    assert fetch(artifact, tmp_path, SECRETS, SSH_KNOWN_HOSTS=f"{host} {served.host_key}") == ""
    said = fetch(artifact, tmp_path, SECRETS, SSH_KNOWN_HOSTS=f"{host} {STRANGER.public}")
    assert said.partition(": the store ")[2].partition(" (")[0] == (
        "cannot prove who it is: name the authority or the host key that it has"
    )


WRONG = {
    "http-no-login": (
        "http:/private-git/project.git",
        {},
        "the store refuses the credentials: name usernameSecret and passwordSecret, or sshPrivateKeySecret",
    ),
    "http-wrong-password": (
        "http:/private-git/project.git",
        {**LOGIN, "passwordSecret": {"name": "git", "key": "wrong"}},
        "the store refuses the credentials: check key user of Secret git, key wrong of Secret git",
    ),
    "ssh-wrong-key": (
        "ssh:/project.git",
        {"sshPrivateKeySecret": {"name": "git", "key": "stranger"}},
        "the store refuses the credentials: check key stranger of Secret git",
    ),
    "ssh-no-such-secret": (
        "ssh:/project.git",
        {"sshPrivateKeySecret": {"name": "nosuch", "key": "key"}},
        "Secret nosuch has no key key, or is not in the namespace: create it, or correct the location",
    ),
    "no-such-repository": (
        "http:/git/nosuch.git",
        {},
        (
            "there is no such place: correct git.repo, or, if it is private,"
            " name usernameSecret and passwordSecret, or sshPrivateKeySecret"
        ),
    ),
    "ssh-no-such-repository": ("ssh:/nosuch.git", BY_KEY, "there is no such place: correct git.repo"),
    "no-such-revision": (
        "http:/git/project.git",
        {"revision": "v99"},
        "nothing lies at its key: store it first, or declare the artifact optional",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_server_refuses_names_artifact_repository_and_remedy(served: Served, tmp_path: Path, name: str) -> None:
    path, options, want = WRONG[name]
    kind, _, rest = path.partition(":")
    repo = (served.http if kind == "http" else served.ssh) + rest
    shown = repo.replace("git@", "") + (f" at {options['revision']}" if "revision" in options else "")
    said = fetch({"git": {"repo": repo, **options}}, tmp_path, SECRETS)
    assert said.partition(" (")[0] == f"artifact model failed to load: git {shown}: {want}"


@pytest.mark.parametrize(("repo", "shown"), [("http://127.0.0.1:9/x.git", ""), ("ssh://git@127.0.0.1:9/x.git", "git@")])
def test_a_server_that_is_away_is_tried_again_and_then_told(tmp_path: Path, repo: str, shown: str) -> None:
    said = fetch({"git": {"repo": repo, **BY_KEY}}, tmp_path, SECRETS, ARGO_TRANSFER_ATTEMPTS="2")
    want = "the store does not answer, tried 2 times: see that it is up, and its address right"
    assert said.partition(" (")[0] == f"artifact model failed to load: git {repo.replace(shown, '')}: {want}"


def test_a_single_branch_must_be_named() -> None:
    with pytest.raises(RunError) as caught:
        transport_for({"name": "code", "git": {"repo": "r", "singleBranch": True}}, index=1)
    assert str(caught.value) == ("artifact 'code': git.singleBranch of an artifact needs a branch\n   = help: add git.branch")


def test_a_repository_takes_no_outputs() -> None:
    output = Moved(index=1, artifact={"name": "code", "path": "/x", "git": {"repo": "r"}}, path="/x")
    with pytest.raises(RunError) as caught:
        store_containers([output])
    assert str(caught.value) == (
        "output artifact 'code' is in a store that takes none: git\n"
        "   = help: store it in s3, gcs, azure, oss, hdfs, http or artifactory"
    )
