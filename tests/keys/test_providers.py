"""One contract for every key provider: it signs what is trusted, it fails typed and in time, it leaves nothing open."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

import labeler
from keys import algorithms, files, lifecycle, open_identity
from keys.csr import build
from keys.development import trust, utc_now
from keys.keyring import IdentityInfo
from keys.lifecycle import Plan
from keys.providers import get
from keys.providers.base import KeyReference
from keys.states import State
from tanba.asset import Asset
from tanba.engine.read import read
from tanba.engine.write import sign_detached
from tanba.errors import CredentialError, PassphraseRequired, ProviderUnavailable, TanbaError
from tanba.model import Disclosure, Involvement
from tests.keys import doubles
from tests.keys.conftest import DEFINITION, Home, codes, label_picture, read_picture
from tests.pki import make_key

SOFTHSM = next((path for path in (
    "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so",
) if Path(path).exists()), None)  # fmt: skip
P11_KIT = next(
    (str(path) for path in Path("/usr/lib").glob("*/pkcs11/p11-kit-client.so") if shutil.which("p11-kit")), None
)
PIN, SECRET = "1234-pin", "correct horse"
SECONDS = 1.0


def secrets(source: str) -> str:
    return {"env:PIN": PIN, "env:PASS": SECRET, "env:TOKEN": "t0ken", "env:WRONG": "wrong"}[source]


@dataclass
class Bench:
    """One provider, ready to be used."""

    provider: str
    algorithm: str
    options: dict[str, str]
    existing: bool = True
    service: doubles.Service | None = None
    prepare: Callable[[Path], None] = field(default=lambda directory: None)

    def identity(self, home: Home) -> IdentityInfo:
        plan = Plan("line", self.algorithm, self.provider, self.options, existing=self.existing)
        if self.provider == "pkcs12":
            self.prepare(home.keys / f"line@{utc_now().date()}")
        info = lifecycle.create(home.keys, plan, clock=utc_now, secrets=secrets)
        trust(home.keys, home.trust_dir, utc_now())
        return lifecycle.activate(home.keys, info.name, clock=utc_now, probe=lambda _: None)


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A SoftHSM with one token; the driver reads its configuration once per process."""
    if SOFTHSM is None:
        pytest.skip("SoftHSM 2 is not installed")
    home = tmp_path_factory.mktemp("softhsm")
    (home / "tokens").mkdir()
    (home / "softhsm2.conf").write_text(
        f"directories.tokendir = {home}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(home / "softhsm2.conf")
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "test", "--pin", PIN, "--so-pin", "so-pin"],
        check=True, capture_output=True,
    )  # fmt: skip
    yield str(home / "tokens")
    os.environ.pop("SOFTHSM2_CONF")


class TokenService:
    """SoftHSM behind a socket; killed and frozen with the children that serve its connections."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.start()

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["p11-kit", "server", "-f", "-n", self.socket, "--provider", str(SOFTHSM), "pkcs11:token=test"],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(200):
            if self.socket.exists():
                return
            time.sleep(0.02)
        raise AssertionError("p11-kit does not start")

    def signal(self, number: int) -> None:
        os.killpg(self.process.pid, number)
        if number == signal.SIGKILL:
            self.process.wait()


def _pkcs12(algorithm: str) -> Callable[[Path], None]:
    def prepare(directory: Path) -> None:
        files.private_directory(directory)
        content = pkcs12.serialize_key_and_certificates(
            b"k", make_key(algorithm), None, None, BestAvailableEncryption(SECRET.encode())
        )
        files.write(directory / "key.p12", content)

    return prepare


def _service(kind: type[doubles.Service], algorithm: str, provider: str, stack: ExitStack, **options: str) -> Bench:
    service = stack.enter_context(kind(algorithm, "t0ken").running())
    where = {"endpoint" if provider == "aws-kms" else "url": service.url}
    return Bench(provider, algorithm, {**where, **options}, service=service)


CASES = [
    ("file, plain", "es256"), ("file, encrypted", "es256"), ("file, plain", "es384"), ("file, plain", "es512"),
    ("file, plain", "ps256"), ("file, plain", "ps384"), ("file, plain", "ed25519"), ("pkcs12", "es256"),
    ("pkcs12", "ps256"), ("softhsm", "es256"), ("softhsm", "es384"), ("softhsm", "ps256"), ("softhsm", "ed25519"),
    ("kms", "es256"), ("kms", "es512"), ("kms", "ps256"), ("kms", "ed25519"), ("kms, raw", "es256"),
    ("vault", "es256"), ("vault", "es384"), ("vault", "ps512"), ("vault", "ed25519"),
    ("remote", "es256"), ("remote", "ps256"), ("remote", "ed25519"),
]  # fmt: skip


@pytest.fixture
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    kind, algorithm = request.param
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    kms = {"key": "alias/test", "region": "eu-central-1"}
    with ExitStack() as stack:
        match kind:
            case "file, plain":
                yield Bench("file", algorithm, {}, existing=False)
            case "file, encrypted":
                yield Bench("file", algorithm, {"passphrase": "env:PASS"}, existing=False)
            case "pkcs12":
                yield Bench("pkcs12", algorithm, {"passphrase": "env:PASS"}, prepare=_pkcs12(algorithm))
            case "softhsm":
                request.getfixturevalue("softhsm")
                label = f"key-{time.time_ns()}"
                options = {"module": str(SOFTHSM), "token": "test", "label": label, "pin": "env:PIN"}
                yield Bench("pkcs11", algorithm, options, existing=False)
            case "kms":
                yield _service(doubles.Kms, algorithm, "aws-kms", stack, **kms)
            case "kms, raw":
                yield _service(doubles.Kms, algorithm, "aws-kms", stack, **kms, message="raw")
            case "vault":
                yield _service(doubles.Vault, algorithm, "vault", stack, key="test", token="env:TOKEN")
            case _:
                yield _service(doubles.Remote, algorithm, "remote", stack, token="env:TOKEN")


every = pytest.mark.parametrize("bench", CASES, indirect=True, ids=[" ".join(case) for case in CASES])
one_each = [
    ("file, encrypted", "es256"),
    ("pkcs12", "es256"),
    ("softhsm", "es256"),
    ("kms", "es256"),
    ("vault", "es256"),
    ("remote", "es256"),
]
over_http = [("kms", "es256"), ("vault", "es256"), ("remote", "es256")]


@every
def test_it_signs_a_picture_that_reads_as_trusted(bench: Bench, home: Home, picture: bytes) -> None:
    info = bench.identity(home)
    with open_identity(home=home.keys, secrets=secrets) as signer:
        evidence = read_picture(label_picture(picture, signer), home.trust())
    assert evidence.state == "Trusted"
    assert "claimSignature.validated" in codes(evidence)
    assert info.state is State.ACTIVE


@pytest.mark.parametrize("bench", one_each, indirect=True, ids=[case[0] for case in one_each])
def test_it_signs_a_text_that_reads_as_trusted(bench: Bench, home: Home) -> None:
    bench.identity(home)
    content = "Сәлем, әлем".encode()
    with open_identity(home=home.keys, secrets=secrets) as signer:
        store = sign_detached(content, DEFINITION, signer)
    evidence = read(Asset.from_bytes(content, name="hello.txt"), trust=home.trust(), manifest=store)
    assert evidence.state == "Trusted"


@every
def test_it_signs_a_request_with_the_c2pa_profile(bench: Bench, home: Home) -> None:
    info = bench.identity(home)
    where = KeyReference(algorithms.get(bench.algorithm), home.keys / info.name, info.options, secrets)
    with get(info.provider).open_key(where) as key:
        pem = build(key, where.algorithm, common_name="Signer", organization="Newsroom LLP", country="KZ")
        public = key.public_key_der()
    request = x509.load_pem_x509_csr(pem)
    assert request.is_signature_valid
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    assert request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == public
    assert request.subject.rfc4514_string() == "CN=Signer,O=Newsroom LLP,C=KZ"
    usage = request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [item.dotted_string for item in usage] == ["1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.4"]
    key_usage = request.extensions.get_extension_for_class(x509.KeyUsage)
    assert key_usage.critical
    assert key_usage.value.digital_signature
    assert not key_usage.value.key_cert_sign


@every
def test_openssl_accepts_the_request(bench: Bench, home: Home, tmp_path: Path) -> None:
    info = bench.identity(home)
    where = KeyReference(algorithms.get(bench.algorithm), home.keys / info.name, info.options, secrets)
    with get(info.provider).open_key(where) as key:
        pem = build(key, where.algorithm, common_name="Signer", organization="Newsroom LLP")
    command = ["openssl", "req", "-noout", "-verify", "-text"]
    done = subprocess.run(command, input=pem, capture_output=True, check=True)
    assert b"verify OK" in done.stdout + done.stderr
    assert b"1.3.6.1.4.1.62558.2.1" in done.stdout


@pytest.mark.parametrize("bench", one_each, indirect=True, ids=[case[0] for case in one_each])
def test_no_secret_reaches_a_log_an_error_or_the_keyring(
    bench: Bench, home: Home, picture: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    told = []
    bench.identity(home)
    with open_identity(home=home.keys, secrets=secrets, seconds=SECONDS) as signer:
        label_picture(picture, signer)
        told.append(repr(signer))
        if bench.service is not None:
            bench.service.mode = "down"
            with pytest.raises(TanbaError) as caught:
                label_picture(picture, signer)
            told.append(repr(caught.value.to_dict()) + "".join(traceback.format_exception(caught.value)))
    told += [caplog.text, *capfd.readouterr(), (home.keys / "keyring.toml").read_text()]
    for secret in (PIN, SECRET, "t0ken", "PRIVATE KEY"):
        assert secret not in "".join(told)


@pytest.mark.parametrize("bench", one_each, indirect=True, ids=[case[0] for case in one_each])
def test_it_can_be_opened_again_after_an_error_inside(bench: Bench, home: Home, picture: bytes) -> None:
    bench.identity(home)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), open_identity(home=home.keys, secrets=secrets):
            raise ZeroDivisionError
    with open_identity(home=home.keys, secrets=secrets) as signer:
        assert read_picture(label_picture(picture, signer), home.trust()).state == "Trusted"


@pytest.mark.parametrize("bench", over_http, indirect=True, ids=[case[0] for case in over_http])
@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("down", ProviderUnavailable), ("slow", ProviderUnavailable), ("garbage", ProviderUnavailable),
        ("wrong", CredentialError), ("denied", CredentialError),
    ],
)  # fmt: skip
def test_a_service_that_fails_in_the_middle_yields_a_typed_error_in_time_and_no_label(
    bench: Bench, mode: str, expected: type[TanbaError], home: Home, picture: bytes
) -> None:
    bench.identity(home)
    assert bench.service is not None
    from tanba.engine.write import sign

    out = io.BytesIO()
    with open_identity(home=home.keys, secrets=secrets, seconds=SECONDS) as signer:
        bench.service.mode = mode
        started = time.monotonic()
        with pytest.raises(expected) as caught:
            sign(io.BytesIO(picture), "image/png", DEFINITION, signer, out)
        assert time.monotonic() - started < SECONDS + 1.5
        bench.service.mode = "ok"
        assert read_picture(label_picture(picture, signer), home.trust()).state == "Trusted", "the service came back"
    assert not out.getvalue()
    if mode == "slow":
        assert caught.value.code == "tanba.keys.provider_slow"
    if mode == "wrong":
        assert caught.value.code == "tanba.keys.bad_signature"
    if mode == "slow":
        assert caught.value.__cause__ is not None


def test_a_remote_signer_that_is_killed_and_started_again_goes_on_signing(home: Home, picture: bytes) -> None:
    service = doubles.Remote("es256", "t0ken")
    with service.running():
        Bench("remote", "es256", {"url": service.url, "token": "env:TOKEN"}, service=service).identity(home)
    with open_identity(home=home.keys, secrets=secrets, seconds=SECONDS) as signer:
        with pytest.raises(ProviderUnavailable) as caught:
            label_picture(picture, signer)
        assert caught.value.retryable
        with service.running(port=int(service.url.rpartition(":")[2])):
            assert read_picture(label_picture(picture, signer), home.trust()).state == "Trusted"


@pytest.mark.parametrize("bench", [("softhsm", "es256")], indirect=True, ids=["softhsm"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # iterators of sessions we killed
class TestSoftHsm:
    """What only a token can do wrong."""

    def test_a_label_of_the_token_is_accepted_by_an_independent_verifier(
        self, bench: Bench, home: Home, picture: bytes, tmp_path: Path
    ) -> None:
        import encypher_c2pa

        bench.identity(home)
        with open_identity(home=home.keys, secrets=secrets) as signer:
            labelled = label_picture(picture, signer)
        report = encypher_c2pa.verify(
            labelled,
            "image/png",
            trust_pem=home.trust().lists[0].anchors_pem,
            no_default_trust=True,
            telemetry=False,
        )
        assert report["integrity"] == "valid"
        assert report["trust"]["status"] == "valid_for_supplied_material"

    def test_a_text_signed_on_the_token_is_accepted_by_an_independent_verifier(self, bench: Bench, home: Home) -> None:
        import encypher_c2pa

        bench.identity(home)
        said = Disclosure(involvement=Involvement.GENERATED, system="ExampleGen")
        with open_identity(home=home.keys, secrets=secrets) as signer:
            done = labeler.label("Сәлем, әлем".encode(), said, signer=signer, name="hello.txt")
        report = encypher_c2pa.verify(
            done.content,
            "text/plain",
            trust_pem=home.trust().lists[0].anchors_pem,
            no_default_trust=True,
            telemetry=False,
        )
        assert report["integrity"] == "valid"
        assert report["trust"]["status"] == "valid_for_supplied_material"

    def test_a_restart_of_the_token_service_in_the_middle_is_survived(
        self, bench: Bench, home: Home, picture: bytes
    ) -> None:
        import pkcs11

        bench.identity(home)
        with open_identity(home=home.keys, secrets=secrets) as signer:
            label_picture(picture, signer)
            pkcs11.lib(str(SOFTHSM)).reinitialize()  # C_Finalize and C_Initialize: every session is gone
            assert read_picture(label_picture(picture, signer), home.trust()).state == "Trusted"

    def test_a_token_service_that_is_killed_frozen_and_started_again_is_found_again(
        self, bench: Bench, home: Home, picture: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """SoftHSM in a process of its own, reached through p11-kit's driver: what a network HSM does."""
        if P11_KIT is None:
            pytest.skip("p11-kit is not installed")
        monkeypatch.setenv("P11_KIT_SERVER_ADDRESS", f"unix:path={tmp_path}/socket")
        service = TokenService(tmp_path / "socket")
        bench.options["module"] = P11_KIT
        try:
            bench.identity(home)
            with open_identity(home=home.keys, secrets=secrets, seconds=SECONDS) as signer:
                label_picture(picture, signer)
                service.signal(signal.SIGKILL)
                with pytest.raises(ProviderUnavailable) as caught:
                    label_picture(picture, signer)
                assert caught.value.__cause__ is not None
                service.start()
                assert read_picture(label_picture(picture, signer), home.trust()).state == "Trusted"
                service.signal(signal.SIGSTOP)
                began = time.monotonic()
                with pytest.raises(ProviderUnavailable) as caught:
                    label_picture(picture, signer)
                assert time.monotonic() - began < SECONDS + 1.5
                assert caught.value.code == "tanba.keys.provider_slow"
                service.signal(signal.SIGCONT)
                assert read_picture(label_picture(picture, signer), home.trust()).state == "Trusted"
        finally:
            service.signal(signal.SIGKILL)

    def test_a_token_that_is_pulled_out_in_the_middle_is_a_typed_error_and_works_when_it_is_back(
        self, bench: Bench, home: Home, picture: bytes, softhsm: str
    ) -> None:
        import pkcs11

        bench.identity(home)
        with open_identity(home=home.keys, secrets=secrets) as signer:
            shutil.move(softhsm, softhsm + ".away")
            Path(softhsm).mkdir()
            try:
                pkcs11.lib(str(SOFTHSM)).reinitialize()
                with pytest.raises(ProviderUnavailable) as caught:
                    label_picture(picture, signer)
                assert isinstance(caught.value.__cause__, pkcs11.PKCS11Error)
            finally:
                Path(softhsm).rmdir()
                shutil.move(softhsm + ".away", softhsm)
            pkcs11.lib(str(SOFTHSM)).reinitialize()
            assert read_picture(label_picture(picture, signer), home.trust()).state == "Trusted"

    def test_a_wrong_pin_is_refused_with_the_drivers_error_as_the_cause(self, bench: Bench, home: Home) -> None:
        import pkcs11

        info = bench.identity(home)
        from dataclasses import replace

        from keys import keyring

        with keyring.changing(home.keys) as save:
            save(keyring.load(home.keys).put(replace(info, options={**info.options, "pin": "env:WRONG"})))
        with pytest.raises(PassphraseRequired) as caught, open_identity(home=home.keys, secrets=secrets):
            pass
        assert isinstance(caught.value.__cause__, pkcs11.PinIncorrect)
        assert "wrong" not in str(caught.value.to_dict()).replace("wrong PINs", "")

    def test_a_key_that_is_not_on_the_token_is_named(self, bench: Bench, home: Home) -> None:
        bench.options["label"] = "nobody"
        bench.existing = True
        with pytest.raises(CredentialError) as caught:
            bench.identity(home)
        assert caught.value.code == "tanba.keys.key_missing"

    def test_a_token_of_another_name_is_not_there(self, bench: Bench, home: Home) -> None:
        bench.options["token"] = "other"
        with pytest.raises(ProviderUnavailable):
            bench.identity(home)

    def test_four_threads_share_one_session(self, bench: Bench, home: Home, picture: bytes) -> None:
        from concurrent.futures import ThreadPoolExecutor

        bench.identity(home)

        def work(_: int) -> str | None:
            with open_identity(home=home.keys, secrets=secrets) as signer:
                return read_picture(label_picture(picture, signer), home.trust()).state

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(work, range(16))) == {"Trusted"}

    def test_the_private_key_cannot_be_taken_out(self, bench: Bench, home: Home) -> None:
        import pkcs11

        bench.identity(home)
        session = pkcs11.lib(str(SOFTHSM)).get_token(token_label="test").open(user_pin=PIN)
        key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=bench.options["label"])
        assert key[pkcs11.Attribute.NEVER_EXTRACTABLE] is True
        session.close()


def test_aws_kms_makes_a_key_and_signs_against_moto(
    home: Home, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto does not know MessageType=DIGEST; the digest way is tested with the double above."""
    from moto.server import ThreadedMotoServer

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        options = {
            "key": "alias/label",
            "region": "eu-central-1",
            "endpoint": f"http://{host}:{port}",
            "message": "raw",
        }
        Bench("aws-kms", "es256", options, existing=False).identity(home)
        with open_identity(home=home.keys, secrets=secrets) as signer:
            assert read_picture(label_picture(picture, signer), home.trust()).state == "Trusted"
        Bench("aws-kms", "es256", {**options, "key": "alias/none"})
        with pytest.raises(CredentialError) as caught:
            Bench("aws-kms", "es256", {**options, "key": "alias/none"}).identity(home)
        assert caught.value.code == "tanba.keys.key_missing"
        assert caught.value.__cause__ is not None
    finally:
        server.stop()


def test_only_the_hash_of_a_claim_goes_to_a_remote_signer(home: Home, picture: bytes) -> None:
    with doubles.Remote("es256", "t0ken").running() as service:
        Bench("remote", "es256", {"url": service.url, "token": "env:TOKEN"}).identity(home)
        with open_identity(home=home.keys, secrets=secrets) as signer:
            label_picture(picture, signer)
    path, body = service.requests[-1]
    assert path == "/sign"
    assert set(body) == {"algorithm", "digest"}


@pytest.mark.parametrize(
    ("module", "provider", "extra"), [("pkcs11", "pkcs11", "pkcs11"), ("boto3", "aws-kms", "kms-aws")]
)
def test_a_provider_whose_library_is_missing_says_what_to_install(
    module: str, provider: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from tanba.errors import InstallationError

    monkeypatch.setitem(sys.modules, module, None)
    options = {"module": "/x", "token": "t", "pin": "env:PIN", "key": "alias/test", "label": "k"}
    where = KeyReference(algorithms.get("es256"), tmp_path, options, secrets)
    with pytest.raises(InstallationError) as caught, get(provider).open_key(where):
        pass
    assert extra in (caught.value.hint or "")
