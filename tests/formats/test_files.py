"""Suffixes, bytes, packed files, bounds."""

import gzip
from pathlib import Path

import pytest
from example_networks import example_files, example_text

import bayesdx
from bayesdx import InvalidNetwork, read_network, write_network
from bayesdx.formats import files

TEXT = "variable A { type discrete [ 2 ] { yes, no }; }\nprobability ( A ) { table 0.25, 0.75; }\n"


def test_what_is_public() -> None:
    assert bayesdx.read_network is files.read_network
    assert bayesdx.write_network is files.write_network


@pytest.mark.parametrize("name", ["n", "n.bi", "n.tar.gz", "n.gz", ".gz", "n.bif.txt"])
def test_unknown_suffixes(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(TEXT)
    with pytest.raises(InvalidNetwork, match=r"expected a file that ends in \.bif, \.xmlbif"):
        read_network(tmp_path / name)


def test_nearest_suffix_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidNetwork, match=r"Nearest: \.bif"):
        read_network(tmp_path / "n.bf")


def test_capitals_and_text_paths(tmp_path: Path) -> None:
    path = tmp_path / "N.BIF.GZ"
    path.write_bytes(gzip.compress(TEXT.encode()))
    assert read_network(str(path)).table("A").tolist() == [0.25, 0.75]


def test_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    path = tmp_path / "n.bif"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert read_network(path).variables["A"].states == ("yes", "no")


def test_missing_files_and_folders_are_errors_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none"):
        read_network(tmp_path / "none.bif")
    (tmp_path / "d.bif").mkdir()
    with pytest.raises(IsADirectoryError, match=r"d\.bif"):
        read_network(tmp_path / "d.bif")


@pytest.mark.parametrize(
    "content", [TEXT.encode(), gzip.compress(TEXT.encode(), mtime=0)[:-9], b"\x1f\x8b"]
)
def test_broken_gzip(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "n.bif.gz"
    path.write_bytes(content)
    with pytest.raises(InvalidNetwork, match=r"n\.bif\.gz: expected a whole gzip file"):
        read_network(path)


def test_other_encodings_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "n.bif"
    path.write_bytes(TEXT.encode() + b"variable \xe9 {")
    with pytest.raises(InvalidNetwork, match=r"n\.bif:3: .* --encoding, .* got b'\\xe9'"):
        read_network(path)


def test_nul_and_codecs_that_do_not_say_where(tmp_path: Path) -> None:
    path = tmp_path / "n.bif"
    path.write_bytes(b"network n { }\nvariable A\0 { type discrete [ 2 ] { t, f }; }\n")
    with pytest.raises(InvalidNetwork, match=r"n\.bif:2: expected text without NUL, got "):
        read_network(path)
    with pytest.raises(InvalidNetwork, match=r"n\.bif:1: expected text in undefined"):
        read_network(path, encoding="undefined")


def test_another_encoding_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "n.bif"
    path.write_bytes(TEXT.replace("yes", "müde").encode("latin-1"))
    assert read_network(path, encoding="latin-1").variables["A"].states == ("müde", "no")
    with pytest.raises(InvalidNetwork, match=r"an encoding that Python knows, .* got 'latin-99'"):
        read_network(path, encoding="latin-99")


@pytest.mark.parametrize("suffix", [".dsl", ".neta", ".oobn", ".hkb"])
def test_formats_of_others_are_named_with_what_to_do(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidNetwork, match=rf"got \{suffix}, \w+'s .*format: ."):
        read_network(tmp_path / f"n{suffix}")


def test_size_is_bounded_after_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST_FILE", 1000)
    path = tmp_path / "n.bif.gz"
    path.write_bytes(gzip.compress(b" " * 1_000_000))
    assert path.stat().st_size < 2000
    with pytest.raises(InvalidNetwork, match="expected at most 1000 bytes, got more"):
        read_network(path)


def test_bound_is_two_hundred_megabytes() -> None:
    assert files.LARGEST_FILE == 200_000_000


def test_writing_packs_by_suffix(tmp_path: Path) -> None:
    network = read_network(str(example_files()["asia"]))
    write_network(network, tmp_path / "a.bif.gz")
    write_network(network, tmp_path / "a.bif")
    plain = (tmp_path / "a.bif").read_bytes()
    assert gzip.decompress((tmp_path / "a.bif.gz").read_bytes()) == plain
    assert b"variable asia {" in plain
    assert len(plain) < 2 * len(example_text("asia"))


@pytest.mark.parametrize("name", ["n.bif", "n.bif.gz"])
def test_a_network_that_cannot_be_written_leaves_the_old_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, link = tmp_path / name, tmp_path / f"link.{name}"
    network = bayesdx.Network(
        [bayesdx.Variable("A", ("no", "yes"))], [bayesdx.TableCPD("A", (), [0.75, 0.25])]
    )
    write_network(network, path)
    path.chmod(0o600)
    link.symlink_to(path)
    old = path.read_bytes()
    other = network.do({"A": "yes"})

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("bayesdx.whole_files.os.fsync", full_disk)
        with pytest.raises(OSError, match="No space left"):
            write_network(other, link)
    assert path.read_bytes() == old
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([name, link.name])
    write_network(other, link)
    assert link.is_symlink()
    assert read_network(path).digest == other.digest
    assert path.stat().st_mode & 0o777 == 0o600
