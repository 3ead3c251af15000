"""The table of every field: its type, the merge key of a list, and what becomes of it here.

In: argo.fields (to switch a field on or off, edit its line there), kubernetes.fields.  Out: `STRUCTS` by `struct_of`.
Must not know: files that users write.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

SCALARS = frozenset(
    {"string", "bool", "int", "number", "any", "bytes", "AnyString", "IntOrString", "Quantity", "Duration", "GoDuration"}
)
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """`string`, `Container`, a list `[Volume]@name`, or a map `{string}`."""

    name: str
    """Of a scalar or a struct; of a list or map, '[]' or '{}'."""
    of: Type | None = None
    """What a list or map holds."""
    merge_key: str = ""
    """The field by which two such lists are merged; '' means that one replaces the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a struct."""

    name: str
    type: Type
    refused: str = ""
    """The code under which it is refused."""
    inert: str = ""
    """Why it changes nothing here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Struct:
    """One of Argo's or Kubernetes' types."""

    name: str
    fields: dict[str, Field]
    refused: str = ""
    """Of a kind: the code under which all of it is refused."""


def struct_of(name: str) -> Struct:
    """A type by its name."""
    return _structs()[name]


def all_structs() -> dict[str, Struct]:
    """Every type by its name."""
    return dict(_structs())


def is_struct(type_: Type) -> bool:
    """Whether a value of the type is a mapping with known fields."""
    return type_.of is None and type_.name not in SCALARS


@cache
def _structs() -> dict[str, Struct]:
    structs = {struct.name: struct for struct in _read_kubernetes((_HERE / "kubernetes.fields").read_text())}
    for struct in _read_argo((_HERE / "argo.fields").read_text()):
        structs[struct.name] = struct
    return structs


def _read_kubernetes(text: str) -> list[Struct]:
    """One type a line: `EnvVar name:string value:string …`."""
    structs = []
    for line in _lines(text):
        name, *fields = line.split()
        pairs = (field.split(":", 1) for field in fields)
        structs.append(Struct(name=name, fields={field: Field(name=field, type=type_of(text)) for field, text in pairs}))
    return structs


def _read_argo(text: str) -> list[Struct]:
    """One field a line, indented below the name of its type."""
    structs: list[Struct] = []
    for line in _lines(text):
        code, reason = _mark(line, " ! "), _mark(line, " ~ ")
        words = line.split()
        if not line.startswith(" "):
            structs.append(Struct(name=words[0], fields={}, refused=code))
            continue
        structs[-1].fields[words[0]] = Field(name=words[0], type=type_of(words[1]), refused=code, inert=reason)
    return structs


def _mark(line: str, mark: str) -> str:
    return line.partition(mark)[2].strip()


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


@cache
def type_of(text: str) -> Type:
    """`[Volume]@name` and its like."""
    body, _, merge_key = text.partition("@")
    if body.startswith("["):
        return Type(name="[]", of=type_of(body[1:-1]), merge_key=merge_key)
    if body.startswith("{"):
        return Type(name="{}", of=type_of(body[1:-1]))
    return Type(name=body)
