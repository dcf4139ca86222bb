"""What a channel is called in a language, so that a wording can be seen to name it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

# How a channel is called, folded. `e-mail`, `email` and `sms` are understood everywhere; a language that is
# not listed has only these, and a wording in it must use one of them.
INTERNATIONAL = {"email": ("e-mail", "email"), "sms": ("sms",)}
CHANNEL_WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "en": {"email": ("electronic mail",), "sms": ("text message",)},
    "de": {
        "email": ("mail", "elektronische post", "elektronischer post"),
        "sms": ("kurznachricht",),
    },
    "fr": {"email": ("courriel", "courrier électronique", "mail"), "sms": ("texto",)},
    "es": {"email": ("correo electrónico", "correo-e")},
    "pt": {"email": ("correio eletrónico", "correio eletrônico")},
    "it": {"email": ("posta elettronica", "mail")},
    "nl": {"email": ("mail",)},
    "sv": {"email": ("e-post", "mejl")},
    "da": {"email": ("e-post", "mail")},
    "nb": {"email": ("e-post",)},
    "no": {"email": ("e-post",)},
    "fi": {"email": ("sähköposti",), "sms": ("tekstiviesti",)},
    "pl": {"email": ("poczta elektroniczna", "pocztą elektroniczną", "mail")},
    "cs": {"email": ("elektronickou poštou",)},
    "hu": {"email": ("elektronikus levél",)},
    "lt": {"email": ("el. pašt", "elektronini")},
    "lv": {"email": ("e-past",)},
    "et": {"email": ("e-post", "e-kir")},
    "el": {"email": ("ηλεκτρονικ",)},
    "bg": {"email": ("имейл", "електронна поща")},
    "he": {"email": ("דואר אלקטרוני", 'דוא"ל'), "sms": ("מסרון",)},
    "ar": {"email": ("بريد الإلكتروني", "بريد إلكتروني", "الإيميل"), "sms": ("رسالة نصية",)},
    "sk": {"email": ("elektronickou poštou",)},
    "sl": {"email": ("e-pošt",)},
    "hr": {"email": ("e-pošt", "elektroničk")},
    "ro": {"email": ("poșta electronică", "poștă electronică")},
    "ga": {"email": ("ríomhphost",)},
    "is": {"email": ("tölvupóst",)},
    "tr": {"email": ("e-posta",)},
    "ru": {"email": ("электронн", "имейл"), "sms": ("смс",)},
    "uk": {"email": ("електронн", "імейл"), "sms": ("смс",)},
    "ja": {"email": ("メール",), "sms": ("ショートメッセージ",)},
    "ko": {"email": ("이메일", "전자우편"), "sms": ("문자",)},
    "zh": {"email": ("电子邮件", "電子郵件", "邮件", "郵件"), "sms": ("短信", "簡訊")},
}
# Letters of scripts that put blanks between words and nothing before a word's own letters.
_SPACED = "a-z0-9\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff"


def channel_words(channel: str, language: str) -> tuple[str, ...]:
    """Returns what a channel may be called in a language, folded."""
    own = CHANNEL_WORDS.get(language.split("-")[0], {}).get(channel, ())
    return tuple(dict.fromkeys((*INTERNATIONAL[channel], *map(fold, own))))


def has_word(statement: str, word: str) -> bool:
    """Says whether folded text names a channel by this word."""
    # A word begins where no letter stands before it: `email` is not in `voicemail`; endings are free (grammar).
    # Hebrew and Arabic write prepositions into the word, Chinese and Japanese know no blanks: anywhere will do.
    start = rf"(?<![{_SPACED}])" if re.match(f"[{_SPACED}]", word) else ""
    return re.search(start + re.escape(word), statement) is not None


def fold(value: str) -> str:
    """Returns text for comparing: NFKC, case-folded, one blank between words, one kind of hyphen."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    return re.sub(r"\s+", " ", re.sub(r"[\u2010\u2011\u2012\u2013]", "-", folded))
