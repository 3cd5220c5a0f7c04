"""Makes the README's picture: the quickstart's labelled photograph beside the report on it, from a real browser.

python docs/make_result_picture.py      after `python3 dev.py quickstart`, with Chromium installed
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
PHOTO = HOME / "out" / "photo-labelled.jpg"
RESULT = HOME / "docs" / "images" / "result.png"
WIDTH, HEIGHT = 1500, 800
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><style>
body{{margin:0;display:flex;gap:24px;padding:24px;background:#e9e7e0;height:752px;overflow:hidden}}
img{{width:620px;height:auto;align-self:flex-start;box-shadow:0 2px 12px #0003}}
iframe{{flex:1;height:760px;border:0;background:#fff;box-shadow:0 2px 12px #0003}}
</style><img src="data:image/jpeg;base64,{photo}" alt=""><iframe src="report.html" scrolling="no"></iframe></html>"""


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or not PHOTO.is_file():
        raise SystemExit("needs Chromium, and out/photo-labelled.jpg from `python3 dev.py quickstart`")
    with tempfile.TemporaryDirectory() as folder:
        report, page, shot = (Path(folder) / name for name in ("report.html", "page.html", "shot.png"))
        tanba = HOME / ".venv" / "bin" / "tanba"
        subprocess.run([tanba, "verify", PHOTO, "--quiet", "--report", report, "--lang", "en"], check=True)
        page.write_text(PAGE.format(photo=base64.b64encode(PHOTO.read_bytes()).decode()), "utf-8")
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files"]
        window = [f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={shot}"]
        subprocess.run([chromium, *flags, *window, page.as_uri()], check=True, capture_output=True)
        _shrink(shot)


def _shrink(shot: Path) -> None:
    """Fewer colours: a screenshot of text and one photograph stays readable and small."""
    from PIL import Image

    with Image.open(shot) as picture:
        RESULT.parent.mkdir(exist_ok=True)
        picture.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(RESULT, optimize=True)


if __name__ == "__main__":
    main()
