"""Id tokens: signed, checkable by anybody who has the published keys, and about this job alone."""

import base64
import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from flask.testing import FlaskClient

from app.domain.delivery import EnvironmentSpec, IdToken
from app.domain.plan import JobPlan, Step, Variable
from app.models import Job, Setting, write
from app.services.core import Core
from app.services.environments.deployments import add_deployments
from app.services.identity.id_tokens import CLAIMS
from app.services.identity.signing_key import SETTING, load_key
from app.services.pipelines.variables import job_variables
from tests.databases import BOTH
from tests.factories import make_job, make_member, make_pipeline, make_project, make_runner, make_user


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"external_url": "https://ci.example.com"}


def decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def check(token: str, keys: list[dict[str, str]]) -> dict[str, Any]:
    """The claims of a token whose signature one of `keys` confirms. Raises InvalidSignature."""
    header, claims, signature = token.split(".")
    known = json.loads(decode(header))
    (key,) = [key for key in keys if key["kid"] == known["kid"]]
    exponent, modulus = (int.from_bytes(decode(key[name]), "big") for name in ("e", "n"))
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    public.verify(decode(signature), f"{header}.{claims}".encode(), padding.PKCS1v15(), SHA256())
    return json.loads(decode(claims))


def job_of(core: Core, *tokens: IdToken, **given: Any) -> Job:
    user = make_user(core, "ada", email="ada@example.com")
    project = make_project(core, "acme/rocket")
    make_member(core, user, project)
    plan = JobPlan(
        "deploy",
        "deploy",
        (Step("script", ("x",)),),
        id_tokens=tokens,
        environment=EnvironmentSpec("production"),
        variables=(Variable("WHERE", "vault.example.com"),),
    )
    pipeline = make_pipeline(core, project, user=user, **given)
    runner, _ = make_runner(core, maximum_timeout=900)
    job = make_job(core, pipeline, plan=plan, status="running", runner_id=runner.id, timeout=1800)
    with write(core.session):
        held = core.session.get_one(Job, job.id)
        add_deployments(core, held.pipeline, [held])
    return core.session.get_one(Job, job.id)


def variables(core: Core, job: Job, token: str = "glcbt-x") -> dict[str, Variable]:
    return {variable.key: variable for variable in job_variables(core, job, job.runner, token)}


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_a_token_says_which_job_it_is_and_can_be_checked(core: Core, client: FlaskClient) -> None:
    job = job_of(core, IdToken("ID", ("https://$WHERE",)), ref="main", sha="a" * 40)
    found = variables(core, job)["ID"]
    assert (found.public, found.masked, found.raw) == (False, True, True)
    claims = check(found.value, client.get("/oauth/discovery/keys").json["keys"])
    now = int(core.now().timestamp())
    assert abs(claims["iat"] - now) < 60
    assert (claims["nbf"], claims["exp"]) == (claims["iat"] - 5, claims["iat"] + 900)
    expected = {
        "iss": "https://ci.example.com",
        "sub": "project_path:acme/rocket:ref_type:branch:ref:main",
        "aud": "https://vault.example.com",
        "namespace_id": str(job.project.group_id),
        "namespace_path": "acme",
        "project_id": str(job.project_id),
        "project_path": "acme/rocket",
        "user_id": str(job.user_id),
        "user_login": "ada",
        "user_email": "ada@example.com",
        "user_access_level": "developer",
        "pipeline_id": str(job.pipeline_id),
        "pipeline_source": "push",
        "job_id": str(job.id),
        "ref": "main",
        "ref_type": "branch",
        "ref_path": "refs/heads/main",
        "ref_protected": "true",
        "environment": "production",
        "environment_protected": "false",
        "deployment_tier": "production",
        "environment_action": "start",
        "runner_id": job.runner_id,
        "runner_environment": "self-hosted",
        "sha": "a" * 40,
        "ci_config_ref_uri": "ci.example.com/acme/rocket//.gitlab-ci.yml@refs/heads/main",
        "ci_config_sha": "a" * 40,
    }
    assert {key: claims.get(key) for key in expected} == expected
    assert set(claims) == set(CLAIMS)


def test_audiences_are_a_text_or_a_list_and_every_token_is_another(core: Core, client: FlaskClient) -> None:
    job = job_of(core, IdToken("ONE", ("a",)), IdToken("MANY", ("a", "b"), listed=True), IdToken("ALSO", ("a",)))
    found, keys = variables(core, job), client.get("/oauth/discovery/keys").json["keys"]
    claims = {key: check(found[key].value, keys) for key in ("ONE", "MANY", "ALSO")}
    assert [claims[key]["aud"] for key in claims] == ["a", ["a", "b"], "a"]
    assert len({claim["jti"] for claim in claims.values()}) == 3


def test_a_token_that_was_changed_is_found_out(core: Core, client: FlaskClient) -> None:
    token = variables(core, job_of(core, IdToken("ID", ("a",))))["ID"].value
    header, claims, signature = token.split(".")
    forged = json.loads(decode(claims)) | {"ref_protected": "false"}
    body = base64.urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")
    with pytest.raises(InvalidSignature):
        check(f"{header}.{body}.{signature}", client.get("/oauth/discovery/keys").json["keys"])


def test_whoever_has_no_token_gets_no_proof(core: Core) -> None:
    assert "ID" not in variables(core, job_of(core, IdToken("ID", ("a",))), token="")


def test_the_key_is_made_once_and_sealed(core: Core, client: FlaskClient) -> None:
    first = client.get("/oauth/discovery/keys").json
    assert client.get("/oauth/discovery/keys").json == first
    stored = core.session.get_one(Setting, SETTING).value
    assert "PRIVATE KEY" not in stored
    assert "PRIVATE KEY" in core.box.open(stored, SETTING)
    assert load_key(core).key_size == 2048
    assert not set(first["keys"][0]) & {"d", "p", "q", "dp", "dq", "qi"}


def test_the_configuration_leads_to_the_keys(client: FlaskClient) -> None:
    found = client.get("/.well-known/openid-configuration").json
    assert (found["issuer"], found["jwks_uri"]) == (
        "https://ci.example.com",
        "https://ci.example.com/oauth/discovery/keys",
    )
    assert found["id_token_signing_alg_values_supported"] == ["RS256"]
