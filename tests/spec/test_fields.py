from __future__ import annotations

import re
from pathlib import Path

from argo_yaml_provider.spec.codes import CODES, UNSUPPORTED, codes_table
from argo_yaml_provider.spec.fields import SCALARS, Type, all_structs, struct_of

FIELDS = (Path(__file__).parent / "argo-4.1.2-fields.txt").read_text(encoding="utf-8").split()
NOT_IN_GOLDEN_FILES = ["file-too-large", "no-such-document", "not-utf8", "nothing-to-run", "too-many-steps", "unreadable-file"]
"""Covered by tests of their own: what needs a large file, a broken one, a certain command line."""
PACKAGE = Path(__file__).parent.parent.parent / "argo_yaml_provider"


def names_in(type_: Type) -> str:
    return names_in(type_.of) if type_.of else type_.name


def test_every_field_of_argos_schema_is_in_the_table() -> None:
    known = {f"{struct.name}.{field}" for struct in all_structs().values() for field in struct.fields}
    assert [field for field in FIELDS if field not in known] == []


def test_table_has_no_field_that_argo_does_not_have() -> None:
    argos = {field.partition(".")[0] for field in FIELDS}
    ours = {f"{name}.{field}" for name in argos for field in struct_of(name).fields}
    assert sorted(ours - set(FIELDS)) == []


def test_every_type_is_defined() -> None:
    used = {names_in(field.type) for struct in all_structs().values() for field in struct.fields.values()}
    assert sorted(name for name in used if name not in SCALARS and name not in all_structs()) == []


def test_every_refusal_has_a_way_out_and_every_way_out_is_needed() -> None:
    codes = {field.refused for struct in all_structs().values() for field in struct.fields.values() if field.refused}
    codes |= {struct.refused for struct in all_structs().values() if struct.refused}
    assert sorted(codes) == sorted(UNSUPPORTED)


def test_a_field_is_refused_or_inert_never_both() -> None:
    both = [
        f"{struct.name}.{field.name}"
        for struct in all_structs().values()
        for field in struct.fields.values()
        if field.refused and field.inert
    ]
    assert both == []


def test_every_listed_code_is_used() -> None:
    sources = [path for path in PACKAGE.glob("**/*.py") if path.name != "codes.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert [code for code in CODES if f'"{code}"' not in text and f"[{code}]" not in text] == []


def test_every_code_of_the_expected_messages_is_listed() -> None:
    outputs = (PACKAGE.parent / "tests" / "golden" / "err").glob("*.out")
    found = {
        code
        for path in outputs
        for code in re.findall(r"^\S+:\d+:\d+: .* \[([a-z0-9-]+)\]$", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert sorted(found - {*CODES, *UNSUPPORTED}) == []
    assert sorted({*CODES} - found) == NOT_IN_GOLDEN_FILES


def test_table_of_codes_is_markdown() -> None:
    lines = codes_table().splitlines()
    assert lines[:3] == ["| code | what it means |", "|---|---|", "| `unreadable-file` | the file cannot be opened |"]
    assert len(lines) == 2 + len(CODES) + len(UNSUPPORTED)
