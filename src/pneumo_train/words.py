"""Texts that mean the same are the same: Unicode forms, blanks that cannot be seen, endings of images in any case."""

import re
import unicodedata

IMAGE_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".dcm", ".dicom"})

_LONGEST_NAME = 255

_UNSEEN = "\ufeff\u200b\u200c\u200d\u2060"
"""Marks without width that programs leave at the edges of cells."""


def cleaned(text: str) -> str:
    """The text in the composed Unicode form (NFC), without blanks and unseen marks around it."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", text).strip().strip(_UNSEEN).strip()


def split_ending(name: str) -> tuple[str, str]:
    """A name's stem and, in small letters, its ending, if that is one of an image; a dot alone makes no ending."""
    stem, dot, ending = name.rpartition(".")
    if stem and f"{dot}{ending}".lower() in IMAGE_ENDINGS:
        return stem, f"{dot}{ending}".lower()
    return name, ""


def on_one_line(text: str) -> str:
    """A text with its control characters spelled out, so that a terminal shows it as one line and nothing else."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def shown(text: str, *, at_most: int = 60) -> str:
    """Somebody else's text as part of a message: on one line, and not too long."""
    plain = on_one_line(text)
    return plain if len(plain) <= at_most else f"{plain[: at_most - 3]}..."


def enumerated(texts: list[str], *, at_most: int) -> str:
    """The first few of several texts, and how many more there are."""
    more = f" and {len(texts) - at_most:,} more" if len(texts) > at_most else ""
    return ", ".join(shown(text) for text in texts[:at_most]) + more


def unfit(name: str) -> str:
    """Why a store cannot keep a text as the name of a film, of a patient or of a group; empty if it can."""
    if len(name) > _LONGEST_NAME:
        return f"has {len(name):,} characters, and at most {_LONGEST_NAME} are kept; shorten it"
    if name.isprintable():
        return ""
    wrong = next((each for each in name if unicodedata.category(each) in {"Cc", "Cs"}), None)
    return "" if wrong is None else f"has the character U+{ord(wrong):04X}, which cannot be printed; remove it"


def quoted(text: str) -> str:
    """Somebody else's text as an argument that a shell takes for one."""
    return f'"{shown(text)}"' if re.search(r"[^\w.@/-]", text) else text
