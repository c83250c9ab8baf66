"""The intake of archives that are hostile, damaged or odd: none writes anywhere else, or spoils what is right in it."""

import os
import stat
import tarfile
import warnings
import zipfile

import pytest

from grading.intake import IntakeError
from tests.kit.packing import LIKELIHOODS, directory, taken, tarred, told, zipped

SPECIAL = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE)


@pytest.mark.parametrize("name", ["../../vae/likelihoods.py", "/etc/vae/likelihoods.py", "C:\\vae\\likelihoods.py"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_path_that_leads_out_is_not_taken(tmp_path, pack, name):
    result, written = taken(pack(tmp_path / "a", {name: b"out", "vae/bounds.py": b"in"}))
    assert written == {"implementation/vae/bounds.py": b"in"}
    assert "lead out of the hand-in" in told(result)
    assert any(LIKELIHOODS in note and "is missing" in note for note in result.notes)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, *SPECIAL])
def test_links_and_devices_in_an_archive_are_named(tmp_path, kind):
    others = [(LIKELIHOODS, kind, "/etc/passwd"), ("runs/f/summary.json", kind, "/etc/passwd")]
    files = {"vae/bounds.py": b"in", "runs/f/config.json": b"{}"}
    result, written = taken(tarred(tmp_path / "a.tgz", files, others=others))
    assert written == {"implementation/vae/bounds.py": b"in", "runs/f/config.json": b"{}"}
    assert told(result).count("expected a file") == 2


def test_links_and_pipes_in_a_directory_are_named_and_not_waited_for(tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    source = directory(tmp_path / "a", {"vae/bounds.py": b"in", "elsewhere/planar.py": b"out"})
    (source / LIKELIHOODS).symlink_to(tmp_path / "secret")
    os.mkfifo(source / "vae/divergences.py")
    (source / "flows").symlink_to(source / "elsewhere")
    (source / "runs").symlink_to(tmp_path)
    result, written = taken(source)
    assert written["implementation/vae/bounds.py"] == b"in"
    assert b"secret" not in written.values()
    assert "vae/likelihoods.py is a link" in told(result)
    assert "vae/divergences.py is a device" in told(result)
    for path in (source / LIKELIHOODS, source / "vae/divergences.py"):
        with pytest.raises(IntakeError, match=r"link|pipe"):
            taken(path)


def test_a_zip_archive_with_a_link_in_it(tmp_path):
    link = zipfile.ZipInfo(LIKELIHOODS)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    result, written = taken(zipped(tmp_path / "a.zip", [(link, b"/etc/passwd"), ("vae/bounds.py", b"in")]))
    assert set(written) == {"implementation/vae/bounds.py"}
    assert "is a link" in told(result)


def test_an_encrypted_zip_archive_is_named(tmp_path):
    path = zipped(tmp_path / "a.zip", {LIKELIHOODS: b"in"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(IntakeError, match=r"likelihoods.py is encrypted; expected an archive without a password"):
        taken(path)


def test_archives_that_hold_nothing_or_are_damaged(tmp_path):
    with pytest.raises(IntakeError, match="found was nothing"):
        taken(zipped(tmp_path / "empty.zip", {}))
    with pytest.raises(IntakeError, match="found was nothing"):
        taken(tarred(tmp_path / "empty.tar", {}, "w"))
    for pack, name in ((zipped, "a.zip"), (tarred, "a.tgz")):
        path = pack(tmp_path / name, {LIKELIHOODS: os.urandom(5000)})
        path.write_bytes(path.read_bytes()[:3000])
        with pytest.raises(IntakeError, match="damaged"):
            taken(path)


def test_of_several_members_with_one_name_the_last_counts(tmp_path):
    for pack in (zipped, tarred):
        with warnings.catch_warnings(action="ignore"):
            source = pack(tmp_path / "a", [(LIKELIHOODS, b"first"), (LIKELIHOODS, b"last")])
        result, written = taken(source)
        assert written == {"implementation/vae/likelihoods.py": b"last"}
        assert "several times in the archive" in told(result)
