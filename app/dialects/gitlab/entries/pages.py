"""`pages`: a folder of the job's archive becomes a web site (gitlab.md C.2)."""

from dataclasses import dataclass, replace

from app.dialects.gitlab import values
from app.dialects.gitlab.nodes import Node, Scalar
from app.dialects.gitlab.report import Report
from app.domain.delivery import PagesSpec
from app.domain.plan import ArtifactSpec

PAGES = "pages"
"""The job of this name publishes unless it says `pages: false`."""

_KEYS = ("publish", "path_prefix", "expire_in")


@dataclass(frozen=True, slots=True)
class PagesConfig:
    """`pages` as written: whether there is a site at all, and what is said of it."""

    enabled: bool
    spec: PagesSpec = PagesSpec()


def pages(report: Report, node: Node, path: str) -> PagesConfig | None:
    """true, false, or `{publish, path_prefix, expire_in}`."""
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return PagesConfig(node.value)
    given = values.mapping(report, node, path, _KEYS, "config should be a hash or a boolean value")
    if given is None:
        return None
    folder, prefix, expire_in = (given.get(key) for key in _KEYS)
    spec = PagesSpec(
        publish=(publish(report, folder, f"{path} publish") if folder else None) or PagesSpec().publish,
        path_prefix=(values.text(report, prefix, f"{path} path prefix", "should be a string") if prefix else None)
        or "",
        expire_in=values.duration(report, expire_in, f"{path} expire in", never=True) if expire_in else None,
    )
    return PagesConfig(True, spec)


def publish(report: Report, node: Node, path: str) -> str | None:
    """The folder that is published, relative to the top of the working tree."""
    text = values.text(report, node, path, "should be a string")
    if text is None:
        return None
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if text.startswith("/") or ".." in parts or not parts:
        values.refuse(report, node, path, "should be a folder below the project's own")
        return None
    return "/".join(parts)


def site_of(name: str, config: PagesConfig | None, folder: str | None) -> PagesSpec | None:
    """The site that the job `name` publishes. `folder`: what the older keyword `publish` says."""
    if config is None and name != PAGES:
        return None
    if config is not None and not config.enabled:
        return None
    spec = config.spec if config else PagesSpec()
    return replace(spec, publish=folder) if folder else spec


def with_site(artifacts: tuple[ArtifactSpec, ...], site: PagesSpec | None) -> tuple[ArtifactSpec, ...]:
    """`artifacts` with the site's folder in the archive, which nobody has to write down (as in GitLab since 17.10)."""
    if site is None:
        return artifacts
    archive = next((spec for spec in artifacts if spec.file_type == "archive"), None)
    if archive is None:
        return (ArtifactSpec(paths=(site.publish,)), *artifacts)
    if any(path.strip("/").split("/")[0] == site.publish.split("/")[0] for path in archive.paths):
        return artifacts
    wider = replace(archive, paths=(*archive.paths, site.publish))
    return tuple(wider if spec is archive else spec for spec in artifacts)
