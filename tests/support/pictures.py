"""Small files that are what they say they are."""

import zlib


def png(words: bytes = b"", *, behind: bytes = b"") -> bytes:
    """A PNG picture of one pixel with `words` in a comment, and something behind its end."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    header = chunk(b"IHDR", b"\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00")
    comment = chunk(b"tEXt", b"Comment\x00" + words)
    return b"\x89PNG\r\n\x1a\n" + header + comment + chunk(b"IDAT", zlib.compress(b"\x00\x00")) + chunk(b"IEND", b"") + behind


def jpeg(words: bytes = b"", *, behind: bytes = b"") -> bytes:
    """The segments of a JPEG picture, with `words` in a comment, and something behind its end."""
    comment = b"\xff\xfe" + (len(words) + 2).to_bytes(2) + words
    return (
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
        + comment
        + b"\xff\xda\x00\x02\x00\xff\xd9"
        + behind
    )


def pdf(words: bytes = b"") -> bytes:
    """What a PDF begins and ends with."""
    return b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog " + words + b" >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
