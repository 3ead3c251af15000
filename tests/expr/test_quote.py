from __future__ import annotations

import pytest

from argo_yaml_provider.expr.quote import escape, quote


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("plain é✓😀", "plain é✓😀", id="printable-stays"),
        pytest.param('say "hi" \\', r"say \"hi\" \\", id="quotes-and-backslashes"),
        pytest.param("a\nb\tc\rd\be\ff", r"a\nb\tc\rd\be\ff", id="escapes-json-knows"),
        pytest.param("\a\v\x00\x1b\x7f", r"\a\v\x00\x1b\x7f", id="escapes-json-does-not-know"),
        pytest.param("\u00a0\u2028", r"\u00a0\u2028", id="spaces-other-than-the-blank"),
        pytest.param("\U000e0001", r"\U000e0001", id="beyond-16-bits"),
        pytest.param("\U0001fae8", "\U0001fae8", id="printable-since-unicode-15"),
        pytest.param("\ud800", "\ufffd", id="half-a-pair-is-no-character"),
    ],
)
def test_escapes_as_strconv_quote(text: str, want: str) -> None:
    assert escape(text) == want
    assert quote(text) == f'"{want}"'
