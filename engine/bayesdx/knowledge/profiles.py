"""Priors for another setting: how common causes are among the people of one place.

A profile is a small TOML file. It changes priors and nothing else, and every prior in it says whose
share it is and where it comes from::

    label = "Orthopaedic outpatient clinic"
    denominator = "adults referred to the clinic for this complaint"
    source = "clinic register, 2023"

    [priors]
    hip_oa = 0.31
    gtps = { value = 0.2, source = "Smith 2020", denominator = "the same, under 60" }

``denominator`` and ``source`` at the top hold for all priors that have none of their own. Profiles
that come with a knowledge folder stand in its folder ``settings``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from bayesdx.checked_numbers import is_share
from bayesdx.errors import NOTHING, Fault, InvalidKnowledge, Phrase, nearest_names
from bayesdx.frozen import FrozenDict
from bayesdx.knowledge.addresses import Address, with_values
from bayesdx.knowledge.folders import find_priors
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.profile_schema import Profile, ProfilePrior

#: Bytes of the largest profile that is read.
LARGEST = 1 << 20


def read_profile(path: str | Path) -> Profile:
    """Read the priors of a setting.

    Parameters
    ----------
    path : str or path
        A TOML file: ``label``, ``denominator``, ``source``, and a table ``priors``.

    Returns
    -------
    Profile

    Raises
    ------
    InvalidKnowledge
        With everything that is wrong with the file.
    OSError
        When it cannot be read.

    Examples
    --------
    >>> import bayesdx, pathlib
    >>> lines = 'denominator = "referrals"', 'source = "register"', "[priors]", "gtps = 0.3"
    >>> _ = pathlib.Path("clinic.toml").write_text(chr(10).join(lines), encoding="utf-8")
    >>> bayesdx.read_profile("clinic.toml").values
    {'gtps': 0.3}
    """
    path = Path(path)
    if path.stat().st_size > LARGEST:
        got = Phrase(f"{path.stat().st_size} bytes")
        raise InvalidKnowledge(Fault(str(path), f"at most {LARGEST} bytes", got))
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidKnowledge(Fault(str(path), "a TOML file", Phrase(str(error)))) from None
    faults: list[Fault] = []
    known = ("label", "denominator", "source", "priors")
    for key in content:
        if key not in known:
            near = nearest_names(key, known)
            faults.append(Fault(f"{path}:{key}", "label, denominator, source or priors", key, near))
    texts = {key: _text(path, key, content, faults) for key in ("label", "denominator", "source")}
    table = content.get("priors")
    if not isinstance(table, dict) or not table:
        faults.append(
            Fault(f"{path}:priors", "a table of causes and their priors", table or NOTHING)
        )
        table = {}
    priors = [_prior(path, name, entry, texts, faults) for name, entry in table.items()]
    if faults:
        raise InvalidKnowledge(faults)
    return Profile(texts["label"] or path.stem, tuple(priors))


def _text(path: Path, key: str, content: Mapping[str, object], faults: list[Fault]) -> str:
    value = content.get(key, "")
    if not isinstance(value, str):
        faults.append(Fault(f"{path}:{key}", "a text", value))
        return ""
    return " ".join(value.split())


def _prior(
    path: Path, name: str, entry: object, texts: Mapping[str, str], faults: list[Fault]
) -> ProfilePrior:
    place = f"{path}:priors.{name}"
    own: Mapping[str, object] = entry if isinstance(entry, dict) else {"value": entry}
    for key in own:
        if key not in ("value", "denominator", "source"):
            faults.append(Fault(f"{place}.{key}", "value, denominator or source", key))
    value = own.get("value")
    if not is_share(value):
        got = NOTHING if value is None else value
        faults.append(Fault(place, "a probability strictly between 0 and 1", got))
    told = {}
    for key in ("denominator", "source"):
        text = own.get(key, texts[key])
        told[key] = text if isinstance(text, str) else ""
        if not told[key].strip():
            got = text or NOTHING
            faults.append(Fault(f"{place}.{key}", f"a {key}, here or at the top", got))
    number = float(value) if is_share(value) else 0.5
    return ProfilePrior(name, number, told["denominator"], told["source"])


def with_priors(knowledge: Knowledge, priors: Mapping[str, float]) -> Knowledge:
    """Replace priors of causes.

    Parameters
    ----------
    knowledge : Knowledge
        As read or calibrated.
    priors : mapping of str to float
        By cause; strictly between 0 and 1.

    Returns
    -------
    Knowledge
        Calibration does not move these priors any more.

    Raises
    ------
    InvalidKnowledge
        With every name that is no modelled cause, and every value that is no probability.
    """
    causes = [name for name, cause in knowledge.causes.items() if cause.kind == "cause"]
    faults = list(_prior_faults(priors, causes))
    if faults:
        raise InvalidKnowledge(faults)
    values = {Address("prior", name): float(value) for name, value in priors.items()}
    changed = with_values(knowledge, values)
    if knowledge.calibration is None:
        return changed
    places = {str(one) for one in values}
    moves = tuple(move for move in knowledge.calibration.move if move.number not in places)
    calibration = knowledge.calibration.model_copy(update={"move": moves})
    return changed.model_copy(update={"calibration": calibration})


def _prior_faults(priors: Mapping[str, float], causes: list[str]) -> Iterator[Fault]:
    for name, value in priors.items():
        if name not in causes:
            yield Fault(f"prior of {name}", "a modelled cause", name, nearest_names(name, causes))
        elif not is_share(value):
            yield Fault(f"prior of {name}", "a probability strictly between 0 and 1", value)


def with_profile(knowledge: Knowledge, profile: Profile) -> Knowledge:
    """Replace the priors of a profile, with their denominators; the digest is then another.

    The source that a profile names is written into the note of each prior, since it need not be
    among the sources of the knowledge. The intended use, which every answer says, tells whose
    priors they are.
    """
    changed = with_priors(knowledge, profile.values)
    causes = dict(changed.causes)
    for one in profile.priors:
        prior = causes[one.cause].prior
        assert prior is not None
        note = f"{profile.label}: {one.source}"
        update = {"denominator": one.denominator, "note": note, "range": None, "statements": ()}
        causes[one.cause] = causes[one.cause].model_copy(
            update={"prior": prior.model_copy(update=update)}
        )
    use = f"{knowledge.model.intended_use.rstrip()} Priors of a setting: {profile.label}."
    return changed.model_copy(
        update={
            "causes": FrozenDict(causes),
            "setting": profile,
            "digest": profile.digest(knowledge.digest),
            "model": knowledge.model.model_copy(update={"intended_use": use}),
        }
    )


def settings_of(folder: Path) -> dict[str, Path]:
    """Settings that come with a knowledge folder: ``settings/NAME.toml``, by name.

    Raises
    ------
    OSError
        When there is such a folder and it cannot be listed.
    """
    place = folder / "settings"
    found = sorted(place.iterdir()) if place.is_dir() else []
    return {path.stem: path for path in found if path.suffix == ".toml"}


def in_setting(knowledge: Knowledge, setting: str | Path | None) -> Knowledge:
    """Return knowledge with the priors of a setting.

    Parameters
    ----------
    knowledge : Knowledge
    setting : str or path, optional
        The name of one that comes with the knowledge or with bayesdx, or a file as `read_profile`
        takes it (a path, or a name that ends with ``.toml``). Without it nothing changes.

    Raises
    ------
    InvalidKnowledge
        When there is no such setting, or its priors do not fit the knowledge.
    OSError
        When the file cannot be read.
    """
    if setting is None:
        return knowledge
    known = {**settings_of(find_priors()), **settings_of(knowledge.folder)}
    path = known.get(str(setting))
    if path is None:
        path = Path(setting)
        if path.suffix != ".toml":
            near = nearest_names(str(setting), known)
            expected = f"one of {', '.join(known)}, or a TOML file"
            raise InvalidKnowledge(Fault("setting", expected, str(setting), near))
    return with_profile(knowledge, read_profile(path))
