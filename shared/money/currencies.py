"""The currencies of ISO 4217 and how many decimals each one has."""

from dataclasses import dataclass
from typing import Final

from shared.problems import Problem


class UnknownCurrency(Problem):
    """The code is not one of ISO 4217."""

    status = 422
    code = "unknown_currency"
    title = "That currency is not known here"


@dataclass(frozen=True, slots=True)
class Currency:
    """`exponent` is the number of decimals: 100 KES cents are one shilling (2), a yen has no cents (0)."""

    code: str
    exponent: int

    @property
    def minor_per_major(self) -> int:
        return int(10**self.exponent)


_CODES_BY_EXPONENT: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
        "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG "
        "HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR "
        "MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD "
        "SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD YER "
        "ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

_CURRENCIES: Final = {code: Currency(code, exponent) for exponent, codes in _CODES_BY_EXPONENT.items() for code in codes.split()}


def currency(code: str) -> Currency:
    """The currency of an ISO 4217 code in capitals; raises `UnknownCurrency`."""
    known = _CURRENCIES.get(code)
    if known is None:
        raise UnknownCurrency(f"{code!r} is not an ISO 4217 currency code")
    return known


def currency_codes() -> frozenset[str]:
    """Every code that `currency` knows."""
    return frozenset(_CURRENCIES)
