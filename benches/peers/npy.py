"""What a .npy file says of itself, without NumPy, which only the peers' environment has."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"\x93NUMPY"
# The element types that both sides read.
DTYPES = {"<f8": "f64", "<f4": "f32"}
BYTES = {"f64": 8, "f32": 4}
EXPECTED = "expected rows and columns of f32 or f64 in C order"


@dataclass(frozen=True)
class Header:
    """Rows and columns of an element type."""

    dtype: str
    n: int
    d: int


def header(path: Path) -> Header:
    """Of a file that both sides can read; a ValueError or an OSError says why not."""
    with path.open("rb") as file:
        start = file.read(12)
        if not start.startswith(MAGIC) or len(start) < 12:
            raise ValueError("not a .npy file")
        # The length of the header has two bytes in version 1, and four from version 2 on.
        size = 2 if start[6] == 1 else 4
        file.seek(8 + size)
        length = int.from_bytes(start[8 : 8 + size], "little")
        fields = literal(file.read(min(length, 1 << 16)))
    found = of_fields(fields)
    held = path.stat().st_size - (8 + size + length)
    if held < found.n * found.d * BYTES[found.dtype]:
        raise ValueError(f"cut short: {held} bytes of {found.n} x {found.d} {found.dtype}")
    return found


def literal(text: bytes) -> dict[str, object]:
    """The Python literal that a header is."""
    try:
        return dict(ast.literal_eval(text.decode("latin-1").strip()))
    except (SyntaxError, TypeError, ValueError) as error:
        raise ValueError("not a .npy file: its header cannot be read") from error


def of_fields(fields: dict[str, object]) -> Header:
    """What a header says, if it is an array for both sides."""
    dtype, shape = fields.get("descr"), fields.get("shape")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"{EXPECTED}, found {dtype!r}")
    if fields.get("fortran_order"):
        raise ValueError(f"{EXPECTED}, found Fortran order")
    if not isinstance(shape, tuple) or len(shape) != 2:
        raise ValueError(f"{EXPECTED}, found shape {shape}")
    if 0 in shape:
        raise ValueError(f"no values: the shape is {shape}")
    return Header(DTYPES[dtype], *shape)
