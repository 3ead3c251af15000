from __future__ import annotations

import pytest

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.nodes import Array, Binary, Identifier, Literal, Node, walk
from argo_yaml_provider.expr.parser import parse


def shape(node: Node) -> str:
    """A tree in brackets."""
    if isinstance(node, Binary):
        return f"({shape(node.left)} {node.operator} {shape(node.right)})"
    if isinstance(node, Array):
        return f"[{', '.join(map(shape, node.items))}]"
    return str(node.value) if isinstance(node, Literal) else node.name if isinstance(node, Identifier) else type(node).__name__


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("a + b * c - d", "((a + (b * c)) - d)", id="precedence"),
        pytest.param("a ** b ** c", "(a ** (b ** c))", id="power"),
        pytest.param("a or b and c == d", "(a or (b and (c == d)))", id="logic"),
        pytest.param("a < b < c", "((a < b) && (b < c))", id="chain"),
        pytest.param("a == b < c", "((a == b) < c)", id="no-chain"),
        pytest.param("1..2 + 3", "(1 .. (2 + 3))", id="range"),
        pytest.param("a ?? b ?? c", "((a ?? b) ?? c)", id="coalesce"),
        pytest.param("[a, b,]", "[a, b]", id="trailing-comma"),
        pytest.param("a /* b */ + c // d", "(a + c)", id="comments"),
        pytest.param("0x1F + 0b1 + 1_0", "((31 + 1) + 10)", id="numbers"),
    ],
)
def test_reads_operators_by_their_precedence(text: str, want: str) -> None:
    assert shape(parse(text)) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param(r"'it\'s'", "it's", id="escaped-quote"),
        pytest.param(r"'\x41B\103\u{44}\n'", "ABCD\n", id="escapes"),
        pytest.param("`raw ``\\n`", "raw `\\n", id="raw"),
        pytest.param(r"b'\xff'", b"\xff", id="bytes"),
    ],
)
def test_reads_literals(text: str, want: object) -> None:
    node = parse(text)
    assert isinstance(node, Literal)
    assert node.value == want


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        pytest.param("1 +", "unexpected end of the expression", 2, id="end"),
        pytest.param("a b", "unexpected 'b'", 2, id="two-names"),
        pytest.param("'abc", "literal not terminated: the ' has no partner", 0, id="quote"),
        pytest.param(r"'\q'", r"invalid char escape: \q", 1, id="escape"),
        pytest.param("steps.1.x", "bad number syntax: '1.x'", 6, id="a-number-is-no-name"),
        pytest.param("a ?? b + c", "+ and ?? cannot be mixed: put parentheses around one of them", 7, id="coalesce"),
        pytest.param("'a' | sprig.upper()", "unexpected '.'", 11, id="a-pipe-takes-no-path"),
        pytest.param("map(x, {a: 1})", "unexpected ':'", 9, id="a-brace-begins-a-block"),
        pytest.param("# + 1", "# stands for an element, and there is no loop around it", 0, id="pointer"),
        pytest.param("9223372036854775808", "invalid integer literal: 9223372036854775808 is out of range", 0, id="large"),
        pytest.param("xⅧ + 1", "unrecognized character: 'Ⅷ'", 1, id="numeral"),
        pytest.param("a & b", "unrecognized character: '&'", 2, id="character"),
        pytest.param("filter(x)", "filter takes 2 arguments, not 1", 0, id="predicate-missing"),
    ],
)
def test_a_syntax_error_says_what_and_where(text: str, message: str, offset: int) -> None:
    with pytest.raises(ExprError) as caught:
        parse(text)
    assert (caught.value.message, caught.value.offset) == (message, offset)


def test_walks_from_left_to_right() -> None:
    assert [shape(node) for node in walk(parse("a + b"))] == ["(a + b)", "a", "b"]
