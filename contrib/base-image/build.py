#!/usr/bin/env python3
"""Build a small image for jobs from this host's own packages: no registry, no network, under two seconds.

    python3 contrib/base-image/build.py --tag localhost/skerry/base

In it: busybox (static) for sh and the usual commands, bash, git with its HTTP helpers, the libraries that these name,
and the host's CA certificates. Run it as the user whose Podman shall have the image. Nothing is done when the image is
there already and was made from the same files; `--force` builds it all the same.
"""

import argparse
import hashlib
import io
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

LABEL = "skerry.base.inputs"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NEEDED = ("busybox", "bash", "git")
OPTIONAL = ("curl",)
GIT_HELPERS = (
    "git-remote-http", "git-remote-https", "git-submodule", "git-sh-setup", "git-sh-i18n", "git-sh-i18n--envsubst",
)  # fmt: skip
CERTIFICATES = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt"))
FOLDERS = {
    "bin": 0o755, "dev": 0o755, "etc": 0o755, "etc/ssl": 0o755, "etc/ssl/certs": 0o755, "home": 0o755, "lib": 0o755,
    "lib64": 0o755, "proc": 0o755, "root": 0o700, "run": 0o755, "sbin": 0o755, "sys": 0o755, "tmp": 0o1777,
    "usr/share": 0o755, "usr/share/git-core": 0o755, "usr/share/git-core/templates": 0o755,
    "usr": 0o755, "usr/bin": 0o755, "usr/lib": 0o755, "usr/local": 0o755, "usr/local/bin": 0o755, "usr/sbin": 0o755,
    "var": 0o755, "var/tmp": 0o1777,
}  # fmt: skip
TEXTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "etc/os-release": 'NAME="Skerry base"\nID=skerry-base\nPRETTY_NAME="Skerry base image"\n',
    # A job's tree may belong to another user than the one who runs git in it.
    "etc/gitconfig": "[safe]\n\tdirectory = *\n",
}


def main() -> int:
    options = arguments()
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or not static_busybox():
        print(f"missing: {', '.join(missing) or 'a static busybox'} (Debian: busybox-static bash git)", file=sys.stderr)
        return 1
    files = dict(collect())
    digest = fingerprint(files)
    if not options.force and built_from(options.podman, options.tag) == digest:
        print(f"{options.tag} is up to date")
        return 0
    former = image_id(options.podman, options.tag)
    code = import_image(options.podman, options.tag, files, digest)
    if code == 0 and former not in (None, image_id(options.podman, options.tag)):
        # Without its name it would only take space; a container that still uses it keeps it.
        subprocess.run([options.podman, "image", "rm", former], capture_output=True, check=False)
    return code


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Build a small image for jobs from this host's own packages.")
    parser.add_argument("--tag", default="localhost/skerry/base", help="name of the image (default: %(default)s)")
    parser.add_argument("--podman", default="podman", help="the podman program (default: %(default)s)")
    parser.add_argument("--force", action="store_true", help="build even when the image is up to date")
    return parser.parse_args()


def static_busybox() -> bool:
    """A busybox that needs no libraries, so that `sh` works whatever else is broken."""
    listed = subprocess.run(["ldd", str(shutil.which("busybox"))], capture_output=True, text=True, check=False)
    return "not a dynamic executable" in listed.stdout + listed.stderr


def collect() -> Iterator[tuple[str, Path]]:
    """The image's files: path inside (no leading slash) → path here."""
    programs = {f"bin/{name}": Path(str(shutil.which(name))) for name in ("busybox", "bash")}
    programs |= {f"usr/bin/{name}": Path(found) for name in ("git", *OPTIONAL) if (found := shutil.which(name))}
    core = Path(subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip())
    helpers = [core / name for name in GIT_HELPERS if (core / name).exists()]
    programs |= {str(helper).lstrip("/"): helper for helper in helpers}
    yield from programs.items()
    for source in programs.values():
        for library in libraries(source):
            yield str(library).lstrip("/"), library
    for bundle in CERTIFICATES:
        if bundle.exists():
            yield "etc/ssl/certs/ca-certificates.crt", bundle
            break


def libraries(program: Path) -> Iterator[Path]:
    """The libraries and the loader that `program` names; none for scripts and static programs."""
    listed = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
    for match in re.finditer(r"(?:=> )?(/\S+) \(0x", listed):
        yield Path(match.group(1))


def fingerprint(files: dict[str, Path]) -> str:
    """A digest that changes when any input does (size and time stand for the content), or this program."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for inside, source in sorted(files.items()):
        status = source.stat()
        digest.update(f"{inside}\0{source.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def built_from(podman: str, tag: str) -> str | None:
    """The fingerprint on the image called `tag`, None where there is no such image."""
    command = [podman, "image", "inspect", "--format", f'{{{{index .Labels "{LABEL}"}}}}', tag]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def image_id(podman: str, tag: str) -> str | None:
    command = [podman, "image", "inspect", "--format", "{{.Id}}", tag]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def import_image(podman: str, tag: str, files: dict[str, Path], digest: str) -> int:
    """Stream the tree into `podman import`; returns its exit code."""
    changes = [f"ENV PATH={PATH}", 'CMD ["/bin/sh"]', "WORKDIR /", f"LABEL {LABEL}={digest}"]
    command = [podman, "import", "--quiet", *(word for change in changes for word in ("--change", change)), "-", tag]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        try:
            with tarfile.open(fileobj=process.stdin, mode="w|") as archive:
                fill(archive, files)
        except BrokenPipeError:
            pass  # podman has said on standard error what it did not like
        process.stdin.close()
    return process.returncode


def fill(archive: tarfile.TarFile, files: dict[str, Path]) -> None:
    folders = dict(FOLDERS)
    for inside in files:
        for parent in list(Path(inside).parents)[:-1]:
            folders.setdefault(str(parent), 0o755)
    for name, mode in sorted(folders.items()):
        add(archive, name, tarfile.DIRTYPE, mode)
    for name, text in TEXTS.items():
        add(archive, name, tarfile.REGTYPE, 0o644, text.encode())
    for inside, source in files.items():
        mode = 0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644
        add(archive, inside, tarfile.REGTYPE, mode, source.read_bytes())
    for applet in applets():
        if applet not in files:
            add(archive, applet, tarfile.SYMTYPE, 0o777, target="/bin/busybox")


def applets() -> list[str]:
    """Where each busybox command belongs, as busybox itself says (`bin/ls`); those in `files` win."""
    done = subprocess.run(["busybox", "--list-full"], capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split() if Path(name).name not in {"busybox", *NEEDED}]


def add(archive: tarfile.TarFile, name: str, kind: bytes, mode: int, content: bytes = b"", target: str = "") -> None:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size, member.linkname = kind, mode, len(content), target
    archive.addfile(member, io.BytesIO(content))


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
