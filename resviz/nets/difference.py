"""In what do two networks differ?"""

from __future__ import annotations

from collections.abc import Sequence

from resviz.results import Difference, Differing, LayerRow, LayerTable, NetworkDifference

__all__ = ["difference"]


def difference(first: LayerTable, second: LayerTable) -> NetworkDifference:
    """Layers are told apart by their names, as two state dicts would be; exchanged networks exchange what is found, nothing else."""
    one, other = ({row.name: row for row in table.rows} for table in (first, second))
    found: list[Difference] = []
    for name in _in_order(list(one), list(other)):
        how = _how(one.get(name), other.get(name))
        if how is not None:
            found.append(Difference(name, how, one.get(name), other.get(name)))
    return NetworkDifference(first, second, tuple(found), same=len(one.keys() | other.keys()) - len(found))


def _in_order(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Every name once, in the order of both; what only the second has stands before the next name that both have."""
    shared, names = set(first) & set(second), dict[str, None]()
    at = 0
    for name in first:
        if name in shared and name not in names:
            while at < len(second) and second[at] != name and second[at] not in shared:
                names[second[at]] = None
                at += 1
            at += at < len(second) and second[at] == name
        names[name] = None
    return list(names | dict.fromkeys(second))


def _how(first: LayerRow | None, second: LayerRow | None) -> Differing | None:
    if first is None or second is None:
        return Differing.SECOND if first is None else Differing.FIRST
    if _made_of(first) != _made_of(second):
        return Differing.CHANGED
    lives = first.cut == second.cut and bool(first.memory) == bool(second.memory) and first.sources == second.sources
    return None if lives else Differing.CUT


def _made_of(row: LayerRow) -> tuple[object, ...]:
    return row.kind, row.in_shape, row.out_shape, row.params
