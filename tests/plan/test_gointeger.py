from __future__ import annotations

import pytest

from argo_yaml_provider.plan.gointeger import format_integer


@pytest.mark.parametrize(
    ("template", "number", "want"),
    [
        ("%d", 5, "5"),
        ("f%d-", -5, "f-5-"),
        ("%5d|", 42, "   42|"),
        ("%-5d|", 42, "42   |"),
        ("%05d", -42, "-0042"),
        ("%+d", 42, "+42"),
        ("% d", 42, " 42"),
        ("%x %%", 255, "ff %"),
        ("%X", 255, "FF"),
        ("%#x", 255, "0xff"),
        ("%#o", 8, "010"),
        ("%O", 8, "0o10"),
        ("%b", 5, "101"),
        ("%08.3d", 0, "     000"),
        ("%.0d|", 0, "|"),
        ("%c", 65, "A"),
        ("%q", 65, "'A'"),
        ("%q", 39, r"'\''"),
        ("%U", 0x1F600, "U+1F600"),
        ("%#U", 65, "U+0041 'A'"),
        ("%v", 7, "7"),
        ("%T", 7, "int"),
        ("%s", 7, "%!s(int=7)"),
        ("%5f", 7, "%!f(int=    7)"),
        ("none", 7, "none%!(EXTRA int=7)"),
        ("%d%d", 7, "7%!d(MISSING)"),
        ("%[1]d%[1]x", 12, "12c"),
        ("%[2]d", 7, "%!d(BADINDEX)"),
        ("%", 7, "%!(NOVERB)%!(EXTRA int=7)"),
        ("%*d", 3, "%!d(MISSING)"),
        ("%99999999d", 3, "%!(NOVERB)%!(EXTRA int=3)"),
    ],
)
def test_formats_as_go_does(template: str, number: int, want: str) -> None:
    assert format_integer(template, number) == want
