"""The mathematics and the rules of lending money: pure functions and frozen data, no I/O, no clock, no framework.

Amounts are integers of minor units (`…_minor`), rates are `Decimal` fractions a year (0.1850), days are dates.
"""
