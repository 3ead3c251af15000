"""The tables of expr-lang's own functions and of Argo's.

In: nothing.  Out: `BUILTINS`, and `ARGO`, the functions that stand in the environment.
Must not know: syntax. expr-lang: builtin/builtin.go; Argo: util/expr/env/env.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from argo_yaml_provider.expr import functions_numbers as numbers
from argo_yaml_provider.expr.rendering import render_go, render_json_text
from argo_yaml_provider.expr.values import GoFunction

BUILTINS: dict[str, Callable[..., Any]] = {
    "int": numbers.to_int,
    "float": numbers.to_float,
    "abs": numbers.absolute,
    "string": render_go,
}
ARGO: dict[str, Any] = {
    "asInt": GoFunction("asInt", numbers.to_int, ("interface {}",)),
    "asFloat": GoFunction("asFloat", numbers.to_float, ("interface {}",)),
    "toJson": GoFunction("toJson", render_json_text, ("interface {}",), "string"),
}
