"""What no text of the knowledge may say."""

import re

#: Stems, searched in lower case. "Muscle relaxants" have to be named, so "relax" has company.
REASSURING = (
    "reassur",
    "safe",
    "harmless",
    "benign",
    "innocent",
    "nothing serious",
    "not serious",
    "nothing to worry",
    "no need to",
    "not dangerous",
    "no danger",
    "worry",
    "worried",
    "unlikely",
    "low risk",
    "no risk",
    "will pass",
    "go away",
    "goes away",
    "is fine",
    "are fine",
    "all clear",
    "all-clear",
    "all right",
    "alright",
    "just relax",
    "excluded",
    "ruled out",
    "rule out",
    "rules out",
    "probably",
    "usually settles",
    "self-limit",
    "nothing wrong",
    "healthy",
)


def reassuring_words(text: str) -> list[str]:
    """Return what calms in a text."""
    return [word for word in REASSURING if re.search(rf"\b{re.escape(word)}", text.lower())]
