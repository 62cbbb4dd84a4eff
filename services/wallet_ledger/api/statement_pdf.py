"""A statement on paper: A4 pages with the opening and closing balance in front and the balance after each entry."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from services.wallet_ledger.domain.journal import Entry
from services.wallet_ledger.queries.statements import Statement
from shared.money import format_minor

_INK, _GREY, _LINE, _TINT = (33, 37, 41), (108, 117, 125), (206, 212, 218), (241, 244, 246)
_ACCENT = (15, 92, 77)
_MARGIN_MM, _ROW_MM = 16.0, 6.2
_COLUMNS_MM = (22.0, 78.0, 26.0, 26.0, 26.0)
_HEADINGS = ("Date", "What", "In", "Out", "Balance")
_ENCODING = "windows-1252"


def statement_pdf(statement: Statement, entries: Sequence[Entry], made_at: datetime) -> bytes:
    """The statement as a PDF. Letters that the typeface lacks are shown as question marks; JSON and CSV have them all."""
    paper = _Paper(statement, made_at)
    paper.add_page()
    paper.summary(entries)
    paper.headings()
    for entry in entries:
        paper.entry(entry)
    if not entries:
        paper.remark("Nothing came in or went out on these days.")
    return bytes(paper.output())


class _Paper(FPDF):
    """The pages. `header` and `footer` are called by the library on each of them."""

    def __init__(self, statement: Statement, made_at: datetime) -> None:
        super().__init__(orientation="P", unit="mm", format="A4")
        self.core_fonts_encoding = _ENCODING
        self._statement = statement
        self._currency = statement.wallet.currency
        self._made_at = made_at
        self.set_margins(_MARGIN_MM, 14, _MARGIN_MM)
        self.set_auto_page_break(auto=False)
        self.set_title(f"Statement {_days(statement)}")
        self.set_author("Lendery")
        self.set_creator("Lendery")
        self.set_creation_date(made_at)

    def header(self) -> None:
        """The name, whose wallet it is, and the days."""
        self._write(12, "B", _ACCENT)
        self.cell(60, 7, "Lendery")
        self._write(12, "B", _INK)
        self.cell(0, 7, "Wallet statement", align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._write(9, "", _GREY)
        self.cell(100, 5, _printable(f"{self._statement.wallet.name}, {self._currency}"))
        self.cell(0, 5, _days(self._statement), align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._rule(_ACCENT)
        self.ln(5)
        if self.page_no() > 1:
            self.headings()

    def footer(self) -> None:
        """Which wallet, when it was made, and the page."""
        self.set_y(-14)
        self._write(7.5, "", _GREY)
        self.cell(130, 5, f"Wallet {self._statement.wallet.id}   Made {self._made_at:%Y-%m-%d %H:%M} UTC")
        self.cell(0, 5, f"Page {self.page_no()} of {{nb}}", align="R")

    def summary(self, entries: Sequence[Entry]) -> None:
        """What there was, what came and went, what there is."""
        figures = (
            ("Opening balance", self._statement.opening_minor),
            ("Came in", sum(entry.amount_minor for entry in entries if entry.direction == "credit")),
            ("Went out", sum(entry.amount_minor for entry in entries if entry.direction == "debit")),
            ("Closing balance", self._statement.closing_minor),
        )
        width = self.epw / len(figures)
        top = self.get_y()
        self.set_fill_color(*_TINT)
        self.rect(_MARGIN_MM, top, self.epw, 16, style="F")
        for number, (label, amount_minor) in enumerate(figures):
            left = _MARGIN_MM + number * width
            self.set_xy(left + 2, top + 2)
            self._write(8, "", _GREY)
            self.cell(width - 4, 5, label)
            self.set_xy(left + 2, top + 7.5)
            self._write(10.5, "B", _INK)
            self.cell(width - 4, 6, f"{self._money(amount_minor)} {self._currency}")
        self.set_xy(_MARGIN_MM, top + 21)

    def headings(self) -> None:
        """The names of the columns."""
        self._write(8, "B", _GREY)
        for number, heading in enumerate(_HEADINGS):
            self.cell(_COLUMNS_MM[number], _ROW_MM, heading, align="L" if number < 2 else "R")
        self.ln(_ROW_MM)
        self._rule(_LINE)

    def entry(self, entry: Entry) -> None:
        """One row; a new page when this one is full."""
        if self.get_y() + _ROW_MM > self.h - 20:
            self.add_page()
        self._write(8.5, "", _INK)
        amount = self._money(entry.amount_minor)
        came = entry.direction == "credit"
        what = entry.kind.replace("_", " ").replace(".", " ").capitalize()
        if entry.description:
            what = f"{what}: {entry.description}"
        self.cell(_COLUMNS_MM[0], _ROW_MM, self._day(entry))
        self.cell(_COLUMNS_MM[1], _ROW_MM, self._fitting(_printable(what), _COLUMNS_MM[1] - 3))
        self.cell(_COLUMNS_MM[2], _ROW_MM, amount if came else "", align="R")
        self.cell(_COLUMNS_MM[3], _ROW_MM, "" if came else amount, align="R")
        self.cell(_COLUMNS_MM[4], _ROW_MM, self._money(entry.balance_after_minor), align="R")
        self.ln(_ROW_MM)

    def remark(self, text: str) -> None:
        """A sentence where rows would be."""
        self._write(8.5, "I", _GREY)
        self.cell(0, _ROW_MM, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _write(self, size_points: float, style: str, colour: tuple[int, int, int]) -> None:
        self.set_font("helvetica", style, size_points)
        self.set_text_color(*colour)

    def _rule(self, colour: tuple[int, int, int]) -> None:
        self.set_draw_color(*colour)
        self.line(_MARGIN_MM, self.get_y(), self.w - _MARGIN_MM, self.get_y())
        self.ln(1)

    def _day(self, entry: Entry) -> str:
        return str(entry.effective_on if self._statement.by == "effective" else entry.booked_at.date())

    def _money(self, amount_minor: int) -> str:
        whole, point, rest = format_minor(amount_minor, self._currency).partition(".")
        return f"{int(whole):,}{point}{rest}" if whole != "-0" else f"-0{point}{rest}"

    def _fitting(self, text: str, width_mm: float) -> str:
        if self.get_string_width(text) <= width_mm:
            return text
        shown = int(len(text) * width_mm / self.get_string_width(text))
        while shown > 1 and self.get_string_width(f"{text[:shown]}...") > width_mm:
            shown -= 1
        return f"{text[:shown].rstrip()}..."


def _days(statement: Statement) -> str:
    by = ", by effective date" if statement.by == "effective" else ""
    return f"{statement.from_day} to {statement.to_day}{by}"


def _printable(text: str) -> str:
    plain = "".join(letter for letter in unicodedata.normalize("NFC", text) if unicodedata.category(letter)[0] != "C")
    return plain.encode(_ENCODING, "replace").decode(_ENCODING)
