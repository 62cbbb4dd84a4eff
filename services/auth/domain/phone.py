"""Telephone numbers, by the numbering plans of the world (libphonenumber)."""


def e164(text: str) -> str | None:
    """`text` as `+254712345678`, or None when no number can look like that in its country."""
    import phonenumbers  # numbering plans are loaded when somebody gives a number

    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number) or number.extension:
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def takes_messages(number: str) -> bool:
    """Whether a message may go to this number (E.164): it exists, can be a mobile phone, and costs nobody extra."""
    import phonenumbers

    parsed = phonenumbers.parse(number, None)
    kinds = phonenumbers.PhoneNumberType
    if not phonenumbers.is_valid_number(parsed):
        return False
    return phonenumbers.number_type(parsed) in (kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE)
