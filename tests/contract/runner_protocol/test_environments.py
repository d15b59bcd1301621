"""What a stock runner is told of a job's environment, and what its report does to it."""

from app.domain.delivery import EnvironmentSpec, IdToken
from app.models import Deployment, Environment


def deploying(world, **given):
    spec = EnvironmentSpec("review/One", url="https://$CI_ENVIRONMENT_SLUG.example.com/$CI_JOB_ID")
    return world.job(environment=spec, **given)


def test_the_job_knows_its_environment_and_the_deployment_follows_it(core, stock, world):
    job = deploying(world)
    taken = stock.take()
    payload = taken.payload
    variables = {variable["key"]: variable["value"] for variable in payload["variables"]}
    environment = core.session.query(Environment).one()
    assert {key: value for key, value in variables.items() if key.startswith("CI_ENVIRONMENT")} == {
        "CI_ENVIRONMENT_NAME": "review/One",
        "CI_ENVIRONMENT_ACTION": "start",
        "CI_ENVIRONMENT_TIER": "development",
        "CI_ENVIRONMENT_SLUG": environment.slug,
        "CI_ENVIRONMENT_URL": f"https://{environment.slug}.example.com/{job.id}",
    }
    assert world.read(core.session.query(Deployment).one()).status == "running"
    assert taken.update("success").status_code == 200
    assert world.read(core.session.query(Deployment).one()).status == "success"
    assert world.read(environment).external_url == f"https://{environment.slug}.example.com/{job.id}"


def test_an_id_token_is_masked_and_no_step_of_a_release_is_sent(stock, world):
    world.job(id_tokens=(IdToken("PROOF", ("https://vault.example.com",)),))
    payload = stock.request_job().json()
    (proof,) = [variable for variable in payload["variables"] if variable["key"] == "PROOF"]
    assert (proof["masked"], proof["public"], proof["raw"]) == (True, False, True)
    assert len(proof["value"].split(".")) == 3
    assert [step["name"] for step in payload["steps"]] == ["script"]
