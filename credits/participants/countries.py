"""Countries by their ISO 3166-1 alpha-3 code, and what each is called in a language.

The names come from the Unicode CLDR tables that Babel carries; the list of codes is ISO's own 249.
"""

from functools import cache

from babel import Locale

from credits.errors import Invalid

# alpha-3 : alpha-2, which is what CLDR names are kept under.
_CODES = """
    ABW:AW AFG:AF AGO:AO AIA:AI ALA:AX ALB:AL AND:AD ARE:AE ARG:AR ARM:AM ASM:AS ATA:AQ ATF:TF ATG:AG AUS:AU AUT:AT
    AZE:AZ BDI:BI BEL:BE BEN:BJ BES:BQ BFA:BF BGD:BD BGR:BG BHR:BH BHS:BS BIH:BA BLM:BL BLR:BY BLZ:BZ BMU:BM BOL:BO
    BRA:BR BRB:BB BRN:BN BTN:BT BVT:BV BWA:BW CAF:CF CAN:CA CCK:CC CHE:CH CHL:CL CHN:CN CIV:CI CMR:CM COD:CD COG:CG
    COK:CK COL:CO COM:KM CPV:CV CRI:CR CUB:CU CUW:CW CXR:CX CYM:KY CYP:CY CZE:CZ DEU:DE DJI:DJ DMA:DM DNK:DK DOM:DO
    DZA:DZ ECU:EC EGY:EG ERI:ER ESH:EH ESP:ES EST:EE ETH:ET FIN:FI FJI:FJ FLK:FK FRA:FR FRO:FO FSM:FM GAB:GA GBR:GB
    GEO:GE GGY:GG GHA:GH GIB:GI GIN:GN GLP:GP GMB:GM GNB:GW GNQ:GQ GRC:GR GRD:GD GRL:GL GTM:GT GUF:GF GUM:GU GUY:GY
    HKG:HK HMD:HM HND:HN HRV:HR HTI:HT HUN:HU IDN:ID IMN:IM IND:IN IOT:IO IRL:IE IRN:IR IRQ:IQ ISL:IS ISR:IL ITA:IT
    JAM:JM JEY:JE JOR:JO JPN:JP KAZ:KZ KEN:KE KGZ:KG KHM:KH KIR:KI KNA:KN KOR:KR KWT:KW LAO:LA LBN:LB LBR:LR LBY:LY
    LCA:LC LIE:LI LKA:LK LSO:LS LTU:LT LUX:LU LVA:LV MAC:MO MAF:MF MAR:MA MCO:MC MDA:MD MDG:MG MDV:MV MEX:MX MHL:MH
    MKD:MK MLI:ML MLT:MT MMR:MM MNE:ME MNG:MN MNP:MP MOZ:MZ MRT:MR MSR:MS MTQ:MQ MUS:MU MWI:MW MYS:MY MYT:YT NAM:NA
    NCL:NC NER:NE NFK:NF NGA:NG NIC:NI NIU:NU NLD:NL NOR:NO NPL:NP NRU:NR NZL:NZ OMN:OM PAK:PK PAN:PA PCN:PN PER:PE
    PHL:PH PLW:PW PNG:PG POL:PL PRI:PR PRK:KP PRT:PT PRY:PY PSE:PS PYF:PF QAT:QA REU:RE ROU:RO RUS:RU RWA:RW SAU:SA
    SDN:SD SEN:SN SGP:SG SGS:GS SHN:SH SJM:SJ SLB:SB SLE:SL SLV:SV SMR:SM SOM:SO SPM:PM SRB:RS SSD:SS STP:ST SUR:SR
    SVK:SK SVN:SI SWE:SE SWZ:SZ SXM:SX SYC:SC SYR:SY TCA:TC TCD:TD TGO:TG THA:TH TJK:TJ TKL:TK TKM:TM TLS:TL TON:TO
    TTO:TT TUN:TN TUR:TR TUV:TV TWN:TW TZA:TZ UGA:UG UKR:UA UMI:UM URY:UY USA:US UZB:UZ VAT:VA VCT:VC VEN:VE VGB:VG
    VIR:VI VNM:VN VUT:VU WLF:WF WSM:WS YEM:YE ZAF:ZA ZMB:ZM ZWE:ZW
"""
TWO_LETTERS: dict[str, str] = dict(pair.split(":", 1) for pair in _CODES.split())


# The short names leave open which of the two Congos is meant; these are the United Nations' names.
CONGOS = {
    "en": {"COD": "Democratic Republic of the Congo", "COG": "Republic of the Congo"},
    "fr": {"COD": "République démocratique du Congo", "COG": "République du Congo"},
    "es": {"COD": "República Democrática del Congo", "COG": "República del Congo"},
    "pt": {"COD": "República Democrática do Congo", "COG": "República do Congo"},
    "sw": {"COD": "Jamhuri ya Kidemokrasia ya Kongo", "COG": "Jamhuri ya Kongo"},
}


class UnknownCountry(Invalid):
    code = "unknown_country"


def country(code: str) -> str:
    """`code` itself if ISO 3166-1 has it as an alpha-3 code. Raises UnknownCountry."""
    if code not in TWO_LETTERS:
        raise UnknownCountry("Choose a country from the list (three letters, such as COD).", country=code[:3])
    return code


def name_of(code: str, language: str = "en") -> str:
    """What `code` is called in `language`; the code itself where the language has no name for it."""
    return _names(language).get(code, code)


def listed(language: str = "en") -> list[tuple[str, str]]:
    """(code, name) of every country, in the order of the names."""
    return sorted(_names(language).items(), key=lambda pair: pair[1])


@cache
def _names(language: str) -> dict[str, str]:
    territories = Locale.parse(language).territories
    return {code: territories.get(short, code) for code, short in TWO_LETTERS.items()} | CONGOS.get(language, {})
