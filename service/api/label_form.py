"""The options of ``tanba label`` as a form or as query parameters, and what they mean for the labeler."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from service.api.schemas import Statement
from service.checks import checked
from tanba.errors import UsageError
from tanba.model import SOURCE_TYPES, Carrier, DigitalSourceType, Disclosure, Involvement, Oversight
from tanba.profiles.loader import available


def _split(value: Any) -> Any:
    """``kk,ru`` and two fields are the same."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, (list, tuple)):
        return [part.strip() for item in value for part in str(item).split(",") if part.strip()]
    return value


Words = Annotated[list[str], BeforeValidator(_split)]
Line = Annotated[Statement, Field(max_length=500)]
Basis = Literal["person_appearance", "person_voice", "person_behaviour", "non_event"]


class LabelForm(BaseModel):
    """What is stated about the content, and how the label is made."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    involvement: Involvement = Field(
        alias="as",
        description="Required. What is true about AI and this content: made by a trained model; changed by AI in substance; "
        "a mix with at least one AI-made element; edited with AI help without a change of meaning; declared as human.",
    )
    source_type: DigitalSourceType | None = Field(None, description="IPTC digital source type, if not the usual one.")
    system: Line | None = Field(None, description="Name of the AI system.")
    system_version: Line | None = Field(None, description="Its version.")
    model: Line | None = Field(None, description="Model identifier, for instance a package URL.")
    model_type: Line = Field("c2pa.types.model", description="C2PA model type.")
    provider: Line | None = Field(None, description="Organisation that provides the system.")
    provider_id: Line | None = Field(None, description="Registered code of the provider (TC260 code for China).")
    oversight: Oversight | None = Field(None, description="How far a person directed or checked the system.")
    prompt_author: Line | None = Field(None, description="Who wrote the prompt. Published.")
    prompt: Annotated[str, Field(max_length=20_000)] | None = Field(
        None, description="Only its digest enters the file, unless embed_prompt is true."
    )
    embed_prompt: bool = Field(False, description="Publish the prompt's text inside the file.")
    human_contribution: Statement | None = Field(None, description="The human creative contribution, in words.")
    no_training: bool = Field(False, description="Reserve text-and-data mining and AI training.")
    operations: list[Line] = Field(
        default_factory=list, max_length=32, description="What was done, in words; may be given several times."
    )
    synthetic_result: Annotated[list[Basis], BeforeValidator(_split)] = Field(
        default_factory=list, max_length=4, description="Why this is a synthetic result (Kazakhstan, Art. 1(4))."
    )
    lang: Words = Field(
        default_factory=lambda: ["en"], max_length=8, description="Languages of the readers, in order: kk,ru,en."
    )
    content_id: Line | None = Field(None, description="Your own unique number of this content; a UUID otherwise.")
    title: Line | None = Field(None, description="Title in the label; the bare file name otherwise.")
    profile: Words = Field(default_factory=list, max_length=8, description="Labelling laws to meet: kz, eu, cn, …")
    visible: bool = Field(False, description="Add a visible mark (images) or line (text).")
    placement: Literal["top-right", "top-left", "bottom-right", "bottom-left", "top", "bottom"] | None = Field(
        None, description="Where a visible mark stands; the profile's place otherwise."
    )
    metadata: bool = Field(True, description="Write IPTC/XMP fields; false leaves the metadata alone.")
    compact: bool = Field(False, description="Text: the smallest manifest that still verifies.")
    sections: bool = Field(False, description="Text: digests of every paragraph, to recognise quoted parts.")
    manifest_url: Annotated[Line, Field(pattern=r"^https?://")] | None = Field(
        None, description="HTML and structured text: refer to the manifest at this address instead."
    )
    carrier: Carrier | None = Field(None, description="How the manifest travels; chosen by the format otherwise.")
    identity: Line | None = Field(None, description="Signing identity; the service's default otherwise.")
    timestamp: bool = Field(False, description="Ask the operator's time-stamp authority (RFC 3161).")
    accept_tampered_parent: bool = Field(
        False, description="Label although an existing label fails; the new label says so."
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.source_type is not None and self.source_type not in SOURCE_TYPES[self.involvement]:
            allowed = ", ".join(item.value for item in SOURCE_TYPES[self.involvement])
            raise ValueError(f"source_type does not fit; allowed here: {allowed}")
        if self.involvement is Involvement.HUMAN and (self.model or self.prompt or self.prompt_author):
            raise ValueError("human contradicts model, prompt and prompt_author")
        if unknown := [item for item in self.profile if item not in available()]:
            raise ValueError(f"unknown profile {unknown[0][:40]!r}; known: {', '.join(available())}")
        if self.embed_prompt and not self.prompt:
            raise ValueError("embed_prompt needs a prompt")
        return self

    def disclosure(self) -> Disclosure:
        """What is stated, as the kernel's value. Raises :class:`UsageError`."""
        prompt = self.prompt if self.embed_prompt else None
        digest = None
        if self.prompt is not None and not self.embed_prompt:
            digest = hashlib.sha256(self.prompt.encode("utf-8", "surrogatepass")).hexdigest()
        return Disclosure(
            involvement=self.involvement,
            source_type=self.source_type,
            system=self.system,
            system_version=self.system_version,
            model=self.model,
            model_type=self.model_type,
            provider=self.provider,
            provider_id=self.provider_id,
            oversight=self.oversight,
            prompt_author=self.prompt_author,
            prompt=prompt,
            prompt_sha256=digest,
            human_contribution=self.human_contribution,
            no_training=self.no_training,
            operations=tuple(self.operations),
            synthetic_result=tuple(self.synthetic_result),
            languages=tuple(dict.fromkeys(self.lang)) or ("en",),
            content_id=self.content_id,
            title=self.title,
        )

    def options(self, timestamp_url: str | None) -> dict[str, Any]:
        """Plain keyword arguments for :class:`labeler.LabelOptions`; ``timestamp_url`` only says whether a stamp is
        wished for, and by whom. Raises :class:`UsageError`.
        """
        if self.timestamp and not (timestamp_url or "").split():
            raise UsageError(
                "this service has no time-stamp authority",
                code="tanba.timestamp.not_configured",
                hint="the operator sets TANBA_TIMESTAMP_URL",
            )
        return {
            "visible": self.visible,
            "placement": self.placement,
            "metadata": self.metadata,
            "compact": self.compact,
            "sections": self.sections,
            "manifest_url": self.manifest_url,
            "carrier": self.carrier,
            "accept_tampered_parent": self.accept_tampered_parent,
            "timestamp_url": timestamp_url if self.timestamp else None,
        }


_LISTS = {name for name, item in LabelForm.model_fields.items() if "list" in str(item.annotation).lower()}


def parse(form: Mapping[str, Sequence[str]], query: Mapping[str, Sequence[str]]) -> LabelForm:
    """Form fields, else query parameters, as one checked form. Raises ``RequestValidationError`` (422)."""
    values: dict[str, Any] = {}
    for name, given in {**query, **form}.items():
        kept = [item for item in given if item != ""]
        if kept:
            values[name] = list(kept) if name in _LISTS else kept[-1]
    return checked(LabelForm, values, "body" if form else "query")


def openapi_properties() -> dict[str, Any]:
    """The form's fields for OpenAPI, without references into a schema of its own."""
    schema = LabelForm.model_json_schema()
    definitions = schema.pop("$defs", {})
    for found in definitions.values():  # notes for whoever reads the code
        found.pop("description", None)

    def inline(value: Any) -> Any:
        if isinstance(value, dict):
            if (ref := value.get("$ref")) is not None:
                beside = {key: item for key, item in value.items() if key != "$ref"}
                return inline(definitions[ref.rpartition("/")[2]]) | inline(beside)
            return {key: inline(item) for key, item in value.items()}
        return [inline(item) for item in value] if isinstance(value, list) else value

    properties: dict[str, Any] = inline(schema["properties"])
    return properties
