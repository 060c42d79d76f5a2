"""The folder that is copied onto a board: its program, its config.json, whom it trusts, who it is.

Certificates and key are DER, the form that MicroPython's TLS takes. The key is made here, and only
its owner may read it.
"""

import hashlib
import re
import ssl
from pathlib import Path

import botocore
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from . import stop

FILES = ("main.py", "config.json", "ca.der", "cert.der", "key.der")
SECRET = ("key.der", "config.json")  # the latter has the password of the Wi-Fi
# Amazon Root CA 1, which signs for the data endpoint of every region: SHA-256 of the certificate.
AMAZON_ROOT_CA_1 = "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e"


def ca_der(path: Path | None) -> bytes:
    """The certificate of the authority that vouches for the MQTT endpoint."""
    source = path or Path(botocore.__file__).with_name("cacert.pem")
    block = "-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----"
    try:
        found = [ssl.PEM_cert_to_DER_cert(pem) for pem in re.findall(block, read(source), re.S)]
    except ValueError as error:
        stop(f"{source}: damaged certificate ({error})")
    if path is None:
        found = [der for der in found if hashlib.sha256(der).hexdigest() == AMAZON_ROOT_CA_1]
        if not found:
            stop(f"Amazon Root CA 1 is not in {source}. Download it from Amazon, and use --ca FILE")
    if len(found) != 1:
        stop(f"{path}: expected one certificate in PEM, got {len(found)}: boards load only one")
    return found[0]


def read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        stop(f"{path}: {error}")


def new_key(thing: str) -> tuple[bytes, bytes]:
    """A private key (DER) and the request to certify it (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, thing)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return der, request.public_bytes(Encoding.PEM)


def write_folder(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    ignore = folder.parent / ".gitignore"
    if not ignore.exists():
        ignore.write_text("# keys and passwords\n*\n", "utf-8")
    for name, content in files.items():
        path = folder / name
        path.touch(0o600 if name in SECRET else 0o644)
        path.write_bytes(content)
