"""Stores that are a URL: http (WebDAV, WebHDFS, any server that takes PUT) and artifactory, by curl.

In: the location, a prefix for names of environment variables.  Out: a `Transport`.
Argo: workflow/artifacts/http/http.go and clients.go: GET fetches, PUT stores.
Must not know: pods, Airflow.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlsplit, urlunsplit

from argo_yaml_provider.artifacts.transport import Json, Transport, need, secret_env, value_env

CURL = "curl --globoff --fail --silent --show-error --connect-timeout 15"


@dataclass(slots=True, kw_only=True)
class _Request:
    """What makes up a request, piece by piece."""

    prefix: str
    env: list[Json] = field(default_factory=list)
    config: list[str] = field(default_factory=list)
    """Lines of curl's configuration, as shell words: read from standard input, so that no process list shows secrets."""
    first: list[str] = field(default_factory=list)
    """Commands that come before."""
    flags: str = "--location"

    def secret(self, name: str, selector: Json) -> str:
        """The name of a variable that holds a secret's value."""
        self.env.append(secret_env(f"{self.prefix}_{name}", selector))
        return f"{self.prefix}_{name}"

    def feed(self) -> str:
        """What writes the configuration into curl, with the flag that makes curl read it, behind it."""
        return f"printf '%s\\n' {' '.join(self.config)} | " if self.config else ""


def http(location: Json, prefix: str) -> Transport:
    """With headers, and one kind of authentication; of several that are given, the one that Argo takes."""
    need(location, "http", ("url",))
    request = _Request(prefix=prefix)
    for number, header in enumerate(location.get("headers") or []):
        line = f"{header['name']}: {header.get('value', '')}".replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        request.env.append(value_env(f"{prefix}_HEADER_{number}", line))
        request.config.append(f'"header = \\"${prefix}_HEADER_{number}\\""')
    auth = location.get("auth") or {}
    certificate, oauth, basic = (auth.get(kind) or {} for kind in ("clientCert", "oauth2", "basicAuth"))
    if certificate.get("clientCertSecret") and certificate.get("clientKeySecret"):
        _present_certificate(request, certificate)
    elif all(oauth.get(name) for name in ("clientIDSecret", "clientSecretSecret", "tokenURLSecret")):
        _ask_for_token(request, oauth)
        return _transport(location["url"], "http", request)
    if basic.get("usernameSecret") and basic.get("passwordSecret"):
        _log_in(request, basic)
    return _transport(location["url"], "http", request)


def artifactory(location: Json, prefix: str) -> Transport:
    """A URL with a user's name and password."""
    need(location, "artifactory", ("url", "usernameSecret", "passwordSecret"))
    request = _Request(prefix=prefix)
    _log_in(request, location)
    return _transport(location["url"], "artifactory", request)


def _log_in(request: _Request, basic: Json) -> None:
    user, password = request.secret("USER", basic["usernameSecret"]), request.secret("PASSWORD", basic["passwordSecret"])
    request.config.append(f'"user = \\"$(quoted "${user}:${password}")\\""')


def _present_certificate(request: _Request, certificate: Json) -> None:
    """The certificate and its key go into files, which is all that curl takes."""
    for option, name in (("cert", "clientCertSecret"), ("key", "clientKeySecret")):
        variable, path = request.secret(option.upper(), certificate[name]), f"$private/{request.prefix}.{option}"
        request.first.append(f'printf "%s\\n" "${variable}" > "{path}"')
        request.config.append(f'"{option} = \\"{path}\\""')


def _ask_for_token(request: _Request, oauth: Json) -> None:
    """The client credentials grant: by a header first, then by fields of the form, for servers know the one or the other."""
    prefix = request.prefix
    client, word = (
        request.secret("CLIENT", oauth["clientIDSecret"]),
        request.secret("CLIENT_SECRET", oauth["clientSecretSecret"]),
    )
    address = request.secret("TOKEN_URL", oauth["tokenURLSecret"])
    form = [("grant_type", "client_credentials")]
    if oauth.get("scopes"):
        form.append(("scope", " ".join(oauth["scopes"])))
    form += [(pair["key"], pair.get("value", "")) for pair in oauth.get("endpointParams") or ()]
    fields = " ".join(f"--data-urlencode {shlex.quote(f'{quote_plus(name)}={value}')}" for name, value in form)
    ask = f'{CURL} --config - {fields} "${address}"'
    by_header = f"""printf '%s\\n' "user = \\"$(quoted "$(url_encoded "${client}"):$(url_encoded "${word}")")\\"" | {ask}"""
    by_form = (
        f"""printf '%s\\n' "data-urlencode = \\"client_id=$(quoted "${client}")\\"" """
        f""""data-urlencode = \\"client_secret=$(quoted "${word}")\\"" | {ask}"""
    )
    request.first.append(f'{prefix}_TOKEN=$(access_token "$({by_header} 2>/dev/null || {by_form})")')
    request.config.append(f'"header = \\"Authorization: Bearer ${prefix}_TOKEN\\""')
    # As Argo's client, which gives its token to whoever it is sent on to: a name node sends on to data nodes.
    request.flags = "--location-trusted"


def _transport(url: str, store: str, request: _Request) -> Transport:
    target = shlex.quote(url)
    feed, config = request.feed(), " --config -" if request.config else ""
    first = "".join(f"{command} && " for command in request.first)
    command = f"{first}{feed}{CURL} {request.flags}{config}"
    return Transport(
        tool="curl",
        env=tuple(request.env),
        fetch=f'{command} --output "$file" {target}',
        store=f'{command} --output /dev/null --upload-file "$file" {target}',
        place=f"{store} {_shown(url)}",
        access="" if any("valueFrom" in entry for entry in request.env) else "add auth to the artifact, with its Secrets",
        bucket="correct the URL",
    )


def _shown(url: str) -> str:
    """The URL without what may be a password."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
