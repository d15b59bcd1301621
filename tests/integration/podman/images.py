"""Images made from the base image, in the storage of the user who runs the tests."""

import subprocess

BASE = "localhost/skerry/base"


def derived(name: str, *changes: str, script: str = "true") -> str:
    """`localhost/skerry-test/NAME`: the base image after `script`, with Dockerfile-like `changes`."""
    tag = f"localhost/skerry-test/{name}"
    container = f"skerry-image-{name}"
    podman("run", "--replace", "--name", container, "--network", "none", BASE, "sh", "-c", script)
    arguments = [word for change in changes for word in ("--change", change)]
    podman("commit", "--quiet", "--format", "docker", *arguments, container, tag)
    podman("rm", "--force", container)
    subprocess.run(["podman", "image", "prune", "--force"], capture_output=True, check=False)  # its former versions
    return tag


def podman(*arguments: str) -> str:
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, check=True)
    return done.stdout
