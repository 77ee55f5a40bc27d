"""CMS encryption: EnvelopedData (AES-CBC) and AuthEnvelopedData (AES-GCM), with keys carried by RSA.

Source: RFC 5652, section 6; RFC 5083 and RFC 5084 for AES-GCM; RFC 3560 for RSAES-OAEP. All structures are
asn1crypto's, all arithmetic is cryptography's.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from asn1crypto import algos, cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES, AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC, GCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7EnvelopeBuilder, PKCS7Options

from gateway.contracts.registry import ContentCipher
from gateway.security.errors import CmsRefusedError
from gateway.security.keys import DecryptionKey

_MAX_RECIPIENTS: Final = 64
_TAG_BYTES: Final = 16
_SHORTEST_TAG: Final = 12
_CBC_KEY_BYTES: Final = {"aes128_cbc": 16, "aes192_cbc": 24, "aes256_cbc": 32}
_GCM_KEY_BYTES: Final = {"aes128_gcm": 16, "aes192_gcm": 24, "aes256_gcm": 32}
_OAEP_HASHES: Final[dict[str, type[HashAlgorithm]]] = {
    # No one needs a collision here: in OAEP SHA-1 is as good as any, and the default of the standard.
    "sha1": SHA1,
    "sha256": SHA256,
    "sha384": SHA384,
    "sha512": SHA512,
}


class GcmParameters(core.Sequence):  # type: ignore[misc] # asn1crypto ships no type information
    """GCMParameters (RFC 5084, section 3.2)."""

    _fields: ClassVar[list[Any]] = [
        ("nonce", core.OctetString),
        ("icv_length", core.Integer, {"default": 12}),
    ]


def envelop(data: bytes, recipient: x509.Certificate, cipher: ContentCipher) -> bytes:
    """Encrypt for one receiver.

    Args:
        data: what to encrypt, carried as id-data.
        recipient: with an RSA key.
        cipher: CBC or GCM.

    Returns:
        ContentInfo in DER.
    """
    if cipher is ContentCipher.AES_256_CBC:
        builder = PKCS7EnvelopeBuilder().set_data(data).add_recipient(recipient)
        return builder.set_content_encryption_algorithm(AES256).encrypt(Encoding.DER, [PKCS7Options.Binary])
    return _auth_enveloped(data, recipient)


def _auth_enveloped(data: bytes, recipient: x509.Certificate) -> bytes:
    public = recipient.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise TypeError("The key of a receiver is RSA.")
    key, nonce = AESGCM.generate_key(256), secrets.token_bytes(12)
    sealed = AESGCM(key).encrypt(nonce, data, None)
    certificate = asn1_x509.Certificate.load(recipient.public_bytes(Encoding.DER))
    sha256 = {"algorithm": "sha256"}
    carried = cms.KeyTransRecipientInfo(
        {
            "version": "v0",
            "rid": cms.RecipientIdentifier(
                "issuer_and_serial_number",
                {"issuer": certificate.issuer, "serial_number": certificate.serial_number},
            ),
            "key_encryption_algorithm": {
                "algorithm": "rsaes_oaep",
                "parameters": algos.RSAESOAEPParams(
                    {
                        "hash_algorithm": sha256,
                        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": sha256},
                    }
                ),
            },
            "encrypted_key": public.encrypt(key, OAEP(MGF1(SHA256()), SHA256(), None)),
        }
    )
    enveloped = cms.AuthEnvelopedData(
        {
            "version": "v0",
            "recipient_infos": [cms.RecipientInfo("ktri", carried)],
            "auth_encrypted_content_info": {
                "content_type": "data",
                "content_encryption_algorithm": {
                    "algorithm": "aes256_gcm",
                    "parameters": GcmParameters({"nonce": nonce, "icv_length": _TAG_BYTES}),
                },
                "encrypted_content": sealed[:-_TAG_BYTES],
            },
            "mac": sealed[-_TAG_BYTES:],
        }
    )
    info = cms.ContentInfo({"content_type": "authenticated_enveloped_data", "content": enveloped})
    return bytes(info.dump())


def open_envelope(data: bytes, keys: Sequence[DecryptionKey], *, allow_pkcs1: bool) -> bytes:
    """Decrypt what was encrypted for one of our keys.

    Args:
        data: ContentInfo in DER or BER.
        keys: the current ones and the older ones that still read.
        allow_pkcs1: take keys carried with RSAES-PKCS1-v1_5.

    Raises:
        CmsRefusedError: cms-not-encrypted, cms-not-for-us, cms-algorithm-not-allowed, cms-decryption-failed.
        Exception: the structure can not be read (the caller turns that into a refusal).
    """
    info = cms.ContentInfo.load(data, strict=True)
    kind = info["content_type"].native
    if kind not in ("enveloped_data", "authenticated_enveloped_data"):
        raise CmsRefusedError("cms-not-encrypted")
    enveloped = info["content"]
    authenticated = kind == "authenticated_enveloped_data"
    content = enveloped["auth_encrypted_content_info" if authenticated else "encrypted_content_info"]
    algorithm = content["content_encryption_algorithm"]
    sizes = _GCM_KEY_BYTES if authenticated else _CBC_KEY_BYTES
    size = sizes.get(algorithm["algorithm"].native)
    if size is None or content["content_type"].native != "data":
        raise CmsRefusedError("cms-algorithm-not-allowed")
    key = _content_key(enveloped["recipient_infos"], keys, size, allow_pkcs1=allow_pkcs1)
    encrypted = bytes(content["encrypted_content"])
    try:
        if authenticated:
            return _open_gcm(key, algorithm, encrypted, enveloped)
        return _open_cbc(key, bytes(algorithm["parameters"].native), encrypted)
    except CmsRefusedError:
        raise
    except Exception:  # noqa: BLE001 - whatever goes wrong here looks the same from outside
        raise CmsRefusedError("cms-decryption-failed") from None


def _content_key(infos: Any, keys: Sequence[DecryptionKey], size: int, *, allow_pkcs1: bool) -> bytes:  # noqa: ANN401 - asn1crypto ships no type information
    if len(infos) > _MAX_RECIPIENTS:
        raise CmsRefusedError("cms-structure")
    for info in infos:
        if info.name != "ktri":
            continue
        for key in keys:
            if _is_for(info.chosen["rid"], key.certificate):
                return _carried_key(info.chosen, key, size, allow_pkcs1=allow_pkcs1)
    raise CmsRefusedError("cms-not-for-us")


def _is_for(rid: Any, certificate: x509.Certificate) -> bool:  # noqa: ANN401 - asn1crypto ships no type information
    if rid.name == "issuer_and_serial_number":
        if rid.chosen["serial_number"].native != certificate.serial_number:
            return False
        issuer = certificate.issuer.public_bytes()
        return bool(rid.chosen["issuer"] == asn1_x509.Name.load(issuer))
    try:
        own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        own = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
    return bytes(rid.chosen.native) == own


def _carried_key(info: Any, key: DecryptionKey, size: int, *, allow_pkcs1: bool) -> bytes:  # noqa: ANN401 - asn1crypto ships no type information
    algorithm = info["key_encryption_algorithm"]
    name = algorithm["algorithm"].native
    padding: PKCS1v15 | OAEP
    if name == "rsaes_pkcs1v15" and allow_pkcs1:
        padding = PKCS1v15()
    elif name == "rsaes_oaep":
        padding = _oaep(algorithm["parameters"])
    else:
        raise CmsRefusedError("cms-algorithm-not-allowed")
    try:
        found = key.private.decrypt(bytes(info["encrypted_key"]), padding)
    except ValueError:
        found = b""
    # RFC 3218, section 2.3.2: a bad key gives the same answer, and takes the same way, as bad content.
    return found if len(found) == size else secrets.token_bytes(size)


def _oaep(parameters: Any) -> OAEP:  # noqa: ANN401 - asn1crypto ships no type information
    if not isinstance(parameters, algos.RSAESOAEPParams):
        parameters = algos.RSAESOAEPParams({})
    mask = parameters["mask_gen_algorithm"]
    algorithm = _OAEP_HASHES.get(parameters["hash_algorithm"]["algorithm"].native)
    mask_algorithm = _OAEP_HASHES.get(mask["parameters"]["algorithm"].native)
    label = parameters["p_source_algorithm"]["parameters"].native
    if algorithm is None or mask_algorithm is None or mask["algorithm"].native != "mgf1" or label:
        raise CmsRefusedError("cms-algorithm-not-allowed")
    return OAEP(MGF1(mask_algorithm()), algorithm(), None)


def _open_cbc(key: bytes, vector: bytes, encrypted: bytes) -> bytes:
    decryptor = Cipher(AES(key), CBC(vector)).decryptor()
    unpadder = PKCS7(AES.block_size).unpadder()
    padded = decryptor.update(encrypted) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def _open_gcm(key: bytes, algorithm: Any, encrypted: bytes, enveloped: Any) -> bytes:  # noqa: ANN401 - asn1crypto ships no type information
    parameters = algorithm["parameters"].parse(GcmParameters)
    tag = bytes(enveloped["mac"])
    if len(tag) != parameters["icv_length"].native:
        raise CmsRefusedError("cms-decryption-failed")
    mode = GCM(bytes(parameters["nonce"]), tag, min_tag_length=_SHORTEST_TAG)
    decryptor = Cipher(AES(key), mode).decryptor()
    if enveloped["auth_attrs"]:
        decryptor.authenticate_additional_data(enveloped["auth_attrs"].untag().dump())
    return decryptor.update(encrypted) + decryptor.finalize()
