"""Jurisdiction profiles: what a law, code or standard asks of a label, as versioned data with articles and sources."""

from tanba.profiles.loader import available, load
from tanba.profiles.requirements import combine, missing_fields
from tanba.profiles.schema import (
    FLAGS,
    LAYERS,
    PLACEMENTS,
    Binding,
    LabelString,
    Profile,
    Requirement,
    Severity,
    Source,
    Unmet,
    Use,
    VisibleSpec,
    When,
    Wording,
)

__all__ = [
    "FLAGS",
    "LAYERS",
    "PLACEMENTS",
    "Binding",
    "LabelString",
    "Profile",
    "Requirement",
    "Severity",
    "Source",
    "Unmet",
    "Use",
    "VisibleSpec",
    "When",
    "Wording",
    "available",
    "combine",
    "load",
    "missing_fields",
]
