"""A thin, typed client of a Tanba service, in the words of the command line: :class:`Client` and :class:`AsyncClient`.

>>> from tanba.client import Client                                      # doctest: +SKIP
>>> with Client("http://127.0.0.1:8000", key="tnb_dev_…") as tanba:      # doctest: +SKIP
...     done = tanba.label(Path("photo.jpg"), {"as": "generated", "system": "ExampleGen"})
...     tanba.verify(done.content).verdict
<Verdict.TRUSTED: 'trusted'>

The service is one that the user named, so addresses of private networks are fine here; nothing is fetched from
anywhere else. Every label gets an ``Idempotency-Key``, so a repeated request never makes a second label.
"""

from tanba.client.aio import AsyncClient
from tanba.client.calls import Labelled, ServiceProblem
from tanba.client.sync import Client

__all__ = ["AsyncClient", "Client", "Labelled", "ServiceProblem"]
