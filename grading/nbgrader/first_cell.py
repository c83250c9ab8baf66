"""Find the kit: where it is not installed, it comes from kit.zip beside this notebook, or else from KIT_URL."""

import importlib.util

KIT_URL = ""

if importlib.util.find_spec("grading") is None:
    import hashlib
    import io
    import subprocess
    import sys
    import urllib.request
    import zipfile
    from pathlib import Path

    if Path("kit.zip").is_file():
        archive = Path("kit.zip").read_bytes()
    elif KIT_URL:
        archive = urllib.request.urlopen(KIT_URL).read()
    else:
        raise ModuleNotFoundError(
            "The kit is not installed, and there is no kit.zip beside this notebook. "
            "Put the kit.zip of your course there, and run this cell again."
        )
    place = Path.home() / ".cache" / "elbo-room" / hashlib.sha256(archive).hexdigest()[:16]
    zipfile.ZipFile(io.BytesIO(archive)).extractall(place)  # not beside the notebook, where it would be handed in
    kit = next(place.rglob("grading/__init__.py")).parents[1]
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--editable", str(kit)], check=True)
    sys.path.insert(0, str(kit))  # before the `tests` that other packages may have
