"""Turns a template and its values into words, and words into an e-mail.

A template is one file with the blocks `title` and `summary`, and perhaps `details` (paragraphs with empty lines between
them), `facts` (lines `label: value`) and `action` (what the link is called). The words are plain text; the HTML layout
escapes every one of them. Templates are the operator's: they run in a sandbox all the same, and a value that is missing is
an error, never an empty place.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, FileSystemLoader, StrictUndefined, TemplateError, pass_context
from jinja2.runtime import Context as TemplateContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notifications.domain.letter import Content
from services.notifications.domain.texts import date_text, instant_text, money_text, one_line, percent_text
from services.notifications.domain.words import Words

DEFAULT_LANGUAGE = "en"
_FOLDER = Path(__file__).with_name("templates")
_NAME = re.compile(r"[a-z][a-z_]{0,63}")
_PARAGRAPHS = re.compile(r"\n\s*\n")
_LONGEST_LINK = 2000


class Unrenderable(Exception):
    """A template is missing, or a value that it needs."""


@pass_context
def _day(context: TemplateContext, day: date) -> str:
    return date_text(day, context["language"])


@pass_context
def _instant(context: TemplateContext, instant: datetime) -> str:
    return instant_text(instant, context["language"])


class Renderer:
    """Every template, compiled once. `public_url` is where links point."""

    def __init__(self, public_url: str, folder: Path = _FOLDER) -> None:
        self._public_url = public_url.rstrip("/")
        loader = FileSystemLoader(folder)
        self._words = _environment(loader, autoescape=False)
        self._html = _environment(loader, autoescape=True)
        self._names = frozenset(loader.list_templates())
        for name in self._names:
            (self._html if name.endswith(".html.j2") else self._words).get_template(name)

    def words(self, template: str, language: str, values: Mapping[str, Any]) -> Words:
        """What `template` says about `values`. Raises `Unrenderable`."""
        if not _NAME.fullmatch(template):
            raise Unrenderable("the name of a template is a word of small letters")
        spoken, name = self._find(f"{template}.j2", language)
        found = self._words.get_template(name)
        context = found.new_context({**values, "language": spoken})
        blocks: dict[str, str] = {}
        for block in ("title", "summary", "details", "facts", "action"):
            try:
                blocks[block] = "".join(found.blocks[block](context)).strip() if block in found.blocks else ""
            except (TemplateError, TypeError, ValueError) as error:
                raise Unrenderable(f"{template}: {type(error).__name__} in {block}: {_reason(error)}") from error
        return _words_of(blocks)

    def email(self, words: Words, language: str, *, full_name: str | None, link: str) -> Content:
        """The e-mail that says `words` to somebody and leads to `link`, a page of the platform or a whole address.

        Raises `Unrenderable` when the link is neither.
        """
        target = self._public_url + link if link.startswith("/") else link
        if not target.startswith(("https://", "http://")) or not target.isprintable() or len(target) > _LONGEST_LINK:
            raise Unrenderable("the link is not an address of the web")
        spoken, html = self._find("layout.html.j2", language)
        _, text = self._find("layout.txt.j2", language)
        values = {"words": words, "full_name": full_name, "link": target, "home": self._public_url, "language": spoken}
        return Content(
            subject=words.title,
            text=self._words.get_template(text).render(values),
            html=self._html.get_template(html).render(values),
        )

    def _find(self, file: str, language: str) -> tuple[str, str]:
        """The language that is really spoken, and the template's name: `sw-KE`, then `sw`, then English."""
        wanted = language.lower()
        for spoken in (wanted, wanted.partition("-")[0], DEFAULT_LANGUAGE):
            if f"{spoken}/{file}" in self._names:
                return spoken, f"{spoken}/{file}"
        raise Unrenderable(f"there is no template {file}")


def _environment(loader: BaseLoader, *, autoescape: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.globals = {"money": money_text, "day": _day, "instant": _instant, "percent": percent_text}
    return environment


def _words_of(blocks: Mapping[str, str]) -> Words:
    facts = (line.partition(":") for line in blocks["facts"].splitlines() if line.strip())
    return Words(
        title=one_line(blocks["title"]),
        summary=one_line(blocks["summary"], longest=600),
        details=tuple(one_line(part, longest=1000) for part in _PARAGRAPHS.split(blocks["details"]) if part.strip()),
        facts=tuple((label.strip(), value.strip()) for label, _, value in facts),
        action=one_line(blocks["action"]),
    )


def _reason(error: Exception) -> str:
    """Jinja names what is undefined; other errors may quote a value."""
    return str(error) if isinstance(error, TemplateError) else ""
