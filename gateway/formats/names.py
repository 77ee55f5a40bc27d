"""Namespaces, roots and versions of the formats."""

from __future__ import annotations

from typing import Literal

from gateway.contracts.messages import Format
from gateway.formats.summary_xml import NAMESPACE as SUMMARY

KITH = "http://www.kith.no/xmlstds"
MSGHEAD = KITH + "/msghead/2006-05-24"
COMPONENTS = KITH + "/felleskomponent1"
BASE64 = KITH + "/base64container"
DIALOG = {
    Format.DIALOGMELDING_1_0: KITH + "/dialog/2006-10-11",
    Format.DIALOGMELDING_1_1: KITH + "/dialog/2013-01-23",
}
EPIKRISE = {
    Format.EPIKRISE_1_1: KITH + "/epikrise/2006-09-23",
    Format.EPIKRISE_1_2: KITH + "/epikrise/2012-02-15",
}
APPREC = {
    Format.APPREC_1_0: KITH + "/apprec/2004-11-21",
    Format.APPREC_1_1: KITH + "/apprec/2012-02-15",
}
PLO_DATE = {Format.PLO_1_5: "2009-06-30", Format.PLO_1_6: "2012-04-01"}
MSGHEAD_VERSION = "v1.2 2006-05-24"
VERSIONS = {
    Format.EPIKRISE_1_1: "v1.1 2006-09-23",
    Format.EPIKRISE_1_2: "v1.2 2012-02-15",
    Format.APPREC_1_0: "1.0 2004-11-21",
    Format.APPREC_1_1: "v1.1 2012-02-15",
}
"""MIGversion; that of AppRec 1.0 has no `v`."""

_PLO_SAME = (
    "HelseopplysningerVedSoknad",
    "Innleggelsesrapport",
    "OrienteringOmTjenestetilbud",
    "Pasientlogistikk",
    "TverrfagligEpikrise",
)
_PLO_ROOTS = {
    Format.PLO_1_5: {
        **{name: name for name in _PLO_SAME},
        "Konsultasjon": "Konsultasjon",
        "OverforingMedisinskeOpplysninger": "OverforingMedisinskeOpplysninger",
        "MeldingFravar": "MeldingFravar",
    },
    Format.PLO_1_6: {
        **{name: name for name in _PLO_SAME},
        "HelseopplysningerTilLege": "Konsultasjon",
        "MedisinskeOpplysninger": "OverforingMedisinskeOpplysninger",
    },
}
"""By version: the name in the namespace, and the root."""


def plo_namespace(version: Format, name: str) -> str:
    """The namespace of a PLO message or component."""
    return f"{KITH}/po/{name}/{PLO_DATE[version]}"


EPIKRISE_ROOTS: dict[tuple[str | None, str | None], Format] = {
    (namespace, "Message"): version for version, namespace in EPIKRISE.items()
}

FORMATS: dict[tuple[str | None, str | None], Format] = {
    **EPIKRISE_ROOTS,
    **{(namespace, "Dialogmelding"): version for version, namespace in DIALOG.items()},
    **{(namespace, "AppRec"): version for version, namespace in APPREC.items()},
    **{
        (plo_namespace(version, name), root): version
        for version, roots in _PLO_ROOTS.items()
        for name, root in roots.items()
    },
    (SUMMARY, "Summary"): Format.SUMMARY_1,
}
"""Namespace and root of the business message: its format."""

ENVELOPES: dict[tuple[str | None, str | None], Literal["msghead", "epikrise", "apprec"]] = {
    (MSGHEAD, "MsgHead"): "msghead",
    **dict.fromkeys(EPIKRISE_ROOTS, "epikrise"),
    **{(namespace, "AppRec"): "apprec" for namespace in APPREC.values()},
}
