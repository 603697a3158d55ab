"""The versions of FLAME that can be converted, and the licence of each."""

from __future__ import annotations

_ASKS = "as you agreed to it at flame.is.tue.mpg.de"
LICENCES = {
    "flame2020": f"FLAME 2020: CC-BY-4.0 with excluded uses, to be confirmed by you, {_ASKS}",
    "flame2023": f"FLAME 2023: non-commercial, {_ASKS}",
    "flame2023_open": f"FLAME 2023 Open: CC-BY-4.0 by its users' statements, to be confirmed by you, {_ASKS}",
}
