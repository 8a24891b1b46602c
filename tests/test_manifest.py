"""A reference that was edited is found, and a run refuses it."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from hull_library import write_library
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from symscape.cli import app
from symscape.errors import ReferenceFileError
from symscape.references.crystals import load_crystals
from symscape.references.landscape_files import load_reference
from symscape.references.library import find_references
from symscape.references.manifest import MANIFEST, refuse_changed, verify_library, write_manifest


@pytest.fixture(scope="module")
def library(tmp_path_factory, toy_file):
    """A library of one slice, some crystals and a plan."""
    folder = write_library(tmp_path_factory.mktemp("library") / "references")
    shutil.copytree(toy_file.parent, folder / toy_file.parent.name)
    (folder / "plans").mkdir()
    (folder / "plans" / "later.json").write_text("{}\n")
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
    system, *_ = sorted(path.name for path in (folder / "crystals").iterdir())
    (slice_,) = find_references([folder])
    (folder / "own").mkdir()
    document = json.loads(slice_.path.read_text()) | {"material": "own"}
    (folder / "own" / slice_.path.name).write_text(json.dumps(document))
    assert verify_library(folder).unlisted == (f"own/{slice_.path.name}",)
    # one's own slice beside the stored ones is no reason to refuse a run
    refuse_changed([folder])
    (folder / "crystals" / system).unlink()
    assert verify_library(folder).missing == (f"crystals/{system}",)
    with pytest.raises(ReferenceFileError, match="but not there"):
        refuse_changed([folder])
    ran = CliRunner().invoke(app, ["reference", "verify", str(folder)])
    assert ran.exit_code == 1
    assert CliRunner().invoke(app, ["reference", "verify", str(folder), "--write"]).exit_code == 0
    ran = CliRunner().invoke(app, ["reference", "verify", str(folder)])
    assert ran.exit_code == 0, ran.output


def test_a_manifest_vouches_only_for_crystals_of_the_symmetry_they_state(library, tmp_path):
    folder = shutil.copytree(library, tmp_path / "references")
    path = min((folder / "crystals").iterdir())
    document = json.loads(path.read_text())
    document["crystals"][0]["n_lattice"] += 1
    path.write_text(json.dumps(document))
    verify = ["reference", "verify", str(folder)]
    # not as the manifest says: looked at closely, and no new manifest is written either
    with pytest.raises(ReferenceFileError, match="n_lattice is"):
        load_crystals([folder])
    for extra in ([], ["--write"]):
        ran = CliRunner().invoke(app, [*verify, *extra])
        assert ran.exit_code == 1
    assert verify_library(folder).changed == (f"crystals/{path.name}",)
    # whoever writes it past the command is believed by runs, but by nothing that verifies
    write_manifest(folder)
    assert len(load_crystals([folder])) == len(load_crystals([library]))
    with pytest.raises(ReferenceFileError, match="n_lattice is"):
        load_crystals([folder], closely=True)
    assert isinstance(CliRunner().invoke(app, verify).exception, ReferenceFileError)


def test_a_manifest_vouches_only_for_points_that_the_rule_masks(library, tmp_path):
    folder = shutil.copytree(library, tmp_path / "references")
    (slice_,) = find_references([folder])
    document = json.loads(slice_.path.read_text())
    document["mask_ratio"] += 0.3
    slice_.path.write_text(json.dumps(document))
    with pytest.raises(ReferenceFileError, match="not masked in the file"):
        load_reference(slice_.path)
    verify = ["reference", "verify", str(folder)]
    assert CliRunner().invoke(app, [*verify, "--write"]).exit_code == 1
    write_manifest(folder)
    # believed, as what the manifest names is; verifying believes nothing
    assert not load_reference(slice_.path).mask.any()
    with pytest.raises(ReferenceFileError, match="not masked in the file"):
        load_reference(slice_.path, closely=True)
    assert isinstance(CliRunner().invoke(app, verify).exception, ReferenceFileError)


def test_what_the_manifest_vouches_for_is_what_is_computed():
    for entry in find_references(["references"])[::6]:
        quick, close = load_reference(entry.path), load_reference(entry.path, closely=True)
        assert (quick.mask == close.mask).all()
        assert (quick.mask == quick.slice.mask).all()


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
