"""The shell text of a stage (gitlab.md A.7).

A stage is run by whatever `sh` the image has. It gets a launcher, which starts the stage's own script with bash where
there is one and with that `sh` elsewhere. The script, a file in the job's control folder:

1. exports the job's variables, each value in single quotes, and what earlier stages wrote to `$GITLAB_ENV`;
2. enters the project directory;
3. switches errexit and pipefail on as the step has them;
4. for each line of the user: prints it, then runs it. All lines share the one shell; its input is /dev/null.
   A verbatim step's lines are not printed, and its shell is always `sh`.

The user's lines are the only text in it that a shell may interpret.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from runner.protocol.wire import Step

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# Shells keep these for themselves: assigning one is an error there. The container's environment has them all the same.
_READ_ONLY = frozenset(("UID", "EUID", "PPID", "SHELLOPTS", "BASHOPTS", "BASH_VERSINFO"))

_GITLAB_ENV = """\
if [ -f "$GITLAB_ENV" ]; then
  while IFS= read -r skerry_line || [ -n "$skerry_line" ]; do
    case ${skerry_line%%=*} in
      "$skerry_line" | '' | [0-9]* | *[!A-Za-z0-9_]*) ;;
      *) export "$skerry_line" 2>/dev/null || : ;;
    esac
  done <"$GITLAB_ENV"
  unset skerry_line
fi
"""
# Tried in a subshell first: a shell without the option ends at the attempt.
_PIPEFAIL = "(set -o pipefail) 2>/dev/null && set -o pipefail\n"
#: Holds the image's own command, as words of a shell, where a stage asks for it.
IMAGE_COMMAND = "SKERRY_IMAGE_COMMAND"
_NO_PIPEFAIL = "(set +o pipefail) 2>/dev/null && set +o pipefail\n"


@dataclass(frozen=True, slots=True)
class Script:
    """What a stage's script is made of. `steps` share one shell.

    `marks` names, for each step but the first, the text that is printed where it begins (`runner.steps` reads it).
    """

    environment: Mapping[str, str]
    project_dir: str
    steps: tuple[Step, ...]
    marks: tuple[str, ...] = ()
    xtrace: bool = False
    step_environments: tuple[Mapping[str, str], ...] = field(default=())


def quote(text: str) -> str:
    """`text` as one word of a shell, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"


def launcher(path: str, plain: bool = False) -> str:
    """Shell text that becomes the script at `path`, in bash where the image has it and `plain` does not forbid it."""
    word = quote(path)
    if plain:
        return f"exec sh {word}\n"
    return f"if command -v bash >/dev/null 2>&1; then exec bash {word}; fi\nexec sh {word}\n"


def stage_script(script: Script) -> bytes:
    """The script file of a stage."""
    parts = ["exec </dev/null\n", _exports(script.environment), _GITLAB_ENV]
    parts.append(f"cd -- {quote(script.project_dir)} || exit 1\n")
    parts.append("set +o noclobber\n")
    for index, step in enumerate(script.steps):
        if index and index <= len(script.marks):
            parts.append(_print(script.marks[index - 1], newline=False))
        if index < len(script.step_environments):
            parts.append(_exports(script.step_environments[index]))
        parts.append(_options(step, first=index == 0, xtrace=script.xtrace))
        parts += _verbatim(step) if step.verbatim else [_print(echo_of(line)) + line + "\n" for line in step.script]
    # Without errexit the last line's exit code is the stage's; with it, a stage that comes to its end has passed.
    if script.steps and script.steps[-1].errexit:
        parts.append("exit 0\n")
    return "".join(parts).encode("utf-8", "surrogatepass")


def _verbatim(step: Step) -> list[str]:
    """The script as it stands, so that its lines may belong together; without one, the image's own command."""
    if step.script:
        return [line + "\n" for line in step.script]
    return [f'skerry_command=${IMAGE_COMMAND}\nunset {IMAGE_COMMAND}\neval "exec $skerry_command"\n']


def echo_of(line: str) -> str:
    """How a line is shown before it runs: green, and only the first of several."""
    first, newline, _ = line.strip("\n").partition("\n")
    return f"\x1b[32;1m$ {first}{' # collapsed multi-line command' if newline else ''}\x1b[0;m"


def _print(text: str, newline: bool = True) -> str:
    # `command` passes over a function of that name which the user's script may have made.
    return f"command printf '%s{chr(92) + 'n' if newline else ''}' {quote(text)}\n"


def _options(step: Step, first: bool, xtrace: bool) -> str:
    lines = ["set +e\n" if not first else "", _PIPEFAIL if step.pipefail else ""]
    lines.append(_NO_PIPEFAIL if not first and not step.pipefail else "")
    lines.append("set -e\n" if step.errexit else "")
    lines.append("set -x\n" if first and xtrace else "")
    return "".join(lines)


def _exports(environment: Mapping[str, str]) -> str:
    return "".join(f"export {key}={quote(value)}\n" for key, value in _exportable(environment))


def _exportable(environment: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    return ((k, v) for k, v in environment.items() if _NAME.fullmatch(k) and k not in _READ_ONLY)
