"""A `curl` line for every operation (`x-codeSamples` in the OpenAPI document): what a newcomer copies first.

`$TANBA` is the service's address, `$TANBA_KEY` a key with the scope that the operation asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KEY = '-H "Authorization: Bearer $TANBA_KEY"'
_JSON = "-H 'Content-Type: application/json'"
_LABEL = "$TANBA/v1/labels/$LABEL_ID"

CURL: Mapping[tuple[str, str], str] = {
    ("post", "/v1/labels"): (
        f'curl {_KEY} -H "Idempotency-Key: order-4711" \\\n'
        "     -F as=generated -F system=MyModel -F file=@photo.jpg $TANBA/v1/labels"
    ),
    ("get", "/v1/labels"): "curl \"$TANBA/v1/labels?sha256=$(sha256sum photo.jpg | cut -d' ' -f1)\"",
    ("get", "/v1/labels/{label_id}"): f"curl {_LABEL}",
    ("get", "/v1/labels/{label_id}/content"): f"curl {_LABEL}/content -o labelled.jpg",
    ("get", "/v1/labels/{label_id}/manifest"): f"curl {_LABEL}/manifest -o labelled.c2pa",
    ("get", "/v1/labels/{label_id}/proof"): f"curl {_LABEL}/proof",
    ("get", "/v1/labels/{label_id}/status"): f"curl {_LABEL}/status",
    ("post", "/v1/labels/{label_id}/withdraw"): (
        f'curl {_KEY} {_JSON} \\\n     -d \'{{"reason": "the wrong image was sent"}}\' {_LABEL}/withdraw'
    ),
    ("post", "/v1/labels/{label_id}/contest"): (
        f'curl {_JSON} \\\n     -d \'{{"reason": "not_ai", "statement": "I took this photo.", "lang": "kk"}}\' {_LABEL}/contest'
    ),
    ("post", "/v1/labels/batch"): (
        f"curl {_KEY} -F as=generated -F system=MyModel \\\n"
        "     -F file=@a.jpg -F file=@b.png -F text='A generated text.' $TANBA/v1/labels/batch"
    ),
    ("get", "/v1/jobs/{job_id}"): f"curl {_KEY} $TANBA/v1/jobs/$JOB_ID",
    ("delete", "/v1/jobs/{job_id}"): f"curl -X DELETE {_KEY} $TANBA/v1/jobs/$JOB_ID",
    ("get", "/v1/jobs/{job_id}/items"): f'curl {_KEY} "$TANBA/v1/jobs/$JOB_ID/items?limit=1000"',
    ("get", "/v1/webhook-secret"): f"curl {_KEY} $TANBA/v1/webhook-secret",
    ("post", "/v1/verifications"): (
        "curl -F file=@labelled.jpg $TANBA/v1/verifications\n"
        "curl -F text='Some words' $TANBA/v1/verifications\n"
        "curl -H 'Content-Type: image/jpeg' --data-binary @labelled.jpg $TANBA/v1/verifications"
    ),
    ("post", "/v1/verifications/url"): (
        f'curl {_JSON} \\\n     -d \'{{"url": "https://example.org/photo.jpg"}}\' $TANBA/v1/verifications/url'
    ),
    ("get", "/v1/verifications/by-hash/{sha256}"): (
        "curl $TANBA/v1/verifications/by-hash/$(sha256sum labelled.jpg | cut -d' ' -f1)"
    ),
    ("post", "/v1/verifications/batch"): (
        "curl -F file=@a.jpg -F file=@b.jpg $TANBA/v1/verifications/batch\n"
        f'curl {_JSON} \\\n     -d \'{{"items": [{{"url": "https://example.org/photo.jpg"}}]}}\' $TANBA/v1/verifications/batch'
    ),
    ("get", "/v1/contests/{number}"): "curl $TANBA/v1/contests/K7Q2-9FMX-4TBA",
    ("get", "/v1/contests"): f'curl {_KEY} "$TANBA/v1/contests?state=open"',
    ("post", "/v1/contests/{number}/answer"): (
        f"curl {_KEY} {_JSON} \\\n"
        '     -d \'{"state": "upheld", "answer": "You are right; the label was withdrawn."}\' \\\n'
        "     $TANBA/v1/contests/K7Q2-9FMX-4TBA/answer"
    ),
    ("get", "/v1/trust"): "curl $TANBA/v1/trust",
    ("get", "/v1/profiles"): "curl $TANBA/v1/profiles",
    ("get", "/v1/identities"): f"curl {_KEY} $TANBA/v1/identities",
    ("get", "/v1/explain/{code}"): 'curl "$TANBA/v1/explain/assertion.dataHash.mismatch?lang=kk"',
    ("get", "/v1/log"): "curl $TANBA/v1/log",
    ("get", "/v1/log/checkpoint"): "curl $TANBA/v1/log/checkpoint",
    ("get", "/v1/log/entries"): 'curl "$TANBA/v1/log/entries?start=0&end=100"',
    ("get", "/v1/log/entries/{index}"): "curl $TANBA/v1/log/entries/0",
    ("get", "/v1/log/consistency"): 'curl "$TANBA/v1/log/consistency?from=1&to=2"',
    ("get", "/healthz"): "curl $TANBA/healthz",
    ("get", "/readyz"): "curl $TANBA/readyz",
    ("get", "/metrics"): "curl $TANBA/metrics",
}


def add(document: Mapping[str, Any]) -> None:
    """Put the samples into an OpenAPI document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if (source := CURL.get((method, path))) is not None:
                operation["x-codeSamples"] = [{"lang": "Shell", "label": "curl", "source": source}]
