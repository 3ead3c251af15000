"""How soon hostile expressions end: the longest of three goes each, in CPU time of the thread, against a bound of 100 ms.

    python bench/hostile.py

Prints every text of tests/expr/test_limits.py, and searches of its own through large documents, the slowest first.
"""

from __future__ import annotations

import gc
import sys
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.evaluator import evaluate
from argo_yaml_provider.expr.rendering import render_json_text
from tests.expr.test_limits import ENV, HOSTILE

BOUND = 100.0
SHOWN = 12
SEARCHES = {
    "search-everything": "jsonpath(big, '$..*')",
    "search-twice": "jsonpath(big, '$..*..*')",
    "search-names": "jsonpath(big, '$..a')",
    "search-and-slice": "jsonpath(big, '$..a[0:2]')",
    "search-by-condition": "jsonpath(big, '$..[?(@.a)]')",
    "search-by-length": "jsonpath(big, '$..[?(@.length > 1)]')",
    "search-by-script": "jsonpath(big, '$..[(@.length-1)]')",
    "search-by-text": "jsonpath(big, '$..[?(@.a =~ /x/)]')",
    "conditions-in-conditions": "jsonpath(big, '$[?(@.a[?(@ > 1)])]')",
    "every-element": "jsonpath(big, '$[*].a[*]')",
    "long-union": "jsonpath(big, '$[" + ",".join(str(index) for index in range(400)) + "]')",
    "searches-in-a-loop": "map(1..100, jsonpath(big, '$..a'))",
}


def longest(text: str) -> float:
    """Milliseconds."""
    times = []
    for _ in range(3):
        begun = time.thread_time()
        with suppress(ExprError):
            render_json_text(evaluate(text, ENV))
        times.append((time.thread_time() - begun) * 1000)
    return max(times)


def main() -> None:
    for text in ("sprig.upper('x')", "jsonpath('[1]', '$[0]')", "date('2024-01-01').Year()", "'a' matches 'a'"):
        evaluate(text, {})  # libraries are loaded once a process
    gc.freeze()
    times = {name: longest(text) for name, text in (HOSTILE | SEARCHES).items()}
    slowest = sorted(times.items(), key=lambda one: -one[1])
    for name, milliseconds in slowest[:SHOWN]:
        print(f"{name:34} {milliseconds:7.1f} ms {milliseconds / BOUND:6.2f} x the bound")
    within = sum(one <= BOUND for one in times.values())
    print(f"{within} of {len(times)} end within {BOUND:g} ms")


if __name__ == "__main__":
    main()
