"""`artifacts:reports`: each kind is uploaded by itself, in its own format (gitlab.md A.3.1)."""

from collections.abc import Mapping

from app.dialects.gitlab import values
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.nodes import Node
from app.dialects.gitlab.report import Report
from app.domain.plan import ArtifactSpec

COVERAGE = "coverage_report"
_GZIP, _RAW, _ZIP = "gzip", "raw", "zip"
# kind: (format, name of the uploaded file)
_KINDS: Mapping[str, tuple[str, str]] = {
    "junit": (_GZIP, "junit.xml"),
    "dotenv": (_GZIP, ".env"),
    "metrics": (_GZIP, "metrics.txt"),
    "annotations": (_GZIP, "gl-annotations.json"),
    "cyclonedx": (_GZIP, "gl-sbom.cdx.json"),
    "repository_xray": (_GZIP, "gl-repository-xray.json"),
    "lsif": (_ZIP, "lsif.json"),
    "accessibility": (_RAW, "gl-accessibility.json"),
    "api_fuzzing": (_RAW, "gl-api-fuzzing-report.json"),
    "browser_performance": (_RAW, "browser-performance.json"),
    "cluster_image_scanning": (_RAW, "gl-cluster-image-scanning-report.json"),
    "codequality": (_RAW, "gl-code-quality-report.json"),
    "container_scanning": (_RAW, "gl-container-scanning-report.json"),
    "coverage_fuzzing": (_RAW, "gl-coverage-fuzzing.json"),
    "dast": (_RAW, "gl-dast-report.json"),
    "dependency_scanning": (_RAW, "gl-dependency-scanning-report.json"),
    "load_performance": (_RAW, "load-performance.json"),
    "performance": (_RAW, "performance.json"),
    "requirements": (_RAW, "requirements.json"),
    "requirements_v2": (_RAW, "requirements_v2.json"),
    "sast": (_RAW, "gl-sast-report.json"),
    "secret_detection": (_RAW, "gl-secret-detection-report.json"),
    "terraform": (_RAW, "tfplan.json"),
}
_COVERAGE_NAMES: Mapping[str, str] = {"cobertura": "cobertura-coverage.xml", "jacoco": "jacoco-coverage.xml"}
_STRINGS = "should be an array of strings or a string"


def reports(report: Report, node: Node, path: str, expire_in: int | None) -> tuple[ArtifactSpec, ...]:
    """One specification for each report; they are uploaded whether the script passed or failed."""
    given = values.mapping(report, node, path, (*_KINDS, COVERAGE))
    found: list[ArtifactSpec] = []
    for kind, entry in given.present() if given else ():
        if kind == COVERAGE:
            found += _coverage(report, entry.value, f"{path}:{COVERAGE}", expire_in)
        elif kind in _KINDS:
            paths = values.text_or_texts(report, entry.value, f"{path} {kind}", _STRINGS) or ()
            found.append(_report(kind, *_KINDS[kind], paths, expire_in))
    return tuple(found)


def _report(kind: str, file_format: str, name: str, paths: tuple[str, ...], expire_in: int | None) -> ArtifactSpec:
    return ArtifactSpec(
        paths=paths, name=name, when="always", expire_in=expire_in, file_type=kind, file_format=file_format
    )


def _coverage(report: Report, node: Node, path: str, expire_in: int | None) -> list[ArtifactSpec]:
    given = values.mapping(report, node, path, ("coverage_format", "path"))
    if given is None:
        return []
    kind = _required(report, given, path, "coverage_format")
    file = _required(report, given, path, "path")
    checked = values.one_of(report, kind, f"{path} coverage format", _COVERAGE_NAMES) if kind else None
    name = values.text(report, file, f"{path} path", "should be a string") if file else None
    return [_report(checked, _GZIP, _COVERAGE_NAMES[checked], (name,), expire_in)] if checked and name else []


def _required(report: Report, node: MappingNode, path: str, key: str) -> Node | None:
    found = node.get(key)
    if found is None:
        values.refuse(report, node, path, f"{key.replace('_', ' ')} can't be blank")
    return found
