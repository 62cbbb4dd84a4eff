"""What a client's software is, for people: `Firefox on Linux` instead of a whole User-Agent. A guess, and never more."""

import re

# The first that fits: almost every browser also claims to be Safari, and most claim to be Chrome.
_PROGRAMS = (
    (r"Edg(?:e|A|iOS)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chrome/|CriOS/|Chromium/", "Chrome"),
    (r"Safari/", "Safari"),
)
_SYSTEMS = (
    (r"iPhone", "iPhone"),
    (r"iPad", "iPad"),
    (r"Android", "Android"),
    (r"Windows", "Windows"),
    (r"CrOS", "ChromeOS"),
    (r"Macintosh|Mac OS X", "macOS"),
    (r"Linux|X11", "Linux"),
)
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,39}")


def device_name(user_agent: str) -> str:
    """A name for the device; `Unknown` when nothing is known about it."""
    program = next((name for pattern, name in _PROGRAMS if re.search(pattern, user_agent)), None)
    if program is None and not user_agent.startswith("Mozilla/"):
        product = _PRODUCT.match(user_agent)  # an app, or a program such as curl/8.5
        program = product.group() if product else None
    system = next((name for pattern, name in _SYSTEMS if re.search(pattern, user_agent)), None)
    if program and system:
        return f"{program} on {system}"
    return program or system or "Unknown"
