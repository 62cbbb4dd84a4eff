"""Which files are taken for a picture of a document."""

import pytest

from services.auth.domain.documents import NotADocument, media_type_of
from tests.support.pictures import jpeg, pdf, png

ZIP = b"PK\x03\x04\x14\x00\x00\x00" + bytes(30) + b"PK\x05\x06" + bytes(18)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (png(b"a passport"), "image/png"),
        (jpeg(b"a passport"), "image/jpeg"),
        (jpeg(behind=jpeg(b"a preview, as cameras add one")), "image/jpeg"),
        (pdf(), "application/pdf"),
    ],
)
def test_what_is_accepted(content: bytes, kind: str) -> None:
    assert media_type_of(content) == kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\x00 program",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a",
        ZIP,
        b"\x89PNG\r\n\x1a\n" + b"a picture?",
        png()[:-4],
        png(behind=b"more"),
        png().replace(b"Comment", b"Comnent"),
        png(b"<script>alert(1)</script>"),
        png(b"%PDF-1.7"),
        jpeg()[:-2],
        b"\xff\xd8\xff",
        jpeg(behind=ZIP),
        jpeg(b"<?php system($_GET['c']) ?>"),
        jpeg(behind=b"<HTML><body onload=x>"),
        jpeg(behind=png()),
        b" " + pdf(),
        pdf()[:-8],
        pdf(b"/OpenAction << /S /JavaScript /JS (app.alert(1)) >>"),
        pdf(b"/OpenAction << /S /#4aava#53cript >>"),
        pdf(b"/Names << /EmbeddedFiles 2 0 R >>"),
        pdf(b"/AA << /S /Launch >>"),
        pdf(ZIP),
    ],
)
def test_what_is_refused(content: bytes) -> None:
    with pytest.raises(NotADocument):
        media_type_of(content)
