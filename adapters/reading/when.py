"""When somebody is to call: the words of a time to come, as authors write them (`contact.when`)."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundWhen:
    """Words that say when."""

    span: tuple[int, int]
    words: str
    condition: bool = False
    """The words make a condition (`ved behov`, `når de er hjemme igjen`), not a time"""


_NUMBER = (
    r"(?:[0-9]+(?:\s?(?:[-–]|til|eller)\s?[0-9]+)?|en|ei|ein|ett?|eit|to|tre|fire|fem|seks|sju|syv|åtte|ni|ti|"
    r"tolv|fjorten|halv(?:t|annan|annen)?|noen(?: få)?|nokre(?: få)?|(?:et|eit)? ?par|få)"
)
_UNIT = (
    r"(?:dag(?:er|ar|e|s)?|virkedag\w*|arbeidsdag\w*|døgn|uke[rn]?|veke[rn]?|veker|uge[rn]?|vecko\w*|mnd|md|"
    r"måned(?:er|s)?|månad(?:er|ar|s)?|månader|år|halvår|timer|timar)\b\.?"
)
_ABOUT = r"(?:(?:ca\.?|cirka|omtrent|rundt|omkring|omlag|maks\.?|minst|de neste|dei neste|de første|dei første)\s*)?"
_MONTH = (
    r"(?:januar|februar|mars|april|mai|maj|juni|juli|august|september|oktober|november|desember|december)"
)
_DATE = rf"(?:[0-9]{{1,2}}\.?\s?{_MONTH}|[0-9]{{1,2}}[./][0-9]{{1,2}}\b\.?)"
_DAY = r"(?:mandag|måndag|tirsdag|tysdag|onsdag|torsdag|fredag|lørdag|laurdag|søndag|sundag)(?:en)?"
_WEEK = r"(?:uke|veke|uge)\s?[0-9]{1,2}(?:\s?(?:[-–/]|til|eller)\s?(?:uke\s?)?[0-9]{1,2})?"
_SEASON = r"(?:vår(?:en)?|våren|sommer(?:en)?|sommar(?:en)?|høst(?:en)?|haust(?:en)?|vinter(?:en)?)"
_EVENT = (
    rf"(?:neste |komande |kommende |avslutta |avsluttet |siste |første |fyrste )?(?:{_DATE}|{_DAY}|{_MONTH}|{_WEEK}|"
    r"helg(?:a|en|i)?|weekenden|påske(?:n|a)?|pinse(?:n|a)?|jul(?:a|en)?|romjul(?:a|en)?|nyttår|nyåret|årsskiftet|"
    rf"{_SEASON}|(?:sommer|sommar|jule|påske|vinter|høst|haust|felles)?ferie(?:n|tida|tiden)?|"
    r"måne?de?a?dsskiftet|månadsskiftet|uka|uken|veka|måneden|månaden|kur(?:en)?\s?(?:nr\.?\s?)?[0-9]*|"
    r"kurene|kurane|operasjon(?:en|a)?|inngrepet|utskriving(?:a)?|utskrivning(?:en)?|utskrivelse(?:n)?|utreise(?:n)?|"
    r"utreise|innleggelse[n]?|hjemkomst(?:en)?|heimkomst(?:en)?|hjemreise|heimreise|(?:stråle)?behandling(?:en|a)?|"
    r"strål(?:ing|inga|ingen|ene|ebehandling)\w*|cellegift\w*|cellegiftkur\w*|kontroll(?:en|time)?\w*|"
    r"(?:biopsi|prøve|patologi|ct|mr)?-?svar(?:et|a)?|mdt\w*|første samtale|samtalen)"
)
_WORDS_OF_A_CLAUSE = r"(?:\s+(?!\b(?:og|men|mob|tlf|telefon)\b)[^\s.,;:()\n/]+){1,9}"
_WHO = r"(?:han|hun|ho|hen|de|dei|det|pas\.?|pasienten|patienten|familien|mor|far|foreldrene|foreldra|behandlingen|behandlinga|kuren|svaret|alt)"

_TIMES = (
    rf"(?:seinast |senest |helst |helst )?(?:i løpet av|løpet av|innen|innan|inden|inom|om|etter|efter)\s+{_ABOUT}{_NUMBER}\s+"
    rf"(?:til |neste )?{_UNIT}",
    rf"{_ABOUT}{_NUMBER}\s+{_UNIT}\s+(?:etter|efter|før)\s+{_EVENT}",
    rf"(?:ikke|ikkje|først|fyrst|tidligst|tidlegast)\s+(?:før|etter|i|om)\s+{_EVENT}",
    rf"(?:i løpet av|løpet av|utpå|ut på|i slutten av|slutten av|i begynnelsen av|i starten av|midten av|i midten av|"
    rf"primo|medio|ultimo)\s+(?:de nærmeste dagene|dei nærmaste dagane|dagen|neste uke|neste veke|{_EVENT})",
    rf"(?:før|etter|efter|innen|innan|inden|over|rundt|omkring|fra|frå|til|mot)\s+{_EVENT}",
    rf"(?:ca\.?\s*|i\s+|innen\s+|helst i\s+|altså\s+)?{_WEEK}",
    r"(?:om|kvar|hver)\s+(?:en|ei|ein)?\s?(?:uke|veke|måned|månad)s tid",
    r"(?:så (?:snart|fort|raskt|tidlig|tidleg) som (?:mulig|mogleg|råd|råd er)|snarest(?: mulig| råd)?|snarast(?: mogleg| råd)?|"
    r"omgående|straks|med (?:en|ein) gang|fortløpende|fortløpande|rett over|asap)",
    rf"i\s+(?:neste (?:uke|veke|måned|månad)|{_SEASON}|romjul\w*|kurfri uke|{_MONTH}|morgen|morgon|overmorgen|dag|"
    r"ettermiddag|kveld)",
    rf"(?:neste|førstkommende|førstkomande|kommende|komande|førstk\.?)\s+(?:uke|veke|måned|månad|vår|sommer|høst|haust|{_DAY})",
    rf"(?:på|til)\s+{_DAY}",
    rf"\b{_MONTH}\b",
)
_CONDITIONS = (
    r"ved (?:eventuelt |evt\.? |nytt |nye )?behov(?: for det)?",
    rf"(?:dersom|hvis|viss|om)\s+(?:det|hun|han|ho|pas\.?|pasienten|ting|situasjonen|noe|noko){_WORDS_OF_A_CLAUSE}",
    rf"(?:når|så snart|straks|etter at)\s+{_WHO}{_WORDS_OF_A_CLAUSE}",
    r"ved (?:endring\w*|forverring\w*|utskriving\w*|utskrivning\w*|hjemkomst|heimkomst)",
)

_TIME = re.compile(rf"(?<!\w)(?:{'|'.join(_TIMES)})(?!\w)", re.IGNORECASE)
_CONDITION = re.compile(rf"(?<!\w)(?:{'|'.join(_CONDITIONS)})", re.IGNORECASE)


def find_when(text: str) -> list[FoundWhen]:
    """Find the words of times to come and of conditions, in order of place.

    Dates that are over look the same (`i juni`, `uke 12`): it is for the reader to ask only where somebody
    is to call.
    """
    found = [
        FoundWhen(span=match.span(), words=match[0].strip(), condition=True)
        for match in _CONDITION.finditer(text)
    ]
    for match in _TIME.finditer(text):
        if all(match.end() <= other.span[0] or other.span[1] <= match.start() for other in found):
            found.append(FoundWhen(span=match.span(), words=match[0].strip()))
    return sorted(found, key=lambda when: when.span)
