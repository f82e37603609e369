"""JSON Schemas of the files of a knowledge folder, for editors that check and complete TOML."""

from __future__ import annotations

from typing import Any

from bayesdx.knowledge.kinds import FILES, EntryKind, FileShape
from bayesdx.knowledge.schema import SHARE_KEY

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = "schema"
"""Where `bayesdx init` puts them, and where the first line of a file looks for its own."""


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return a JSON Schema for every file of a knowledge folder.

    Returns
    -------
    dict of str to dict
        By file name, ``schema/findings.json`` and so on; ``schema/cause.json`` is that of each
        file of ``causes/``. What needs other files (ids, sums of shares) is left to `check`.

    Examples
    --------
    >>> from bayesdx.knowledge.json_schemas import json_schemas
    >>> sorted(json_schemas())[:2]
    ['schema/calibration.json', 'schema/cause.json']
    """
    return {
        f"{FOLDER}/{name.removesuffix('.toml').replace('causes', 'cause')}.json": _of_file(shape)
        for name, shape in FILES.items()
    }


def _of_file(shape: FileShape) -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    schema: dict[str, Any] = {"$schema": DIALECT, "type": "object", "additionalProperties": False}
    if shape.whole is not None:
        schema |= _of_entry(shape.whole, definitions)
    elif shape.entries is not None:
        entry = _of_entry(shape.entries, definitions)
        schema["propertyNames"] = {"pattern": f"^{shape.entries.key.pattern}$"}
        schema["additionalProperties"] = entry
    else:
        arrays = {key: _of_entry(kind, definitions, "") for key, kind in shape.rows.items()}
        schema["properties"] = {
            **{key: {"type": "array", "items": items} for key, items in arrays.items()},
            **{key: _of_entry(kind, definitions) for key, kind in shape.tables.items()},
        }
    if definitions:
        schema["$defs"] = definitions
    return schema


def _of_entry(
    kind: EntryKind[Any], definitions: dict[str, Any], given: str = "id"
) -> dict[str, Any]:
    """Return the schema of an entry without the key that its place in the folder gives."""
    schema: dict[str, Any] = kind.model.model_json_schema()
    definitions |= schema.pop("$defs", {})
    properties = schema["properties"]
    if given and given in properties:
        del properties[given]
        schema["required"] = [key for key in schema["required"] if key != given]
    if (share := properties.pop(SHARE_KEY, None)) is not None:
        # In the file the share stands with the prior, with or without a number beside it.
        number = definitions["Number"]
        stated = {key: number[key] for key in ("type", "additionalProperties")}
        stated["properties"] = number["properties"] | {"primary_share": share}
        properties["prior"] = stated
    return schema
