"""Priors of a setting, as values; how they are read and put in place is in `profiles`."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass

from bayesdx.frozen import PlainParts


@dataclass(frozen=True)
class ProfilePrior(PlainParts):
    """P(cause present and contributing) among the people of a setting."""

    cause: str
    value: float
    denominator: str
    source: str


@dataclass(frozen=True)
class Profile(PlainParts):
    """Priors of a setting.

    Attributes
    ----------
    label : str
    priors : tuple of ProfilePrior
    """

    label: str
    priors: tuple[ProfilePrior, ...]

    @property
    def values(self) -> dict[str, float]:
        """The priors by cause."""
        return {one.cause: one.value for one in self.priors}

    def digest(self, knowledge: str) -> str:
        """Return the SHA-256 of knowledge with these priors.

        Parameters
        ----------
        knowledge : str
            Digest of the knowledge without them.

        Returns
        -------
        str

        Examples
        --------
        >>> from bayesdx.knowledge.profile_schema import Profile
        >>> len(Profile("A clinic", ()).digest("0" * 64))
        64
        """
        told = "\n".join(map(repr, (knowledge, self.label, *map(astuple, self.priors))))
        return hashlib.sha256(told.encode()).hexdigest()
