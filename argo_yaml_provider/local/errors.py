"""How the API says no: Kubernetes' `Status` object.

In: a reason and words.  Out: `ApiError`, which knows its HTTP code and its body.
Must not know: what was asked.
"""

from __future__ import annotations

from argo_yaml_provider.local.resources import Json, Resource

_CODES = {
    "BadRequest": 400,
    "Unauthorized": 401,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "AlreadyExists": 409,
    "Conflict": 409,
    "Expired": 410,
    "UnsupportedMediaType": 415,
    "Invalid": 422,
    "InternalError": 500,
}


class ApiError(Exception):
    """A refusal, as the real API server words it."""

    def __init__(self, reason: str, message: str, details: Json | None = None) -> None:
        self.reason, self.message, self.details = reason, message, details
        super().__init__(message)

    def __reduce__(self) -> tuple[type[ApiError], tuple[str, str, Json | None]]:
        return type(self), (self.reason, self.message, self.details)

    @property
    def code(self) -> int:
        return _CODES[self.reason]

    @property
    def status(self) -> Json:
        body: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if self.details:
            body["details"] = self.details
        return body


def _details(resource: Resource, name: str) -> Json:
    return {"name": name, "group": resource.group, "kind": resource.plural}


def not_found(resource: Resource, name: str) -> ApiError:
    return ApiError("NotFound", f'{resource.qualified} "{name}" not found', _details(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    return ApiError("AlreadyExists", f'{resource.qualified} "{name}" already exists', _details(resource, name))


def conflict(resource: Resource, name: str, why: str) -> ApiError:
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError("Conflict", message, _details(resource, name))


def invalid(resource: Resource, name: str, field: str, why: str) -> ApiError:
    """One wrong field, named as the real server names it."""
    details = {**_details(resource, name), "kind": resource.kind, "causes": [{"field": field, "message": why}]}
    return ApiError("Invalid", f'{resource.kind} "{name}" is invalid: {field}: {why}', details)
