from __future__ import annotations

import pytest

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.step.kubectl import parse_flags


@pytest.mark.parametrize(
    ("flags", "targets", "options"),
    [
        (["pod", "a", "b"], (("pod", "a"), ("pod", "b")), {}),
        (["pod/a", "cm/b"], (("pod", "a"), ("cm", "b")), {}),
        (["cm,secret", "-l", "a=b"], (("cm", ""), ("secret", "")), {"selector": "a=b"}),
        (["--selector=a=b", "cm", "-nother"], (("cm", ""),), {"selector": "a=b", "namespace": "other"}),
        (["--ignore-not-found", "cm", "x"], (("cm", "x"),), {"ignore-not-found": "true"}),
        (["--validate=false"], (), {"validate": "false"}),
        ([], (), {}),
    ],
)
def test_flags_are_read_as_kubectl_reads_them(
    flags: list[str], targets: tuple[tuple[str, str], ...], options: dict[str, str]
) -> None:
    found = parse_flags(flags)
    assert (found.targets(), found.options) == (targets, options)


def test_an_unknown_flag_is_named() -> None:
    with pytest.raises(RunError) as caught:
        parse_flags(["--kubeconfig", "/root/.kube/config"])
    assert caught.value.message == "unknown flag: --kubeconfig"


def test_a_flag_without_its_value_is_named() -> None:
    with pytest.raises(RunError) as caught:
        parse_flags(["cm", "-l"])
    assert caught.value.message == "flag needs an argument: -l"
