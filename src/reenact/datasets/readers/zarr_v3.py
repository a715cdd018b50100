"""Just enough of Zarr v3 to read numeric arrays: regular chunks, codecs bytes, zstd, gzip; anything else is refused.

Written to the Zarr v3 core specification; checked against zarr-python 3's own files in the tests where it is installed.
"""

from __future__ import annotations

import gzip
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.readers.errors import DamagedSource

_DTYPES = {"bool": "?", "int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8", "uint8": "u1", "uint16": "u2",
           "uint32": "u4", "uint64": "u8", "float16": "f2", "float32": "f4", "float64": "f8"}  # fmt: skip


def read_metadata(folder: Path, kind: str) -> dict[str, Any]:
    """`zarr.json` of a "group" or an "array"; raises `DamagedSource`."""
    file = folder / "zarr.json"
    if not file.is_file():
        raise DamagedSource(f"{folder.name} has no zarr.json", hint="Zarr version 3")
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if content.get("zarr_format") != 3 or content.get("node_type") != kind:
        raise DamagedSource(f"{folder.name} is a {content.get('node_type')} of format {content.get('zarr_format')}",
                            hint=f"a {kind} of format 3")  # fmt: skip
    return content


def read_array(folder: Path) -> np.ndarray:
    """A whole numeric array. Raises `DamagedSource` for codecs, layouts or types beyond the list above."""
    meta = read_metadata(folder, "array")
    if meta["data_type"] not in _DTYPES:
        raise DamagedSource(f"{folder.name} holds {meta['data_type']}", hint="numbers only")
    if meta["chunk_grid"]["name"] != "regular" or meta.get("storage_transformers"):
        raise DamagedSource(f"{folder.name} is laid out in another way than regular chunks")
    shape, chunk = tuple(meta["shape"]), tuple(meta["chunk_grid"]["configuration"]["chunk_shape"])
    encoding = meta["chunk_key_encoding"]
    separator = encoding.get("configuration", {}).get(
        "separator", "/" if encoding["name"] == "default" else "."
    )
    fill = meta["fill_value"]
    out = np.full(shape, float(fill) if isinstance(fill, str) else fill, _DTYPES[meta["data_type"]])
    counts = [-(-n // c) for n, c in zip(shape, chunk, strict=True)]
    for where in itertools.product(*(range(n) for n in counts)):
        name = separator.join(map(str, where))
        key = f"c{separator}{name}" if encoding["name"] == "default" else name
        file = folder / key
        if not file.is_file():
            continue
        block = _decode(file.read_bytes(), meta, chunk, folder.name)
        place = tuple(slice(i * c, min((i + 1) * c, n)) for i, c, n in zip(where, chunk, shape, strict=True))
        out[place] = block[tuple(slice(0, s.stop - s.start) for s in place)]
    return out


def _decode(raw: bytes, meta: dict[str, Any], chunk: tuple[int, ...], name: str) -> np.ndarray:
    dtype = np.dtype(_DTYPES[meta["data_type"]])
    size = int(np.prod(chunk)) * dtype.itemsize
    little = True
    for codec in reversed(meta["codecs"]):
        if codec["name"] == "zstd":
            import pyarrow as pa

            raw = pa.Codec("zstd").decompress(raw, decompressed_size=size, asbytes=True)
        elif codec["name"] == "gzip":
            raw = gzip.decompress(raw)
        elif codec["name"] == "crc32c":
            raw = raw[:-4]
        elif codec["name"] == "bytes":
            little = codec.get("configuration", {}).get("endian", "little") == "little"
        else:
            raise DamagedSource(f"{name} uses codec {codec['name']!r}", hint="bytes, zstd, gzip, crc32c")
    if len(raw) != size:
        raise DamagedSource(f"a chunk of {name} has {len(raw)} bytes", hint=f"{size}")
    return np.frombuffer(raw, dtype.newbyteorder("<" if little else ">")).reshape(chunk)
