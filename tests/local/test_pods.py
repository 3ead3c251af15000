from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from argo_yaml_provider.local import EmbeddedKubernetes
from tests.local.conftest import Client, Json, pod


def never(_: Json) -> bool:
    return False


def terminated(found: Json, index: int = 0) -> Json:
    return dict(found["status"]["containerStatuses"][index]["state"]["terminated"])


@pytest.mark.parametrize(
    ("script", "code", "reason", "phase"),
    [
        pytest.param("exit 0", 0, "Completed", "Succeeded", id="zero"),
        pytest.param("exit 42", 42, "Error", "Failed", id="its-own-code"),
        pytest.param("sh -c 'kill -9 $$$$'; exit $?", 137, "Error", "Failed", id="a-childs-signal"),
        pytest.param("exec no-such-program", 127, "Error", "Failed", id="the-shells-own-failure"),
    ],
)
async def test_exit_codes_are_exact(client: Client, script: str, code: int, reason: str, phase: str) -> None:
    name = f"exit-{code}-{len(script)}"
    await client.pod(pod(name, script))
    ended = await client.ended(name)
    state = terminated(ended)
    assert (state["exitCode"], state["reason"], ended["status"]["phase"]) == (code, reason, phase)


@pytest.mark.parametrize(
    ("script", "shared", "code"),
    [
        pytest.param("kill -9 $$$$", False, 0, id="process-1-is-spared"),
        pytest.param("kill -9 $$$$", True, 137, id="another-is-not"),
        pytest.param("kill $$$$; sleep 60", True, 143, id="nor-from-sigterm"),
        pytest.param("exit 7", True, 7, id="its-own-code"),
    ],
)
async def test_a_process_that_shares_its_namespace_is_not_process_1(
    client: Client, script: str, shared: bool, code: int
) -> None:
    name = f"process-{code}-{shared}".lower()
    await client.pod(pod(name, script, shareProcessNamespace=shared))
    assert terminated(await client.ended(name))["exitCode"] == code


async def test_the_hosts_file_is_as_the_kubelet_writes_it(client: Client) -> None:
    await client.pod(
        pod("hosts", "tail -n +7 /etc/hosts", hostAliases=[{"ip": "10.1.2.3", "hostnames": ["a.local", "b.local"]}])
    )
    await client.ended("hosts")
    aliases = "\n# Entries added by HostAliases.\n10.1.2.3\ta.local\tb.local\n"
    assert await client.log("hosts") == f"fe00::2\tip6-allrouters\n127.0.0.1\thosts\n{aliases}"


async def test_only_what_is_declared_can_be_named_in_a_command(client: Client) -> None:
    container = {"env": [{"name": "A", "value": "x"}, {"name": "PATH", "value": "/bin"}]}
    await client.pod(pod("names", "echo '$(A) $(HOME) $(PATH) $$(A)'", container=container))
    await client.ended("names")
    assert await client.log("names") == "x $(HOME) /bin $(A)\n"


async def test_logs_have_both_streams_in_order_and_a_tail(client: Client) -> None:
    await client.pod(pod("logs", "echo one; echo two >&2; echo three; printf four"))
    await client.ended("logs")
    assert await client.log("logs") == "one\ntwo\nthree\nfour"
    assert await client.log("logs", "tailLines=2") == "three\nfour"
    assert await client.log("logs", "limitBytes=5") == "one\nt"
    stamped = await client.log("logs", "timestamps=true&tailLines=1")
    assert stamped.endswith("Z four")


async def test_a_followed_log_comes_as_it_is_written(client: Client) -> None:
    await client.pod(pod("follow", "for i in 1 2 3; do echo $i; sleep 0.2; done"))
    await client.until("follow", lambda p: p["status"]["phase"] == "Running")
    assert await client.log("follow", "follow=true") == "1\n2\n3\n"


async def test_long_lines_and_bytes_that_are_no_text_survive(client: Client) -> None:
    await client.pod(pod("long", "head -c 100000 /dev/zero | tr '\\0' x; echo; printf '\\303\\050\\r\\n'"))
    await client.ended("long")
    async with client._session.get("/api/v1/namespaces/default/pods/long/log") as reply:
        assert await reply.read() == b"x" * 100000 + b"\n\xc3\x28\r\n"


async def test_the_files_of_a_pod_are_its_own(client: Client) -> None:
    await client.pod(pod("writes", "echo x > /tmp/mine; echo x > /etc/mine; echo x > /mine; cat /tmp/mine /etc/mine /mine"))
    await client.pod(pod("reads", "ls /tmp /etc/mine /mine 2>/dev/null; hostname; cat /proc/1/cmdline | tr '\\0' ' '"))
    await client.ended("writes")
    await client.ended("reads")
    assert await client.log("writes") == "x\nx\nx\n"
    log = await client.log("reads")
    assert log.startswith("reads\nsh -c ls" if "/tmp:" not in log else "/tmp:\nreads\nsh -c ls")


VOLUMES: list[Json] = [
    {"name": "scratch", "emptyDir": {}},
    {"name": "map", "configMap": {"name": "files", "items": [{"key": "a", "path": "deep/a"}]}},
    {"name": "secret", "secret": {"secretName": "pass", "defaultMode": 0o400}},
    {"name": "down", "downwardAPI": {"items": [{"path": "note", "fieldRef": {"fieldPath": "metadata.annotations['note']"}}]}},
    {"name": "all", "projected": {"sources": [{"configMap": {"name": "files"}}, {"secret": {"name": "pass"}}]}},
    {"name": "claimed", "persistentVolumeClaim": {"claimName": "disk"}},
]
MOUNTS: list[Json] = [{"name": v["name"], "mountPath": f"/v/{v['name']}"} for v in VOLUMES]


async def test_volumes(client: Client) -> None:
    base = "/api/v1/namespaces/default"
    await client.call("POST", f"{base}/configmaps", {"metadata": {"name": "files"}, "data": {"a": "A", "b": "B"}})
    await client.call("POST", f"{base}/secrets", {"metadata": {"name": "pass"}, "stringData": {"pw": "P"}})
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    await client.call("POST", f"{base}/persistentvolumeclaims", {"metadata": {"name": "disk"}, "spec": claim})
    script = (
        "cd /v; cat map/deep/a secret/pw down/note all/a all/b all/pw; echo; "
        "stat -c %a secret/pw; cat scratch/init; echo kept > claimed/f"
    )
    init = {
        "name": "before",
        "image": "alpine",
        "command": ["sh", "-c", "echo ready > /v/scratch/init"],
        "volumeMounts": MOUNTS[:1],
    }
    one = pod("volumes", script, container={"volumeMounts": MOUNTS}, volumes=VOLUMES, initContainers=[init])
    one["metadata"]["annotations"] = {"note": "N"}
    await client.pod(one)
    ended = await client.ended("volumes")
    assert await client.log("volumes") == "APNABP\n400\nready\n", terminated(ended)
    sub = [{"name": "claimed", "mountPath": "/one", "subPath": "f"}, {"name": "map", "mountPath": "/ro", "readOnly": True}]
    await client.pod(
        pod("later", "cat /one; touch /ro/x 2>&1 || echo refused", container={"volumeMounts": sub}, volumes=VOLUMES)
    )
    await client.ended("later")
    assert (await client.log("later")).splitlines()[0::2] == ["kept", "refused"]


async def test_the_termination_message_is_what_the_file_says_else_the_log(client: Client) -> None:
    await client.pod(pod("message", "printf result > /dev/termination-log"))
    await client.pod(pod("custom", "printf other > /out/msg", container={"terminationMessagePath": "/out/msg"}))
    await client.pod(pod("big", "head -c 5000 /dev/zero | tr '\\0' y > /dev/termination-log"))
    fallback = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    await client.pod(pod("fallback", "echo why; exit 1", container=fallback))
    messages = [terminated(await client.ended(name)).get("message") for name in ("message", "custom", "big", "fallback")]
    assert messages == ["result", "other", "y" * 4096, "why\n"]


async def test_a_post_start_hook_holds_the_next_container_back(client: Client) -> None:
    mounts = [{"name": "s", "mountPath": "/s"}]
    hook = {"postStart": {"exec": {"command": ["sh", "-c", "sleep 0.3; echo staged > /s/file"]}}}
    first = {"name": "stage", "image": "busybox", "command": ["sleep", "0.5"], "lifecycle": hook, "volumeMounts": mounts}
    two = pod("hook", "cat /s/file", container={"volumeMounts": mounts}, volumes=[{"name": "s", "emptyDir": {}}])
    two["spec"]["containers"].insert(0, first)
    await client.pod(two)
    assert (await client.ended("hook"))["status"]["phase"] == "Succeeded"
    assert await client.log("hook", "container=main") == "staged\n"


async def test_a_sidecar_starts_before_and_ends_after(client: Client) -> None:
    script = "trap 'echo stopped; exit 0' TERM; echo up > /s/up; while :; do sleep 0.05; done"
    mounts: list[Json] = [{"name": "s", "mountPath": "/s"}]
    probe: Json = {"exec": {"command": ["test", "-f", "/s/up"]}, "periodSeconds": 1}
    side: Json = {"name": "side", "image": "alpine", "restartPolicy": "Always", "command": ["sh", "-c", script]}
    side |= {"volumeMounts": mounts, "startupProbe": probe}
    one = pod(
        "sidecar",
        "cat /s/up",
        container={"volumeMounts": mounts},
        initContainers=[side],
        volumes=[{"name": "s", "emptyDir": {}}],
    )
    await client.pod(one)
    ended = await client.ended("sidecar")
    assert (ended["status"]["phase"], await client.log("sidecar", "container=main")) == ("Succeeded", "up\n")
    assert ended["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
    assert await client.log("sidecar", "container=side") == "stopped\n"


async def test_a_failed_init_container_is_the_end(client: Client) -> None:
    init = {"name": "before", "image": "busybox", "command": ["sh", "-c", "exit 3"]}
    await client.pod(pod("init-fails", "echo never", initContainers=[init]))
    status = (await client.ended("init-fails"))["status"]
    assert status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 3
    assert status["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}


async def test_on_failure_restarts_and_keeps_the_log_before(client: Client) -> None:
    script = "test -f /s/again && { echo second; exit 0; }; touch /s/again; echo first; exit 1"
    one = pod(
        "restart",
        script,
        container={"volumeMounts": [{"name": "s", "mountPath": "/s"}]},
        volumes=[{"name": "s", "emptyDir": {}}],
    )
    one["spec"]["restartPolicy"] = "OnFailure"
    await client.pod(one)
    ended = await client.ended("restart")
    status = ended["status"]["containerStatuses"][0]
    assert (ended["status"]["phase"], status["restartCount"], status["lastState"]["terminated"]["exitCode"]) == (
        "Succeeded",
        1,
        1,
    )
    assert (await client.log("restart", "previous=true"), await client.log("restart")) == ("first\n", "second\n")


async def test_a_deadline_ends_a_pod(client: Client) -> None:
    await client.pod(pod("deadline", "sleep 60", activeDeadlineSeconds=1, terminationGracePeriodSeconds=0))
    status = (await client.ended("deadline"))["status"]
    assert (status["phase"], status["reason"], status["message"]) == (
        "Failed",
        "DeadlineExceeded",
        "Pod was active on the node longer than the specified deadline",
    )


async def test_deletion_asks_first_and_waits(client: Client) -> None:
    await client.pod(pod("polite", "trap 'echo asked; sleep 0.2; exit 7' TERM; echo up; while :; do sleep 0.05; done"))
    await client.until("polite", lambda p: p["status"]["phase"] == "Running")
    await asyncio.sleep(0.2)
    path = "/api/v1/namespaces/default/pods/polite"
    _, marked = await client.call("DELETE", path)
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
    gone = await client.until("polite", never)
    assert terminated(gone)["exitCode"] == 7


async def test_a_grace_period_of_nothing_kills(client: Client) -> None:
    await client.pod(pod("stubborn", "trap '' TERM; while :; do sleep 0.05; done"))
    await client.until("stubborn", lambda p: p["status"]["phase"] == "Running")
    begun = time.monotonic()
    await client.call("DELETE", "/api/v1/namespaces/default/pods/stubborn", {"gracePeriodSeconds": 1})
    gone = await client.until("stubborn", never)
    assert terminated(gone)["exitCode"] == 137
    assert 0.9 < time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("name", "container", "reason", "message"),
    [
        ("no-image", {"image": "acme/none:1"}, "ErrImagePull", 'no programs of this machine stand in for image "acme/none:1"'),
        (
            "no-map",
            {"envFrom": [{"configMapRef": {"name": "none"}}]},
            "CreateContainerConfigError",
            'configmap "none" not found',
        ),
    ],
)
async def test_a_container_that_cannot_be_made_waits_and_says_why(
    client: Client, name: str, container: Json, reason: str, message: str
) -> None:
    await client.pod(pod(name, "true", container=container))
    found = await client.until(
        name, lambda p: p["status"].get("containerStatuses", [{}])[0].get("state", {}).get("waiting", {}).get("message")
    )
    waiting = found["status"]["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] == reason
    assert waiting["message"].startswith(message)
    await client.call("DELETE", f"/api/v1/namespaces/default/pods/{name}", {"gracePeriodSeconds": 0})


async def test_a_command_that_is_not_there_is_named(client: Client) -> None:
    await client.pod(pod("missing", "", container={"command": ["no-such-program"]}))
    state = terminated(await client.ended("missing"))
    assert (state["exitCode"], state["reason"]) == (128, "StartError")
    assert 'exec: "no-such-program": executable file not found in $PATH' in state["message"]


async def test_a_pod_that_fits_nowhere_stays_pending(client: Client) -> None:
    await client.pod(pod("nowhere", "true", nodeSelector={"disk": "ssd"}))
    found = await client.until("nowhere", lambda p: p["status"].get("conditions"))
    assert (found["status"]["phase"], found["status"]["conditions"][0]["reason"]) == ("Pending", "Unschedulable")


@pytest.mark.parametrize(
    ("image", "args", "want"),
    [
        ("argoproj/argosay:v2", ["echo", "hi"], "hi\n"),
        ("docker/whalesay", ["cowsay", "moo"], " < moo >\n"),
        ("python:3.12", ["python", "-c", "print(6*7)"], "42\n"),
    ],
)
async def test_images_have_their_entrypoints(client: Client, image: str, args: list[str], want: str) -> None:
    name = image.partition(":")[0].replace("/", "-")
    container: dict[str, Any] = {"name": "main", "image": image, "args": args}
    await client.pod({"metadata": {"name": name}, "spec": {"restartPolicy": "Never", "containers": [container]}})
    await client.ended(name)
    assert await client.log(name) == want


async def test_an_instant_pod_is_seen_ended_at_once(client: Client) -> None:
    times = []
    for index in range(5):
        begun = time.monotonic()
        await client.pod(pod(f"instant-{index}", "true"))
        await client.ended(f"instant-{index}")
        times.append(time.monotonic() - begun)
    assert min(times) < 0.5, times


@pytest.mark.parametrize("mode", ["user", "plain"])
async def test_other_ways_to_isolate(mode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    from tests.local.conftest import connect

    monkeypatch.setenv("ARGO_YAML_SANDBOX", mode)
    with EmbeddedKubernetes(tmp_path) as kube:
        assert kube.sandbox in {mode, "plain"}
        assert bool(kube.warning) is (kube.sandbox == "plain")
        async with connect(kube) as session:
            client = Client(session)
            volume = {"volumes": [{"name": "v", "emptyDir": {}}]}
            mounts = {"volumeMounts": [{"name": "v", "mountPath": "/data/v"}]}
            script = "echo hi > /data/v/f; cat /data/v/f; printf m > /dev/termination-log; /argosay echo said; exit 4"
            await client.pod(pod("one", script, container=mounts, **volume))
            state = terminated(await client.ended("one"))
            assert (await client.log("one"), state["exitCode"], state["message"]) == ("hi\nsaid\n", 4, "m")


async def test_more_memory_than_the_limit_is_the_end(client: Client) -> None:
    script = "import time; x = b'x' * (200 << 20); time.sleep(30)"
    container = {"image": "python", "command": ["python", "-c", script], "resources": {"limits": {"memory": "64Mi"}}}
    await client.pod(pod("hungry", "", container=container))
    state = terminated(await client.ended("hungry"))
    assert (state["exitCode"], state["reason"]) == (137, "OOMKilled")


async def test_the_messages_of_a_pod_share_their_room(client: Client) -> None:
    script = "head -c 4096 /dev/zero | tr '\\0' m > /dev/termination-log"
    one = pod("share", script)
    one["spec"]["containers"] += [{"name": f"more-{i}", "image": "busybox", "command": ["true"]} for i in range(5)]
    await client.pod(one)
    assert len(terminated(await client.ended("share"))["message"]) == 2048


async def test_a_user_can_be_asked_for(client: Client) -> None:
    context = {"runAsUser": 1234, "runAsGroup": 5678}
    volume = {"volumes": [{"name": "v", "emptyDir": {}}]}
    container = {"securityContext": context, "volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    await client.pod(pod("user", "id -u; touch /v/x /tmp/x && echo wrote", container=container, **volume))
    await client.ended("user")
    assert await client.log("user") == "1234\nwrote\n"
