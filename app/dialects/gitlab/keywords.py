"""The words of `.gitlab-ci.yml`: which there are, and which of them are not compiled and why (gitlab.md C.1, C.2)."""

from collections.abc import Mapping

GLOBAL = (
    *("default", "include", "before_script", "image", "services", "after_script", "variables", "stages", "cache"),
    *("workflow", "spec"),
)
"""Top-level keys that are not jobs."""

OR_JOBS = ("default", "workflow")
"""Top-level keys that are jobs all the same where they have a script."""

DEFAULTS = (
    *("after_script", "artifacts", "before_script", "cache", "hooks", "id_tokens", "identity", "image"),
    *("interruptible", "retry", "services", "tags", "timeout"),
)
"""What `default` may hold."""

GLOBAL_DEFAULTS = ("image", "services", "before_script", "after_script", "cache")
"""What may stand at the top level instead of in `default`, as it was written before there was one."""

JOB = (
    *("after_script", "allow_failure", "artifacts", "before_script", "cache", "coverage", "dast_configuration"),
    *("dependencies", "environment", "except", "extends", "hooks", "id_tokens", "identity", "image", "inherit"),
    *("inputs", "interruptible", "manual_confirmation", "needs", "only", "pages", "parallel", "publish", "release"),
    *("resource_group", "retry", "rules", "run", "script", "secrets", "services", "stage", "start_in", "tags"),
    *("timeout", "variables", "when"),
)
"""What a job may hold."""

TRIGGER_JOB = (
    *("allow_failure", "environment", "except", "extends", "inherit", "interruptible", "needs", "only", "parallel"),
    *("resource_group", "rules", "stage", "trigger", "variables", "when"),
)
"""What a job may hold that starts another pipeline."""

NOT_COMPILED: Mapping[str, str] = {
    "dast_configuration": "is declined: it belongs to a scanner that is not part of Skerry",
    "identity": "is declined: it belongs to a cloud provider's runners",
    "run": "is declined: jobs have a `script` here",
    "secrets": "is declined: no provider of secrets is configured on this server; use a masked CI variable",
    "spec": "belongs in a YAML document of its own before the rest: end it with a line of `---`",
}
"""Words that are known and refused; each value follows the word in the message."""
