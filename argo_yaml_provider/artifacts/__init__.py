"""Artifacts: from a declaration to the commands that move it inside a pod. No byte ever passes through the worker."""
