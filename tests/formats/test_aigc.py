"""GB 45438-2025 Annex E: seven string keys, one label, the character set, first write and propagation (T29, T30)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from tanba.errors import UsageError
from tanba.formats import aigc
from tanba.formats.containers import jpeg
from tanba.formats.metadata import read_metadata, write_metadata
from tanba.formats.sniff import JPEG, PNG
from tanba.formats.xmp import TC260, merge, read_xmp, write_xmp
from tanba.model import Disclosure, Involvement
from tanba.report import AiState, Layer, LayerState
from tests.formats.files import PILLOW, asset, exiftool, format_of, needs_exiftool, picture

KEYS = ["Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2"]
CODE = "001191110108MA01KP2T5U00000"
CHINA = Disclosure(involvement=Involvement.GENERATED, provider="Example LLP", provider_id=CODE)


def labelled(
    extension: str = "jpg", disclosure: Disclosure = CHINA, data: bytes | None = None, id: str = "01JD"
) -> bytes:
    data = data if data is not None else picture(extension)
    return write_metadata(data, format_of(data, extension), disclosure, content_id=id, with_aigc=True).data


def stored(data: bytes, extension: str = "jpg") -> dict[str, str]:
    xmp = read_xmp(asset(data, extension))
    assert xmp is not None
    (text,) = xmp.values(TC260, "AIGC")
    return json.loads(text)


@pytest.mark.parametrize("extension", PILLOW)
def test_the_first_label_has_seven_string_keys_and_the_producer_as_propagator(extension: str) -> None:
    label = stored(labelled(extension), extension)
    assert list(label) == KEYS
    assert all(isinstance(value, str) for value in label.values())
    assert (label["Label"], label["ContentProducer"], label["ProduceID"]) == ("1", CODE, "01JD")
    assert (label["ContentPropagator"], label["PropagateID"]) == (CODE, "01JD")


@needs_exiftool
def test_exiftool_finds_one_label_in_the_namespace_of_tc260(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(labelled(data=labelled()))
    tags = exiftool([path], "-a")["x.jpg"]
    assert [key for key in tags if "aigc" in key.lower()] == ["XMP-TC260:Aigc"]
    assert b'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"' in path.read_bytes()


def test_a_second_run_replaces_the_own_label() -> None:
    assert stored(labelled(data=labelled(id="first"), id="second"))["ProduceID"] == "second"


def test_another_producers_triple_is_never_changed_by_a_propagator() -> None:
    theirs = {
        **dict.fromkeys(KEYS, ""),
        "Label": "1",
        "ContentProducer": "OTHER",
        "ProduceID": "77",
        "ReservedCode1": "s",
    }
    theirs |= {"ContentPropagator": "OTHER", "PropagateID": "77", "ReservedCode2": "t"}
    data = write_xmp(picture("jpg"), JPEG, {aigc.PROPERTY: json.dumps(theirs)})
    label = stored(labelled(data=data))
    assert [label[key] for key in KEYS] == ["1", "OTHER", "77", "s", CODE, "01JD", ""]


def png_with(keyword: str, text: str) -> bytes:
    import io

    info = PngImagePlugin.PngInfo()
    info.add_text(keyword, text)
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=info)
    return out.getvalue()


INNER = json.dumps(dict(zip(KEYS, ["1", "P", "1", "", "P", "1", ""], strict=True)))
WRAPPED = '{"AIGC": ' + INNER + "}"


def test_a_label_in_a_png_text_chunk_stays_the_only_one() -> None:
    data = png_with("AIGC", WRAPPED)
    made = write_metadata(data, PNG, CHINA, content_id="1", with_aigc=True)
    assert "already has an AIGC label" in made.notes[0]
    evidence = read_metadata(asset(made.data, "png"))
    assert [item.layer for item in evidence.statements].count(Layer.AIGC) == 1
    assert "tanba.aigc.duplicate" not in [item.code for item in evidence.findings]


@pytest.mark.parametrize("text", [INNER, WRAPPED])
def test_the_inner_and_the_wrapped_form_are_read_from_xmp_and_png_text(text: str) -> None:
    for made in (png_with("AIGC", text), write_xmp(picture("png"), PNG, {aigc.PROPERTY: text})):
        evidence = read_metadata(asset(made, "png"))
        (statement,) = evidence.statements
        assert (statement.layer, statement.value) == (Layer.AIGC, "Label 1 (is), ContentProducer P")
        assert statement.involvement is AiState.GENERATED
        assert evidence.layers[1].state is LayerState.FOUND


@needs_exiftool
def test_the_wrapped_form_is_read_from_the_exif_user_comment(tmp_path: Path) -> None:
    import subprocess

    path = tmp_path / "x.jpg"
    path.write_bytes(picture("jpg"))
    subprocess.run(
        ["exiftool", "-overwrite_original", f"-UserComment={WRAPPED}", str(path)], check=True, capture_output=True
    )
    evidence = read_metadata(asset(path.read_bytes(), "jpg"))
    assert [item.value for item in evidence.statements] == ["Label 1 (is), ContentProducer P"]


def test_two_labels_in_one_file_are_flagged() -> None:
    data = write_xmp(png_with("AIGC", WRAPPED), PNG, {aigc.PROPERTY: INNER})
    evidence = read_metadata(asset(data, "png"))
    assert "tanba.aigc.duplicate" in [item.code for item in evidence.findings]
    assert evidence.layers[1].state is LayerState.CONTRADICTS


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Label": 1}, "not a string"),
        ({"Label": "4"}, "not 1, 2 or 3"),
        ({"ContentProducer": "Пример"}, "characters"),
        ({"Extra": "x"}, "unknown keys"),
        ({"ProduceID": None}, "not a string"),
    ],
)
def test_departures_from_annex_e_are_named(change: dict[str, object], words: str) -> None:
    found = aigc.parse(json.dumps({**json.loads(INNER), **change}), "xmp")
    assert words in "; ".join(found.problems)


def test_a_duplicate_or_missing_key_is_named() -> None:
    assert "twice" in aigc.parse('{"Label":"1","Label":"2"}', "xmp").problems[0]
    assert "without" in aigc.parse('{"Label":"1"}', "xmp").problems[0]


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '"AIGC"', "[" * 100_000, '{"AIGC": 5}', "x" * 100_000])
def test_what_is_no_label_never_raises(text: str) -> None:
    found = aigc.parse(text, "xmp")
    assert found.label is None
    assert found.problems


@pytest.mark.parametrize(("label", "state"), [("1", AiState.GENERATED), ("2", None), ("3", None)])
def test_possibly_and_suspected_never_amount_to_ai(label: str, state: AiState | None) -> None:
    found = aigc.parse(INNER.replace('"Label": "1"', f'"Label": "{label}"'), "xmp")
    (statement,) = aigc.statements([found], degree_known=False)
    assert statement.involvement is state


@pytest.mark.parametrize("bad", ["Example LLP", "Пример", 'a"b', "a\\b", "生成"])
def test_a_producer_outside_the_character_set_is_refused(bad: str) -> None:
    with pytest.raises(UsageError) as caught:
        aigc.build(Disclosure(involvement=Involvement.GENERATED, provider=bad), "1")
    assert caught.value.code == "tanba.aigc.charset"


def test_a_label_without_producer_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        aigc.build(Disclosure(involvement=Involvement.GENERATED), "1")
    assert caught.value.code == "tanba.aigc.producer"


@pytest.mark.parametrize("involvement", [Involvement.HUMAN, Involvement.ASSISTED])
def test_content_without_substantial_ai_gets_no_label(involvement: Involvement) -> None:
    data = labelled(disclosure=Disclosure(involvement=involvement, provider_id=CODE))
    assert b"TC260" not in data


def test_a_label_of_doubao_shape_is_read() -> None:
    """Element form inside an rdf:Description, as in facts/regulation 3.3 and its appendix."""
    packet = merge(None, {aigc.PROPERTY: INNER})
    evidence = read_metadata(asset(jpeg.write(picture("jpg"), packet), "jpg"))
    assert evidence.layers[1].state is LayerState.FOUND
