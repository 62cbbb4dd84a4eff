"""QR codes as SVG documents, for authenticator apps."""

import io


def qr_svg(text: str) -> str:
    """`text` as a picture that stands alone: no script, no style, nothing loaded."""
    import segno  # used once in an account's life

    picture = io.BytesIO()
    segno.make(text, error="m").save(picture, kind="svg", scale=4, border=4, xmldecl=False, svgclass=None, lineclass=None)
    return picture.getvalue().decode().strip()
