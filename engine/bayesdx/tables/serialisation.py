"""Knowledge as something to send to another process, and engines kept once a process."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from bayesdx.diagnosis.core import Core, build_core
from bayesdx.diagnosis.engine import Engine
from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.knowledge.folders import MOST_FILES, find_priors
from bayesdx.knowledge.profile_schema import Profile
from bayesdx.knowledge.profiles import with_profile
from bayesdx.knowledge.reading import read_knowledge

#: Knowledge kept in one process.
MOST_CORES = 4

_cores: dict[str, Core] = {}
_building = threading.Lock()


@dataclass(frozen=True)
class KnowledgeFiles:
    """The files of a knowledge folder; small, and safe to send anywhere.

    Attributes
    ----------
    files : tuple of (str, bytes)
        Relative name and content, by name.
    digest : str
        `Knowledge.digest` of these files, with the priors of the setting.
    setting : Profile, optional
    """

    files: tuple[tuple[str, bytes], ...]
    digest: str
    setting: Profile | None = None


KnowledgeSource = str | Path | KnowledgeFiles | Engine | Core | None


def knowledge_files(
    folder: str | Path | None = None, setting: Profile | None = None
) -> KnowledgeFiles:
    """Collect the files of a knowledge folder, unread; by default the packaged one.

    Parameters
    ----------
    folder : path, optional
    setting : Profile, optional
        Whose priors to take.
    """
    path = find_priors() if folder is None else Path(folder)
    found = [*path.glob("*.toml"), *path.glob("causes/*.toml")][: MOST_FILES + 1]
    names = sorted(one.relative_to(path).as_posix() for one in found if one.is_file())
    # As when knowledge is read: an editor on Windows must not change its identity.
    files = tuple((name, (path / name).read_bytes().replace(b"\r\n", b"\n")) for name in names)
    digest = _digest(files)
    return KnowledgeFiles(files, digest if setting is None else setting.digest(digest), setting)


def _digest(files: tuple[tuple[str, bytes], ...]) -> str:
    hashed = hashlib.sha256()
    for name, content in files:
        hashed.update(f"{name}\n{len(content)}\n".encode())
        hashed.update(content)
    return hashed.hexdigest()


def core_of(knowledge: KnowledgeSource) -> Core:
    """Return what answers by some knowledge; built once a process, and kept by its digest.

    Parameters
    ----------
    knowledge : path, KnowledgeFiles, Engine, Core or None
        The packaged knowledge when None.

    Raises
    ------
    InvalidKnowledge
        With every fault of the folder.
    BayesdxError
        If files that were sent are not what their digest says.
    """
    if isinstance(knowledge, Engine):
        return knowledge.core
    if isinstance(knowledge, Core):
        return knowledge
    sent = isinstance(knowledge, KnowledgeFiles)
    files = knowledge if isinstance(knowledge, KnowledgeFiles) else knowledge_files(knowledge)
    with _building:
        core = _cores.get(files.digest)
        if core is None:
            core = _unpacked(files) if sent else build_core(read_knowledge(_folder(knowledge)))
            while len(_cores) >= MOST_CORES:
                del _cores[next(iter(_cores))]
            _cores[files.digest] = core
    return core


def _folder(knowledge: KnowledgeSource) -> Path | None:
    return None if knowledge is None else Path(str(knowledge))


def _unpacked(files: KnowledgeFiles) -> Core:
    with tempfile.TemporaryDirectory(prefix="bayesdx-") as name:
        folder = Path(name)
        (folder / "causes").mkdir()
        for relative, content in files.files:
            (folder / relative).write_bytes(content)
        knowledge = read_knowledge(folder)
    if files.setting is not None:
        knowledge = with_profile(knowledge, files.setting)
    if knowledge.digest != files.digest:
        got = Phrase(knowledge.digest)
        raise BayesdxError(Fault("knowledge", f"files of the digest {files.digest}", got))
    return build_core(knowledge)
