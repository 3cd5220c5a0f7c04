"""What tests of pictures share: a real photograph and the smallest definition that says a model made it."""

from __future__ import annotations

from pathlib import Path

from tanba.model import DigitalSourceType

PHOTO = Path(__file__).resolve().parents[1] / "samples" / "sources" / "photo.jpg"
CREATED = {
    "title": "photo.jpg",
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "created": True,
            "data": {
                "actions": [
                    {"action": "c2pa.created", "digitalSourceType": DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA.uri}
                ]
            },
        }
    ],
}
