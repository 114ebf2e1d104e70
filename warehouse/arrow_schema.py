"""Arrow beside declared tables: their schema, and what tells two tables of rows apart."""

import hashlib
from typing import Any

import pyarrow as pa
import sqlalchemy as sa


def digest_of(rows: pa.Table) -> str:
    """Hash of an Arrow table's schema and values, the same for the same rows however they are chunked."""
    digest = hashlib.sha256(str(rows.schema).encode())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows.combine_chunks())
    digest.update(sink.getvalue())
    return digest.hexdigest()


def arrow_schema(table: sa.Table) -> pa.Schema:
    """The Arrow schema of a declared table, for rows that come from Python or from the ledger."""
    return pa.schema([pa.field(c.name, _arrow_type(c.type)) for c in table.c])


def _arrow_type(kind: sa.types.TypeEngine[Any]) -> pa.DataType:
    if isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float):
        return pa.decimal128(kind.precision or 18, kind.scale or 0)
    known: dict[type, pa.DataType] = {
        sa.String: pa.string(),
        sa.Integer: pa.int32(),
        sa.BigInteger: pa.int64(),
        sa.Date: pa.date32(),
        sa.DateTime: pa.timestamp("us"),
        sa.Boolean: pa.bool_(),
        sa.Double: pa.float64(),
    }
    return known[type(kind)]
