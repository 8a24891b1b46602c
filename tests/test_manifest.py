"""A reference that was edited is found, and a run refuses it."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from symscape.cli import app
from symscape.errors import ReferenceFileError
from symscape.references.manifest import MANIFEST, refuse_changed, verify_library, write_manifest


@pytest.fixture(scope="module")
def library(tmp_path_factory, toy_file):
    """A library of one slice, a system of crystals that nobody reads, and a plan."""
    folder = tmp_path_factory.mktemp("library") / "references"
    shutil.copytree(toy_file.parent, folder / toy_file.parent.name)
    for name in ("crystals/Mg.json", "plans/later.json"):
        (folder / name).parent.mkdir()
        (folder / name).write_text("{}\n")
    write_manifest(folder)
    return folder


def test_the_committed_library_is_as_its_manifest_says():
    found = verify_library("references")
    assert found.problems == []
    assert found.listed > 20


def test_sha256sum_agrees(library):
    tool = shutil.which("sha256sum")
    if tool is None:
        pytest.skip("there is no sha256sum here")
    subprocess.run([tool, "--check", "--strict", MANIFEST], cwd=library, check=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_character_is_found(library, data):
    """Whatever the place: an energy, a digit of the mask ratio, a line end."""
    files = [path for path in sorted(library.glob("*/*.json")) if path.parent.name != "plans"]
    name = data.draw(st.sampled_from(files))
    before = name.read_bytes()
    place = data.draw(st.integers(0, len(before) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != before[place]))
    try:
        name.write_bytes(before[:place] + bytes([other]) + before[place + 1 :])
        assert verify_library(library).changed == (name.relative_to(library).as_posix(),)
        with pytest.raises(ReferenceFileError, match=r"changed since manifest\.sha256"):
            refuse_changed([library])
    finally:
        name.write_bytes(before)
    assert verify_library(library).problems == []


def test_missing_and_added_files(library, tmp_path):
    folder = shutil.copytree(library, tmp_path / "references")
    (folder / "crystals" / "Si.json").write_text("{}\n")
    assert verify_library(folder).unlisted == ("crystals/Si.json",)
    # one's own slice beside the stored ones is no reason to refuse a run
    refuse_changed([folder])
    (folder / "crystals" / "Mg.json").unlink()
    assert verify_library(folder).missing == ("crystals/Mg.json",)
    with pytest.raises(ReferenceFileError, match="but not there"):
        refuse_changed([folder])
    ran = CliRunner().invoke(app, ["reference", "verify", str(folder)])
    assert ran.exit_code == 1
    assert CliRunner().invoke(app, ["reference", "verify", str(folder), "--write"]).exit_code == 0
    ran = CliRunner().invoke(app, ["reference", "verify", str(folder)])
    assert ran.exit_code == 0, ran.output


@pytest.mark.parametrize("text", ["nonsense\n", "ab  x.json\n", "\n", "\udcff"])
def test_a_manifest_that_is_none_is_refused(library, tmp_path, text):
    folder = shutil.copytree(library, tmp_path / "references")
    (folder / MANIFEST).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ReferenceFileError, match=r"no digest|can't be read"):
        verify_library(folder)


def test_a_library_without_a_manifest_makes_no_claim(library, tmp_path):
    folder = shutil.copytree(library, tmp_path / "references")
    (folder / MANIFEST).unlink()
    refuse_changed([folder])
    with pytest.raises(ReferenceFileError, match="--write"):
        verify_library(folder)


def test_a_run_refuses_an_energy_changed_by_a_thousandth(library, pytester):
    folder = shutil.copytree(library, pytester.path / "references")
    path = next(p for p in folder.glob("*/*.json") if p.parent.name not in {"crystals", "plans"})
    text = path.read_text()
    digit = text.rindex("energy") + text[text.rindex("energy") :].index(".") + 3
    path.write_text(text[:digit] + str((int(text[digit]) + 1) % 10) + text[digit + 1 :])
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.landscape("energies")
        def test_energies(landscape):
            pass
        """
    )
    ran = pytester.runpytest_inprocess("--references", str(folder), "--mlip", "chgnet")
    assert ran.ret != 0
    ran.stderr.fnmatch_lines_random(["*changed since manifest.sha256*"])
