"""The build backend (PEP 517): makes a wheel that carries libanypipe, with the standard library alone.

    pip wheel .                                            # for this machine
    pip wheel . --config-settings platform=win_amd64       # for Windows, with anypipe.dll; needs mingw

The library is the one that ANYPIPE_LIBRARY names, or else what ../../capi/build makes (go and gcc).
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

HERE = Path(__file__).resolve().parent
Settings = Optional[Mapping[str, Any]]


def _project() -> Dict[str, str]:
    """The strings of pyproject.toml's [project]. (tomllib is only in Python 3.11 and later.)"""
    text = (HERE / "pyproject.toml").read_text(encoding="utf-8")
    section = text.split("[project]", 1)[1].split("\n[", 1)[0]
    found = dict(re.findall(r'^([\w-]+) = "(.*)"$', section, re.MULTILINE))
    found["classifiers"] = "\n".join(f"Classifier: {c}" for c in re.findall(r'^    "(.* :: .*)",$', section, re.MULTILINE))
    return found


def _platform(settings: Settings) -> str:
    chosen = (settings or {}).get("platform")
    return str(chosen or sysconfig.get_platform().replace("-", "_").replace(".", "_"))


def _library(platform: str, work: str) -> Tuple[str, Path]:
    """Returns the library's name within the package, and where it is."""
    windows = platform.startswith("win")
    name = "anypipe.dll" if windows else "libanypipe.1.dylib" if platform.startswith("macosx") else "libanypipe.so.1"
    chosen = os.environ.get("ANYPIPE_LIBRARY")
    if chosen and Path(chosen).name == name:
        return name, Path(chosen)
    build = HERE.parent.parent / "capi" / "build"
    if not build.exists():
        raise RuntimeError(f"{build} is not there: build within the repository, or set ANYPIPE_LIBRARY to the path of {name}")
    subprocess.run([str(build), "--out", work, *(["--windows"] if windows else [])], check=True, stdout=sys.stderr)
    return name, Path(work) / ("bin" if windows else "lib") / name


def _metadata() -> str:
    p = _project()
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    head = f"Metadata-Version: 2.1\nName: {p['name']}\nVersion: {p['version']}\nSummary: {p['description']}\nLicense: Apache-2.0\n"
    return head + f"{p['classifiers']}\nRequires-Python: {p['requires-python']}\nDescription-Content-Type: text/markdown\n\n{readme}"


def _files(platform: str, work: str) -> List[Tuple[str, bytes, int]]:
    """The wheel's files but the last, RECORD: name, content, mode."""
    package = [(f"anypipe/{f.name}", f.read_bytes(), 0o644) for f in sorted((HERE / "anypipe").iterdir()) if f.suffix == ".py" or f.name == "py.typed"]
    name, library = _library(platform, work)
    info = _info()
    wheel = f"Wheel-Version: 1.0\nGenerator: anypipe\nRoot-Is-Purelib: false\nTag: py3-none-{platform}\n"
    return package + [
        (f"anypipe/_lib/{name}", library.read_bytes(), 0o755),
        (f"{info}/METADATA", _metadata().encode(), 0o644),
        (f"{info}/WHEEL", wheel.encode(), 0o644),
    ]


def _info() -> str:
    p = _project()
    return f"{p['name']}-{p['version']}.dist-info"


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: Optional[str] = None) -> str:
    """Called by pip. Returns the wheel's file name."""
    platform = _platform(config_settings)
    file_name = _info().replace(".dist-info", f"-py3-none-{platform}.whl")
    record = []
    with tempfile.TemporaryDirectory() as work, zipfile.ZipFile(Path(wheel_directory) / file_name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content, mode in _files(platform, work):
            _add(wheel, name, content, mode)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(content)}\n")
        _add(wheel, f"{_info()}/RECORD", "".join([*record, f"{_info()}/RECORD,,\n"]).encode(), 0o644)
    return file_name


def _add(wheel: zipfile.ZipFile, name: str, content: bytes, mode: int) -> None:
    entry = zipfile.ZipInfo(name)  # dated 1980, so that the same files make the same wheel
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o100000 | mode) << 16
    wheel.writestr(entry, content)


def get_requires_for_build_wheel(config_settings: Settings = None) -> List[str]:
    """Called by pip: nothing is needed."""
    return []


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Called by pip. A source archive would lack the library's source."""
    raise NotImplementedError("build a wheel, within the repository")
