"""`python -m argo_yaml_provider` is `argo-yaml`."""

from argo_yaml_provider.cli import main

if __name__ == "__main__":
    main(prog_name="argo-yaml")
