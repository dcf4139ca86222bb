"""Countries by ISO 3166-1 alpha-2 code, as packs and recipients name them."""

from __future__ import annotations

import re

from consentledger.kernel.errors import InputError

# ISO 3166-1, the 249 officially assigned codes; user-assigned ones such as XX name no country.
_ASSIGNED = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
CODES = frozenset(_ASSIGNED.split())
# Reserved for, and often written instead of, an assigned code.
_ALSO = {"UK": "GB", "EL": "GR"}
_FORM = re.compile(r"([A-Z]{2})(-[A-Z0-9]{1,3})?\Z", re.ASCII)


def normalise(text: str | None, *, field: str = "country") -> str | None:
    """Returns the upper-case ISO 3166-1 alpha-2 code that `text` means, None for None and the empty string.

    Takes lower case, and ISO 3166-2 codes by their country (`ca-qc` is CA); UK and EL as GB and GR. InputError for
    what is no country's code: a slip must not silently become another country's law.
    """
    asked = (text or "").strip().upper()
    if not asked:
        return None
    form = _FORM.match(asked)
    country = "" if form is None else _ALSO.get(form[1], form[1])
    if country not in CODES:
        why = f"{asked[:16]!r} is no ISO 3166 country code"
        raise InputError(f"{field}: {why}", field=field, reason="unknown")
    return country
