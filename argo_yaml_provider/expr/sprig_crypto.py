"""sprig's functions of chance, passwords, keys and certificates.

In: values whose types are checked already.  Out: values.
Must not know: syntax. Libraries: sprig v3.3; here, cryptography and bcrypt, loaded when a function needs them.

Letters and numbers come from `instant.dice`, which whoever evaluates may seed; keys and certificates from the system.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import string
import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, ClassVar

from argo_yaml_provider.expr import instant
from argo_yaml_provider.expr.base_codes import read_base64
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.limits import Budget, check_length
from argo_yaml_provider.expr.operators import from_bytes, to_bytes
from argo_yaml_provider.expr.values import GoFunction, GoObject

_SEED = b"com.lyndir.masterpassword"
_TEMPLATES = {
    "maximum": ("anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"),
    "long": (
        "CvcvnoCvcvCvcv", "CvcvCvcvnoCvcv", "CvcvCvcvCvcvno", "CvccnoCvcvCvcv", "CvccCvcvnoCvcv", "CvccCvcvCvcvno",
        "CvcvnoCvccCvcv", "CvcvCvccnoCvcv", "CvcvCvccCvcvno", "CvcvnoCvcvCvcc", "CvcvCvcvnoCvcc", "CvcvCvcvCvccno",
        "CvccnoCvccCvcv", "CvccCvccnoCvcv", "CvccCvccCvcvno", "CvcvnoCvccCvcc", "CvcvCvccnoCvcc", "CvcvCvccCvccno",
        "CvccnoCvcvCvcc", "CvccCvcvnoCvcc", "CvccCvcvCvccno",
    ),
    "medium": ("CvcnoCvc", "CvcCvcno"),
    "short": ("Cvcn",),
    "basic": ("aaanaaan", "aannaaan", "aaannaaa"),
    "pin": ("nnnn",),
}  # fmt: skip
_CHARACTERS = {
    "V": "AEIOU",
    "C": "BCDFGHJKLMNPQRSTVWXYZ",
    "v": "aeiou",
    "c": "bcdfghjklmnpqrstvwxyz",
    "A": "AEIOUBCDFGHJKLMNPQRSTVWXYZ",
    "a": "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
    "n": "0123456789",
    "o": "@&%?,=[]_:-+*$#!'^~;()/.",
    "x": "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
}
_ASCII = "".join(map(chr, range(32, 127)))


class Certificate(GoObject):
    """A certificate and its key, in PEM: `.Cert` and `.Key`."""

    __slots__ = ("cert", "key")
    go_type = "sprig.certificate"
    methods: ClassVar[dict[str, GoFunction]] = {}

    def __init__(self, cert: str, key: str) -> None:
        self.cert, self.key = cert, key

    @property
    def fields(self) -> Mapping[str, str]:
        """What an expression can read of it."""
        return {"Cert": self.cert, "Key": self.key}

    def __str__(self) -> str:
        return f"{{{self.cert} {self.key}}}"


def _random(budget: Budget, count: int, alphabet: str) -> str:
    if count < 0:
        return ""
    check_length(count)
    budget.step(4 * count)
    dice = instant.dice()
    return "".join(dice.choices(alphabet, k=count))


def rand_alpha_num(budget: Budget, count: int) -> str:
    return _random(budget, count, string.ascii_letters + string.digits)


def rand_alpha(budget: Budget, count: int) -> str:
    return _random(budget, count, string.ascii_letters)


def rand_numeric(budget: Budget, count: int) -> str:
    return _random(budget, count, string.digits)


def rand_ascii(budget: Budget, count: int) -> str:
    return _random(budget, count, _ASCII)


def rand_int(low: int, high: int) -> int:
    if high <= low:
        raise Panic("invalid argument to Intn")
    return instant.dice().randrange(low, high)


def rand_bytes(budget: Budget, count: int) -> str:
    if count < 0:
        raise Panic("runtime error: makeslice: len out of range")
    check_length(count * 2)
    budget.step(count)
    return b64encode(instant.dice().randbytes(count)).decode()


def shuffle(budget: Budget, text: str) -> str:
    budget.step(len(text))
    chars = list(text)
    instant.dice().shuffle(chars)
    return "".join(chars)


def uuid4() -> str:
    from uuid import UUID

    return str(UUID(bytes=instant.dice().randbytes(16), version=4))


def bcrypt(text: str) -> str:
    from bcrypt import gensalt, hashpw

    raw = to_bytes(text)
    if len(raw) > 72:
        return "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes"
    return hashpw(raw, gensalt(10, b"2a")).decode()


def htpasswd(user: str, password: str) -> str:
    return f"invalid username: {user}" if ":" in user else f"{user}:{bcrypt(password)}"


def derive_password(counter: int, kind: str, password: str, user: str, site: str) -> str:
    """The Master Password algorithm."""
    templates = _TEMPLATES.get(kind)
    if templates is None:
        return f"cannot find password template {kind}"
    salt = _SEED + _sized(user)
    key = hashlib.scrypt(to_bytes(password), salt=salt, n=32768, r=8, p=2, dklen=64, maxmem=1 << 26)
    seed = hmac.digest(key, _SEED + _sized(site) + struct.pack(">I", counter), "sha256")
    template = templates[seed[0] % len(templates)]
    return "".join(_CHARACTERS[kind][seed[index + 1] % len(_CHARACTERS[kind])] for index, kind in enumerate(template))


def _sized(text: str) -> bytes:
    raw = to_bytes(text)
    return struct.pack(">I", len(raw)) + raw


def _aes_key(password: str) -> bytes:
    return to_bytes(password)[:32].ljust(32, b"\0")


def encrypt_aes(password: str, plain: str) -> str:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    check_length(2 * len(plain))
    raw = to_bytes(plain)
    padding = 16 - len(raw) % 16
    vector = instant.dice().randbytes(16)
    encryptor = Cipher(algorithms.AES(_aes_key(password)), modes.CBC(vector)).encryptor()
    sealed = encryptor.update(raw + bytes([padding]) * padding) + encryptor.finalize()
    return b64encode(vector + sealed).decode()


def decrypt_aes(password: str, sealed: str) -> str:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    if not sealed:
        return ""
    raw = read_base64(sealed)
    if len(raw) < 32 or len(raw) % 16:
        raise Panic("crypto/cipher: input not full blocks")
    decryptor = Cipher(algorithms.AES(_aes_key(password)), modes.CBC(raw[:16])).decryptor()
    plain = decryptor.update(raw[16:]) + decryptor.finalize()
    if plain[-1] > len(plain):
        raise Panic("runtime error: slice bounds out of range")
    return from_bytes(plain[: len(plain) - plain[-1]])


def private_key(kind: str) -> str:
    """A new key in PEM: rsa (4096 bits), dsa, ecdsa (P-256) or ed25519."""
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

    makers: dict[str, Any] = {
        "": lambda: rsa.generate_private_key(65537, 4096),
        "rsa": lambda: rsa.generate_private_key(65537, 4096),
        "dsa": lambda: dsa.generate_private_key(2048),
        "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
    }
    maker = makers.get(kind)
    return _key_pem(maker(), traditional=kind != "ed25519") if maker else f"Unknown type {kind}"


def _key_pem(key: Any, *, traditional: bool = True) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    form = PrivateFormat.TraditionalOpenSSL if traditional else PrivateFormat.PKCS8
    return bytes(key.private_bytes(Encoding.PEM, form, NoEncryption())).decode()


def _load_key(pem: str) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):
        raise Panic("parsing private key: no PEM data in input") from None


def custom_cert(cert: str, key: str) -> Certificate:
    """A certificate and its key, given in base64."""
    texts = []
    for name, text in (("certificate", cert), ("private key", key)):
        try:
            texts.append(b64decode(text, validate=True).decode())
        except ValueError:
            raise Panic(f"unable to decode base64 {name}") from None
    _load_cert(texts[0])
    _load_key(texts[1])
    return Certificate(texts[0], texts[1])


def _load_cert(pem: str) -> Any:
    from cryptography.x509 import load_pem_x509_certificate

    try:
        return load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise Panic("unable to decode certificate") from None


def _new_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(65537, 2048)


def gen_ca(name: str, days: int) -> Certificate:
    return _signed(name, [], days, _new_key(), authority=True)


def gen_ca_with_key(name: str, days: int, key: str) -> Certificate:
    return _signed(name, [], days, _load_key(key), authority=True)


def gen_self_signed(name: str, ips: Any, names: Any, days: int) -> Certificate:
    return _signed(name, _alternatives(ips, names), days, _new_key())


def gen_self_signed_with_key(name: str, ips: Any, names: Any, days: int, key: str) -> Certificate:
    return _signed(name, _alternatives(ips, names), days, _load_key(key))


def gen_signed(name: str, ips: Any, names: Any, days: int, authority: Certificate) -> Certificate:
    return _signed(name, _alternatives(ips, names), days, _new_key(), by=authority)


def gen_signed_with_key(name: str, ips: Any, names: Any, days: int, authority: Certificate, key: str) -> Certificate:
    return _signed(name, _alternatives(ips, names), days, _load_key(key), by=authority)


def _alternatives(ips: Any, names: Any) -> list[Any]:
    """The addresses and host names a certificate is also for."""
    from ipaddress import ip_address

    from cryptography.x509 import DNSName, IPAddress

    for value in (*(ips or ()), *(names or ())):
        if not isinstance(value, str):
            raise Panic(f"error parsing ip or name: {value} is not a string")
    if any(not re.fullmatch(r"[\x21-\x7e]+", name) for name in names or ()):
        raise Panic("x509: a host name can only have ASCII characters")
    try:
        return [*(IPAddress(ip_address(ip)) for ip in ips or ()), *(DNSName(name) for name in names or ())]
    except ValueError as error:
        raise Panic(f"error parsing ip: {error}") from None


def _signed(
    name: str, alternatives: list[Any], days: int, key: Any, *, authority: bool = False, by: Certificate | None = None
) -> Certificate:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    if not 0 < len(name) <= 64 or not -36_500 <= days <= 36_500:
        raise Panic("a certificate needs a name of 1 to 64 characters and less than 36500 days")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.fromtimestamp(instant.now() // 10**9, tz=UTC)
    issuer = _load_cert(by.cert).subject if by else subject
    usages = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(start, start + timedelta(days=days)))
        .not_valid_after(max(start, start + timedelta(days=days)))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(list(usages)), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, key_encipherment=True, key_cert_sign=authority, content_commitment=False,
                data_encipherment=False, key_agreement=False, crl_sign=False, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
    )  # fmt: skip
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    signer = _load_key(by.key) if by else key
    certificate = builder.sign(signer, _digest(signer, hashes))
    pem = _key_pem(key, traditional=_digest(key, hashes) is not None)
    return Certificate(certificate.public_bytes(Encoding.PEM).decode(), pem)


def _digest(key: Any, hashes: Any) -> Any:
    """Ed25519 has its own."""
    return None if type(key).__name__.startswith("Ed25519") else hashes.SHA256()
