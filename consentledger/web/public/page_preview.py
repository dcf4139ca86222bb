"""The view model of a form that is not published yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from consentledger.web.public.page_parts import FieldError, FieldView, PurposeBox, SenderView


@dataclass(frozen=True, slots=True)
class FormPreviewPage:
    """A form's draft as it would be served: nothing can be sent from it. `gaps` says what it lacks, in English."""

    template: ClassVar[str] = "public/form_preview.html"
    language: str
    sender: SenderView
    fields: tuple[FieldView, ...]
    boxes: tuple[PurposeBox, ...]
    gaps: tuple[str, ...] = ()
    errors: tuple[FieldError, ...] = ()
    embed: bool = False
