"""IPTC 2025.1: the exact names, judged by exiftool; the full URI; nothing that was not stated."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tanba.formats import iptc
from tanba.formats.metadata import read_metadata, write_metadata
from tanba.formats.xmp import IPTC_EXT, PLUS, XMP, Xmp
from tanba.model import SOURCE_TYPES, DigitalSourceType, Disclosure, Involvement
from tanba.report import AiState, LayerState, Strength
from tests.formats.files import PILLOW, asset, exiftool, format_of, needs_exiftool, picture

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
FULL = Disclosure(
    involvement=Involvement.GENERATED,
    system="ExampleGen «Жарық»",
    system_version="1.2",
    prompt="a lighthouse & <storm>",
    prompt_author="Айгүл С.",
    no_training=True,
    created_at=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
)


@needs_exiftool
def test_exiftool_reads_every_field_under_its_right_name_in_six_formats(tmp_path: Path) -> None:
    paths = []
    for extension in PILLOW:
        data = picture(extension)
        path = tmp_path / f"x.{extension}"
        path.write_bytes(write_metadata(data, format_of(data, extension), FULL, content_id="urn:uuid:1").data)
        paths.append(path)
    for name, tags in exiftool(paths).items():
        read = {key: value for key, value in tags.items() if key.startswith("XMP-")}
        assert read.pop("XMP-x:XMPToolkit", None) is None, name
        assert read == {
            "XMP-iptcExt:DigitalSourceType": GENERATED,
            "XMP-iptcExt:AISystemUsed": "ExampleGen «Жарық»",
            "XMP-iptcExt:AISystemVersionUsed": 1.2,
            "XMP-iptcExt:AIPromptInformation": "a lighthouse & <storm>",
            "XMP-iptcExt:AIPromptWriterName": "Айгүл С.",
            "XMP-plus:DataMining": "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED",
            "XMP-xmp:CreateDate": "2026:11:23 10:00:00Z",
            "XMP-xmpMM:InstanceID": "urn:uuid:1",
        }, name


@needs_exiftool
@pytest.mark.parametrize("extension", PILLOW)
def test_exiftool_finds_no_fault_in_the_written_file(extension: str, tmp_path: Path) -> None:
    data = picture(extension)
    before, after = tmp_path / f"a.{extension}", tmp_path / f"b.{extension}"
    before.write_bytes(data)
    after.write_bytes(write_metadata(data, format_of(data, extension), FULL).data)
    read = exiftool([before, after], "-validate", "-warning", "-error")
    faults = [{key: item.get(key) for key in ("ExifTool:Warning", "ExifTool:Error")} for item in read.values()]
    assert faults[0] == faults[1]


def test_a_prompt_that_is_not_published_leaves_no_trace() -> None:
    secret = Disclosure(involvement=Involvement.GENERATED, system="G", prompt_sha256="ab" * 32, prompt_author="A")
    data = picture("jpg")
    out = write_metadata(data, format_of(data, "jpg"), secret).data
    assert b"AIPromptInformation" not in out
    assert b"ab" * 32 not in out


@pytest.mark.parametrize("involvement", Involvement)
def test_the_source_type_is_a_full_uri_for_every_involvement(involvement: Involvement) -> None:
    value = iptc.properties(Disclosure(involvement=involvement))[iptc.DIGITAL_SOURCE_TYPE]
    assert value is not None
    assert value.startswith("http://cv.iptc.org/newscodes/digitalsourcetype/")
    assert value.rpartition("/")[2] == SOURCE_TYPES[involvement][0].value


def test_the_two_terms_of_c2pa_keep_their_own_namespace() -> None:
    data = Disclosure(involvement=Involvement.GENERATED, source_type=DigitalSourceType.TRAINED_ALGORITHMIC_DATA)
    assert iptc.properties(data)[iptc.DIGITAL_SOURCE_TYPE] == "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData"


def test_a_new_label_takes_out_the_version_of_an_earlier_system() -> None:
    data = picture("png")
    first = write_metadata(data, format_of(data, "png"), FULL).data
    second = write_metadata(
        first, format_of(first, "png"), Disclosure(involvement=Involvement.MODIFIED, system="Other")
    ).data
    said = {item.what: item.value for item in read_metadata(asset(second, "png")).statements}
    assert said["AISystemUsed"] == "Other"
    assert "AISystemVersionUsed" not in said
    assert "compositeWithTrainedAlgorithmicMedia" in said


@pytest.mark.parametrize("involvement", [Involvement.HUMAN, Involvement.ASSISTED])
def test_a_human_or_standard_edit_never_weakens_an_ai_mark(involvement: Involvement) -> None:
    data = picture("jpg")
    first = write_metadata(data, format_of(data, "jpg"), FULL).data
    second = write_metadata(first, format_of(first, "jpg"), Disclosure(involvement=involvement)).data
    said = {item.what: item.value for item in read_metadata(asset(second, "jpg")).statements}
    assert said["trainedAlgorithmicMedia"] == GENERATED
    assert said["AISystemUsed"] == "ExampleGen «Жарық»"


MEANINGS = [
    (GENERATED, "trainedAlgorithmicMedia", AiState.GENERATED, []),
    (GENERATED.replace("http", "https", 1), "trainedAlgorithmicMedia", AiState.GENERATED, []),
    ("trainedAlgorithmicMedia", "trainedAlgorithmicMedia", AiState.GENERATED, ["tanba.iptc.bare_term"]),
    (
        GENERATED.replace("trainedA", "compositeWithTrainedA"),
        "compositeWithTrainedAlgorithmicMedia",
        AiState.MODIFIED,
        [],
    ),
    ("http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture", "digitalCapture", AiState.HUMAN_DECLARED, []),
    ("http://cv.iptc.org/newscodes/digitalsourcetype/composite", "composite", None, []),
    ("http://cv.iptc.org/newscodes/digitalsourcetype/madeUp", "madeUp", None, ["tanba.iptc.unknown_term"]),
]


@pytest.mark.parametrize(("value", "what", "state", "codes"), MEANINGS)
def test_a_source_type_means_what_iptc_says(value: str, what: str, state: AiState | None, codes: list[str]) -> None:
    xmp = Xmp({iptc.DIGITAL_SOURCE_TYPE: (value,)})
    (statement,) = iptc.statements(xmp)
    assert (statement.what, statement.involvement, statement.strength) == (what, state, Strength.UNSIGNED)
    assert [item.code for item in iptc.findings(xmp)] == codes


def test_two_source_types_in_one_file_contradict_each_other() -> None:
    from tanba.formats.xmp import write_xmp

    data = picture("jpg")
    once = write_xmp(data, format_of(data, "jpg"), {iptc.DIGITAL_SOURCE_TYPE: GENERATED})
    other = (
        b'" Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/print" xmlns:Iptc4xmpExt="'
    )
    packet = once[once.index(b"<?xpacket") : once.index(b'<?xpacket end="w"?>') + 19]
    twice = packet.replace(b'rdf:about=""', b'rdf:about="' + other + IPTC_EXT.encode() + b'"', 1)
    from tanba.formats.containers import jpeg

    evidence = read_metadata(asset(jpeg.write(data, twice), "jpg"))
    assert "tanba.iptc.several_values" in [item.code for item in evidence.findings]
    assert evidence.layers[0].state is LayerState.CONTRADICTS


def test_the_names_are_those_of_the_standard_and_not_of_its_draft() -> None:
    assert {name for _, name in iptc.properties(FULL, content_id="c", moment=FULL.created_at)} == {
        "DigitalSourceType", "AISystemUsed", "AISystemVersionUsed", "AIPromptInformation", "AIPromptWriterName",
        "DataMining", "CreateDate", "MetadataDate", "InstanceID",
    }  # fmt: skip
    assert (IPTC_EXT, PLUS, XMP) == (
        "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
        "http://ns.useplus.org/ldf/xmp/1.0/",
        "http://ns.adobe.com/xap/1.0/",
    )
