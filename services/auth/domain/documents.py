"""What is accepted as a picture of a document, judged by its content from the first byte to the last.

A file is a JPEG, a PNG or a PDF and nothing else: one that is two things at once (a polyglot: a picture that is also a web
page, a program or an archive) is refused, and so is a PDF that does something when it is opened. Nothing is rendered,
unpacked or run here; what can hide from that hides from nobody's browser either, because reviewers get files as downloads.
"""

import re
import zlib

MAX_DOCUMENT_BYTES = 5 * 1024 * 1024
MAX_DOCUMENTS_BYTES = 12 * 1024 * 1024

_PNG = b"\x89PNG\r\n\x1a\n"
_SCREENED_PARTS = re.compile(
    rb"<!doctype|<html|<script|<\?php|<iframe|PK\x03\x04[\x0a\x14\x2d]\x00|PK\x05\x06\x00\x00\x00\x00|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|"
    rb"#!/(?:usr/)?bin/|This program cannot be run in DOS mode",
    re.IGNORECASE | re.DOTALL,
)
_OTHER_KINDS = re.compile(rb"%PDF-1\.|\x89PNG\r\n\x1a\n")
_PDF_START = re.compile(rb"%PDF-[12]\.[0-9]")
_PDF_ACTION = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm|ImportData)\b")


class NotADocument(Exception):
    """What is wrong with the file, as the end of a sentence."""


def media_type_of(content: bytes) -> str:
    """The kind of document that `content` is. Raises `NotADocument`."""
    if content.startswith(_PNG):
        _check_png(content)
        found = "image/png"
    elif content.startswith(b"\xff\xd8\xff"):
        _check_jpeg(content)
        found = "image/jpeg"
    elif _PDF_START.match(content):
        _check_pdf(content)
        found = "application/pdf"
    else:
        raise NotADocument("must be a JPEG or PNG picture, or a PDF")
    if _SCREENED_PARTS.search(content) or _OTHER_KINDS.search(content, 8):
        raise NotADocument("is something else as well: take the picture again, or scan the page anew")
    return found


def _check_png(content: bytes) -> None:
    """Chunks from IHDR to IEND, each with its checksum, and nothing behind them."""
    at, kinds = len(_PNG), []
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4])
        kind, end = content[at + 4 : at + 8], at + 12 + length
        if end > len(content) or zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end]):
            raise NotADocument("is a damaged PNG picture")
        kinds.append(kind)
        at = end
        if kind == b"IEND":
            break
    if not kinds or kinds[0] != b"IHDR" or kinds[-1] != b"IEND" or b"IDAT" not in kinds or at != len(content):
        raise NotADocument("is not a whole PNG picture, or something follows it")


def _check_jpeg(content: bytes) -> None:
    """Segments up to a scan, and an end of image. Cameras put previews behind the end, so that is not held against it."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xDA:
            if content.find(b"\xff\xd9", at) < 0:
                break
            return
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
    raise NotADocument("is a damaged JPEG picture")


def _check_pdf(content: bytes) -> None:
    """An end where it belongs, and no word for an action. Names may be written with #xx: those are opened first."""
    if b"%%EOF" not in content[-1024:]:
        raise NotADocument("is a damaged PDF")
    plain = re.sub(rb"#([0-9A-Fa-f]{2})", lambda match: bytes.fromhex(match[1].decode()), content)
    if _PDF_ACTION.search(plain):
        raise NotADocument("is a PDF with scripts, forms or files in it; print it to a plain PDF first")
