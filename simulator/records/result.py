"""The result of a run, for whoever called it: measures, manifest, and its logs as frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from simulator.errors import InputError
from simulator.records.parts import PLATFORM, TRUTH, read_parts

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class RunResult:
    """Hold what a run leaves: measures, manifest, and its logs as frames."""

    metrics: dict[str, float]
    manifest: dict[str, Any]
    folder: Path | None
    _tables: dict[str, list[pa.Table]] = field(repr=False)
    _columns: Mapping[str, npt.NDArray[np.generic]] = field(repr=False, default_factory=dict)

    @cached_property
    def truth(self) -> pd.DataFrame:
        """Read everything that happened. Raises InputError where the truth log was not asked for."""
        return self._frame(TRUTH)

    @cached_property
    def platform(self) -> pd.DataFrame:
        """Read what the platform could record. Raises InputError where no log was asked for."""
        return self._frame(PLATFORM)

    @property
    def items(self) -> pd.DataFrame:
        """Read what recommenders may know of the items beside features, a row per item in order of number."""
        import pandas as pd

        return pd.DataFrame(dict(self._columns))

    def _frame(self, kind: str) -> pd.DataFrame:
        import pyarrow as pa
        import pyarrow.parquet as pq

        paths = read_parts(self.folder, kind) if self.folder is not None else []
        tables = [pq.read_table(path) for path in paths] or self._tables[kind]
        if not tables:
            raise InputError(
                f"the {kind} log", "was not written by this run", "log=full, or for the platform's alone log=platform"
            )
        frame: pd.DataFrame = pa.concat_tables(tables).to_pandas(types_mapper=_nullable)
        return frame


def _nullable(kind: pa.DataType) -> Any:
    """Return pandas' own integers for columns with nulls, which know absence: numbers would become floats."""
    import pandas as pd

    return {"uint32": pd.UInt32Dtype(), "uint16": pd.UInt16Dtype()}.get(str(kind))
