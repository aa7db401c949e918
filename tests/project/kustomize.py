"""As much of kustomize as deploy/kubernetes uses; where kubectl is, a test holds it against the real one."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
HASH = "-hash"
"""Stands for the ten letters that kustomize makes from the content."""


def render(folder: Path) -> list[Manifest]:
    """The manifests of a folder with a kustomization.yaml; AssertionError for what is not understood here."""
    asked = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    assert (asked.pop("apiVersion"), asked.pop("kind")) == ("kustomize.config.k8s.io/v1beta1", "Kustomization")
    found: list[Manifest] = []
    for resource in asked.pop("resources"):
        path = folder / resource
        found += render(path) if path.is_dir() else yaml.safe_load_all(path.read_text("utf-8"))
    for wanted in asked.pop("configMapGenerator", []):
        _generate(found, folder, wanted, {"apiVersion": "v1", "kind": "ConfigMap"}, str)
    for wanted in asked.pop("secretGenerator", []):
        _generate(found, folder, wanted, {"apiVersion": "v1", "kind": "Secret", "type": "Opaque"}, _base64)
    for patch in asked.pop("patches", []):
        change = yaml.safe_load(patch["patch"])
        _merge(one(found, change["kind"], change["metadata"]["name"]), change)
    for image in asked.pop("images", []):
        for container in containers(found):
            if container["image"] == image["name"]:
                container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"
    _move(found, asked.pop("namespace"))
    assert asked == {}, "not understood here"
    return found


def one(found: list[Manifest], kind: str, name: str | None = None) -> Manifest:
    """The only manifest of this kind, and of this name if one is given."""
    (manifest,) = (m for m in found if m["kind"] == kind and name in (None, m["metadata"]["name"]))
    return manifest


def containers(found: list[Manifest]) -> list[Manifest]:
    """The containers of all Deployments."""
    return [c for m in found if m["kind"] == "Deployment" for c in m["spec"]["template"]["spec"]["containers"]]


def _generate(
    found: list[Manifest], folder: Path, wanted: Manifest, shape: Manifest, encoded: Callable[[str], str]
) -> None:
    data = {name: encoded((folder / name).read_text("utf-8")) for name in wanted.pop("files", [])}
    data |= {name: encoded(text) for name, _, text in (pair.partition("=") for pair in wanted.pop("literals", []))}
    name, behaviour = wanted.pop("name"), wanted.pop("behavior", "create")
    plain = wanted.pop("options", {}).get("disableNameSuffixHash", False)
    assert wanted == {}, "not understood here"
    if behaviour == "replace":
        one(found, shape["kind"], name)["data"] = data
        return
    found.append(copy.deepcopy(shape) | {"data": data, "metadata": {"name": name if plain else name + HASH}})
    if not plain:
        for container in containers(found):
            for source in container.get("envFrom", []):
                if source.get("secretRef", {}).get("name") == name and shape["kind"] == "Secret":
                    source["secretRef"]["name"] = name + HASH


def _merge(manifest: Manifest, change: Manifest) -> None:
    for key, value in change.items():
        if isinstance(value, dict):
            _merge(manifest.setdefault(key, {}), value)
        else:
            assert not isinstance(value, list), "not understood here"
            manifest[key] = value


def _move(found: list[Manifest], namespace: str) -> None:
    for manifest in found:
        manifest["metadata"]["name" if manifest["kind"] == "Namespace" else "namespace"] = namespace


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
