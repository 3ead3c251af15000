from __future__ import annotations

import pytest

from argo_yaml_provider.local.plain import substitute


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("cat /a/file", "cat /host/A/file"),
        ("cat '/a/b/c' /a", "cat '/host/B/c' /host/A"),
        ("/ab /x/a ./a", "/ab /x/a ./a"),
        ("P=/a:/a/b", "P=/host/A:/host/B"),
    ],
)
def test_only_whole_paths_are_replaced(text: str, want: str) -> None:
    assert substitute(text, {"/a": "/host/A", "/a/b": "/host/B"}) == want
