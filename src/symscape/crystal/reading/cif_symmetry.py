"""What a CIF says of its symmetry: operators, Hall symbol, Hermann-Mauguin symbol, number.

gemmi's table of 564 settings and its reading of Hall symbols give the operators. Whatever the file
states in several ways must be one group.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from symscape.crystal.reading.cif_block import CifBlock
from symscape.errors import StructureFileError, shown

_OPERATORS = (
    "_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz", "_space_group_symop_xyz",
)  # fmt: skip
_HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
_SYMBOL = (
    "_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m", "_space_group_name_h-m_full",
    "_space_group_name_h-m", "_space_group_name_h-m_ref",
)  # fmt: skip
_NUMBER = ("_space_group_it_number", "_symmetry_int_tables_number", "_symmetry_space_group_number")
_CODE = ("_space_group_it_coordinate_system_code",)
#: endings of symbols that name a setting (ICSD's S and Z are origin choices 1 and 2)
_QUALIFIER = re.compile(r"(?:[\s:]+|(?<=[a-z0-9])(?=HR$))([12SZHR]|HR|RS)$", re.IGNORECASE)
_MEANING = {"S": "1", "Z": "2", "HR": "H", "RS": "R"}


@dataclass(frozen=True, eq=False)
class Setting:
    """A group's operations as a file means them.

    Parameters
    ----------
    name
        What the file calls it, for sentences.
    number
        In the International Tables; 0 if the operators are of no setting known.
    rotations, translations
        On fractional columns, shapes (n, 3, 3) and (n, 3), centring included.
    """

    name: str
    number: int
    rotations: np.ndarray
    translations: np.ndarray

    def __len__(self) -> int:
        return len(self.rotations)


@dataclass(frozen=True, eq=False)
class StatedSymmetry:
    """Everything that a file says of its symmetry.

    Parameters
    ----------
    settings
        What its operations may be: one, or several if a symbol leaves the origin open.
    number
        The group's number by symbol or number, 0 if neither is given.
    explicit
        Whether the operators are listed.
    notices
        What the user should know.
    """

    settings: tuple[Setting, ...]
    number: int
    explicit: bool
    notices: tuple[str, ...] = ()


def stated_symmetry(block: CifBlock, cell: tuple[float, ...]) -> StatedSymmetry:
    """Return a block's symmetry, every statement of it compared with the others.

    Parameters
    ----------
    cell
        a, b, c in angstrom, alpha, beta, gamma in degrees: which axes a rhombohedral symbol means.

    Raises
    ------
    StructureFileError
        If a statement can't be understood and no other stands in, or two contradict each other.
    """
    symbol, hall_text = block.text(*_SYMBOL), block.text(*_HALL)
    listed = _listed(block)
    hall = _from_hall(hall_text) if hall_text else None
    by_symbol, notices = _from_symbol(symbol, block.text(*_CODE), cell), []
    number = _number(block)
    if symbol and not by_symbol:
        if not (listed or hall or number):
            raise StructureFileError(
                f"the space group {shown(symbol)} is unknown, and there are no operators; add them "
                "or write the symbol as the International Tables do."
            )
        notices.append(f"the symbol {symbol!r} is unknown and was not compared")
    if number and by_symbol and by_symbol[0].number != number:
        raise _contradiction(f"the symbol {symbol!r}", by_symbol[0].number, "the number", number)
    known = number or (by_symbol[0].number if by_symbol else 0)
    exact = listed or hall
    if exact is None:
        settings = by_symbol or _from_number(number, cell)
        return StatedSymmetry(settings or (_identity(),), known, False, tuple(notices))
    if listed and hall and not _same(listed, hall):
        raise StructureFileError(
            f"the operators listed are not those of the Hall symbol {hall_text!r}; correct one."
        )
    if hall and known and hall.number != known:
        raise _contradiction(
            f"the Hall symbol {hall_text!r}", hall.number, symbol or "the number", known
        )
    if known and len(exact) > 1:
        notices += _compared(exact, by_symbol, known, symbol)
    return StatedSymmetry((exact,), known or exact.number, listed is not None, tuple(notices))


def _compared(exact: Setting, by_symbol: tuple[Setting, ...], known: int, symbol: str) -> list[str]:
    """Hold operators against symbol and number; an unqualified symbol may mean any setting."""
    if any(_same(exact, setting) for setting in by_symbol):
        return []
    if exact.number != known:
        raise _contradiction("the operators", exact.number, symbol or "the number", known)
    if by_symbol and _QUALIFIER.search(symbol):
        raise StructureFileError(
            f"the operators are not those of the setting that the symbol {symbol!r} names; correct "
            "one of them."
        )
    return [f"the operators are those of another setting than {symbol!r}"] if by_symbol else []


def _contradiction(one: str, number: int, other: str, other_number: int) -> StructureFileError:
    first = f"space group No. {number}" if number else "no space group known"
    return StructureFileError(
        f"the file contradicts itself: {one} means {first}, {other} means No. {other_number}; "
        "correct one of them."
    )


def _identity() -> Setting:
    return Setting("P 1", 1, np.eye(3, dtype=int)[None], np.zeros((1, 3)))


def _number(block: CifBlock) -> int:
    value = block.number(*_NUMBER)
    if not np.isfinite(value):
        return 0
    if value != int(value) or not 1 <= value <= 230:
        raise StructureFileError(f"there is no space group number {value:g}; correct the file.")
    return int(value)


def _listed(block: CifBlock) -> Setting | None:
    """Return the group of the operators that are listed, or None if none are."""
    import gemmi

    texts = [text for text in block.column(*_OPERATORS) if text not in (".", "?", "")]
    if not texts:
        return None
    operators = []
    for text in texts:
        try:
            operators.append(gemmi.Op(text.replace(" ", "").replace(";", ",").lower()))
        except (ValueError, RuntimeError) as error:
            raise StructureFileError(
                f"the operator {shown(text)} can't be understood ({error}); correct it."
            ) from None
    return setting_of("the operators", operators)


def setting_of(name: str, operators: list[Any]) -> Setting:
    """Return the setting that gemmi's operators make.

    Raises
    ------
    StructureFileError
        If they are no group: one is missing or wrong.
    """
    import gemmi
    import spglib

    den = gemmi.Op.DEN
    # in the order of the file, each once
    rows = dict.fromkeys(
        (tuple(np.ravel(op.rot) // den), tuple(np.mod(op.tran, den))) for op in operators
    )
    rotations = np.array([row[0] for row in rows], dtype=int).reshape(-1, 3, 3)
    translations = np.array([row[1] for row in rows], dtype=int)
    if len(rows) > 192 or not _closed(rotations, translations, den):
        raise StructureFileError(
            f"{name} make no group: one is missing or wrong; list all of the space group."
        )
    group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps(operators))
    if group is not None:
        number = int(group.number)
    else:
        kind = spglib.get_spacegroup_type_from_symmetry(rotations, translations / den)
        number = int(kind.number) if kind is not None else 0
    return Setting(name, number, rotations, translations / den)


def _closed(rotations: np.ndarray, translations: np.ndarray, den: int) -> bool:
    """Whether each product of two operations is one of them, modulo lattice translations."""
    weights = 9 ** np.arange(9)  # entries beyond -4 to 4 belong to no cell that is in use

    def codes(turns: np.ndarray, shifts: np.ndarray) -> np.ndarray:
        digits = (turns.reshape(-1, 9) + 4) @ weights
        return digits * den**3 + np.mod(shifts, den).reshape(-1, 3) @ [1, den, den**2]

    products = np.einsum("aij,bjk->abik", rotations, rotations)
    shifts = np.einsum("aij,bj->abi", rotations, translations) + translations[:, None]
    return int(np.abs(products).max()) <= 4 and bool(
        np.isin(codes(products, shifts), codes(rotations, translations)).all()
    )


def _from_hall(text: str) -> Setting:
    import gemmi

    try:
        operators = list(gemmi.symops_from_hall(text.replace("_", " ")))
    except (ValueError, RuntimeError) as error:
        raise StructureFileError(
            f"the Hall symbol {shown(text)} can't be understood ({error}); correct it."
        ) from None
    return setting_of(f"Hall symbol {text}", operators)


def _from_symbol(symbol: str, code: str, cell: tuple[float, ...]) -> tuple[Setting, ...]:
    """Return the settings that a Hermann-Mauguin symbol may mean; none if it is unknown."""
    import gemmi

    if not symbol:
        return ()
    clean = re.sub(r"\((\d)\)", r"\1", symbol).replace("~", "").replace("_", "")
    ending = _QUALIFIER.search(clean.strip())
    plain, wanted = clean.strip(), ""
    if ending:
        wanted = _MEANING.get(ending.group(1).upper(), ending.group(1).upper())
        plain = plain[: ending.start()].strip(" :")
    elif code.upper() in ("1", "2", "H", "R"):
        wanted = code.upper()
    group = gemmi.find_spacegroup_by_name(plain)
    if group is None or (wanted and ending and not _settings_of(group, wanted)):
        group, wanted = gemmi.find_spacegroup_by_name(clean.strip()), ""
    if group is None:
        return ()
    return _of_groups(_settings_of(group, wanted) or [group], cell)


def _from_number(number: int, cell: tuple[float, ...]) -> tuple[Setting, ...]:
    """Return the settings of a number's standard symbol: both origins, both kinds of axes."""
    import gemmi

    if not number:
        return ()
    group = gemmi.get_spacegroup_reference_setting(number)
    return _of_groups(_settings_of(group, ""), cell)


def _settings_of(group: Any, wanted: str) -> list[Any]:
    """Return gemmi's settings with a group's symbol, only those of a qualifier if one is given."""
    import gemmi

    alike = [g for g in gemmi.spacegroup_table() if (g.number, g.hm) == (group.number, group.hm)]
    return [g for g in alike if not wanted or g.ext == wanted]


def _of_groups(groups: list[Any], cell: tuple[float, ...]) -> tuple[Setting, ...]:
    """Return settings of gemmi's groups; of two kinds of axes those that the cell has."""
    if {g.ext for g in groups} >= {"H", "R"}:
        axes = "H" if abs(cell[5] - 120) < 1 and abs(cell[3] - 90) < 1 else "R"
        groups = [g for g in groups if g.ext == axes]
    return tuple(setting_of(g.xhm(), list(g.operations())) for g in groups)


def _same(one: Setting, other: Setting) -> bool:
    """Whether two settings have the same operations."""
    return {_key(*pair) for pair in zip(one.rotations, one.translations, strict=True)} == {
        _key(*pair) for pair in zip(other.rotations, other.translations, strict=True)
    }


def _key(rotation: np.ndarray, translation: np.ndarray) -> tuple[int, ...]:
    return (
        *rotation.ravel().tolist(),
        *np.mod(np.round(24 * translation), 24).astype(int).tolist(),
    )
