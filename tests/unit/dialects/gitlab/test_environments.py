"""Rules of a job that names an environment see that environment, and the variables that are for it."""

from collections.abc import Mapping

from app.dialects.base import CompileContext
from app.dialects.gitlab.compiler import compile_text

TEXT = """
deploy:
  script: x
  environment: {name: review/$CI_COMMIT_REF_SLUG, action: verify}
  rules:
    - if: $CI_ENVIRONMENT_NAME == "review/main" && $CI_ENVIRONMENT_TIER == "development" && $WHERE == "here"
      variables: {ACTION: $CI_ENVIRONMENT_ACTION}
elsewhere: {script: x, rules: [{if: $WHERE == "everywhere"}]}
"""


def compiled(**given: object) -> dict[str, tuple]:
    found = compile_text(".gitlab-ci.yml", TEXT, CompileContext(**given))  # type: ignore[arg-type]
    assert not found.errors
    return {job.name: job.variables for job in found.plan.jobs} if found.plan else {}


def test_variables_of_an_environment_are_asked_for_once_and_count_for_its_jobs_alone() -> None:
    asked: list[str] = []

    def variables_for(name: str) -> Mapping[str, str]:
        asked.append(name)
        return {"WHERE": "here"}

    jobs = compiled(variables={"WHERE": "everywhere"}, variables_for=variables_for)
    assert list(jobs) == ["deploy", "elsewhere"]
    assert asked == ["review/main"]
    assert [(variable.key, variable.value) for variable in jobs["deploy"]] == [("ACTION", "$CI_ENVIRONMENT_ACTION")]


def test_without_any_of_its_own_a_job_sees_what_all_see() -> None:
    assert list(compiled(variables={"WHERE": "here"})) == ["deploy"]
