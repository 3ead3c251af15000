"""The commands of `argo-yaml`, one module each, each with a click command named `command`; imported only when called."""
