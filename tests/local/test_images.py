from __future__ import annotations

import pytest

from argo_yaml_provider.local.images import ImageError, Images, repository


@pytest.mark.parametrize(
    ("image", "want"),
    [
        ("busybox", "busybox"),
        ("docker.io/library/python:3.12-slim", "python"),
        ("localhost:5000/argoproj/argosay:v2", "argoproj/argosay"),
        ("quay.io/a/b@sha256:00", "a/b"),
        ("ghcr.io/org/app:1", "org/app"),
    ],
)
def test_repository_drops_registry_and_tag(image: str, want: str) -> None:
    assert repository(image) == want


def test_an_unknown_image_says_where_to_name_programs_for_it() -> None:
    with pytest.raises(ImageError) as caught:
        Images().find("acme/app:1")
    assert str(caught.value).startswith(
        'no programs of this machine stand in for image "acme/app:1": the embedded Kubernetes pulls nothing. '
        "Name them in a file that ARGO_YAML_IMAGES names, or use a real cluster; known: "
    )


def test_an_image_names_the_program_that_is_missing() -> None:
    with pytest.raises(ImageError) as caught:
        Images({"tool": {"needs": ["no-such-program"]}}).find("tool:3")
    assert str(caught.value) == 'image "tool:3" needs the program "no-such-program", which is not installed on this machine'
