"""Configurations whose job `start` triggers another pipeline."""

BUILD = "build: {stage: build, script: make}\n"
CHILD = "work: {script: echo}\n"


def parent(trigger: str, more: str = "") -> dict[str, str]:
    """The files of a project whose job `start` triggers; `after` comes behind it."""
    text = f"start:\n  stage: test\n  trigger: {trigger}\n{more}after: {{stage: deploy, script: x}}\n"
    return {".gitlab-ci.yml": text, "child.yml": CHILD}


def two(lab, trigger="group/lower", more="", lower=None, **columns):
    """The project group/upper, whose job triggers a pipeline of group/lower, and that one."""
    lower = lab.project(lower or {".gitlab-ci.yml": CHILD}, path="group/lower", **columns)
    return lab.project(parent(trigger, more), path="group/upper"), lower
