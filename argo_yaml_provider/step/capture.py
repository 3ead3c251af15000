"""What a supervised step hands on: its result and its output parameters.

In: an ended pod, its decision.  Out: the values, and what the step itself wrote as its termination message.
The supervisor packs them as base64(gzip(tar)): into main's termination message, or what is too much for it into its own log.
Argo: workflow/executor/executor.go, SaveParameters, CaptureScriptResult.
Must not know: Airflow.
"""

from __future__ import annotations

import base64
import binascii
import io
import tarfile
import zlib
from dataclasses import dataclass
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.pods.container_sets import lead_of
from argo_yaml_provider.pods.supervise import SUPERVISOR, output_paths
from argo_yaml_provider.step.kube import Kube
from argo_yaml_provider.step.outcome import terminated
from argo_yaml_provider.step.reports import read_lines

Json = dict[str, Any]

RESULT_BYTES = 256 * 1024
MOST_BYTES = 64 * 1024 * 1024
"""Unpacked; a small archive may hold much."""


class Lost(RunError):
    """The supervisor's report did not arrive, or not whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What a step gave."""

    result: str | None = None
    parameters: dict[str, str | None]
    """Declared output parameters; None: there was no such file, and no default."""
    missing: tuple[str, ...] = ()
    """Why each of those has no value."""
    message: str = ""
    """The step's own termination message."""


async def read_captured(kube: Kube, pod: Json, decision: Decision) -> Captured:
    """The step's outputs; what a killed step could not hand on is missing."""
    end = terminated(pod, lead_of(decision.template)) or {}
    message = end.get("message") or ""
    if message.startswith("excess "):
        size = int(message.split()[1])
        raise Lost(f"the step's outputs are too large: {size} bytes, packed", help="pass what is large as an artifact")
    # The supervisor's log ends with it, a moment after main.
    large = message.startswith("large ")
    packed = b"".join(await read_lines(kube, pod, SUPERVISOR, message)) if large else message.encode()
    files = unpack(packed) if packed else {}
    return captured(files, decision)


def captured(files: dict[str, bytes], decision: Decision) -> Captured:
    """The values in the supervisor's files."""
    parameters, missing = _fixed(decision.template), []
    for index, (name, path) in enumerate(output_paths(decision.template), start=1):
        parameters[name] = _value(files.get(str(index)), decision.template, name)
        if parameters[name] is None:
            missing.append(f"output parameter {name!r}: the step left no file {path}")
    result = None
    if decision.include_result and "result" in files:
        result = _trimmed(files["result"])[-RESULT_BYTES:].decode(errors="replace")
    return Captured(
        result=result,
        parameters=parameters,
        missing=tuple(missing),
        message=files.get("message", b"").decode(errors="replace"),
    )


def unpack(packed: bytes) -> dict[str, bytes]:
    """The files of base64(gzip(tar)), by name."""
    try:
        unzip = zlib.decompressobj(wbits=31)
        archive = unzip.decompress(base64.b64decode(packed), MOST_BYTES)
        if not unzip.eof:
            raise Lost("the step's outputs did not arrive whole")
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            members = [member for member in tar.getmembers() if member.isfile()]
            return {member.name.removeprefix("./"): _content(tar, member) for member in members}
    except (binascii.Error, zlib.error, tarfile.TarError) as error:
        raise Lost(
            f"the step's outputs did not arrive whole: {error}",
            help="does something else write to the container's termination message, or add containers to the pod?",
        ) from error


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    return stream.read() if stream else b""


def _fixed(template: Json) -> dict[str, str | None]:
    """Output parameters that are written in the template."""
    parameters = template.get("outputs", {}).get("parameters", [])
    return {parameter["name"]: parameter.get("value") for parameter in parameters}


def _value(content: bytes | None, template: Json, name: str) -> str | None:
    if content is not None:
        return _trimmed(content).decode(errors="replace")
    parameter = next(parameter for parameter in template["outputs"]["parameters"] if parameter["name"] == name)
    default = parameter["valueFrom"].get("default")
    return None if default is None else str(default).removesuffix("\n")


def _trimmed(content: bytes) -> bytes:
    return content.removesuffix(b"\n")
