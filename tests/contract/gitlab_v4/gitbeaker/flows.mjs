// The main flows of a CI client, through @gitbeaker/rest, which knows nothing of us. Prints "done" at the end.
// Called with the server's address and the tokens of the project's owner and of an administrator.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const { Gitlab } = createRequire(process.env.CLIENTS + "/")("@gitbeaker/rest");
const [host, token, adminToken] = process.argv.slice(2);
const api = new Gitlab({ host, token });
const admin = new Gitlab({ host, token: adminToken });
const project = "acme/rocket";
const names = (rows) => rows.map((row) => row.name).sort();

const configuration = `
stages: [build, deploy]
compile: {stage: build, script: [make]}
release: {stage: deploy, when: manual, script: [make release], environment: {name: production}}
`;

async function repository() {
  const actions = [{ action: "create", filePath: ".gitlab-ci.yml", content: configuration }];
  const commit = await api.Commits.create(project, "main", "Begin [ci skip]", actions);
  assert.equal((await api.Branches.show(project, "main")).commit.id, commit.id);
  assert.equal((await api.RepositoryFiles.showRaw(project, ".gitlab-ci.yml", "main")).trim(), configuration.trim());
  await api.Branches.create(project, "topic/x", "main");
  await api.Tags.create(project, "v1", "main");
  assert.deepEqual(names(await api.Branches.all(project)), ["main", "topic/x"]);
  assert.deepEqual(names(await api.Repositories.allRepositoryTrees(project)), [".gitlab-ci.yml"]);
  await api.Commits.editStatus(project, commit.id, "success", { name: "other", targetUrl: "https://other.example" });
  assert.deepEqual(names(await api.Commits.allStatuses(project, commit.id)), ["other"]);
  return commit.id;
}

async function pipelines(sha) {
  const made = await api.Pipelines.create(project, "main", { variables: [{ key: "COLOUR", value: "red" }] });
  assert.deepEqual([made.sha, made.source], [sha, "api"]);
  assert.equal((await api.Pipelines.show(project, made.id)).status, "pending");
  assert.equal((await api.Pipelines.showLatest(project, { ref: "main" })).id, made.id);
  assert.deepEqual((await api.Pipelines.allVariables(project, made.id)).map((row) => row.key), ["COLOUR"]);
  assert.equal((await api.Pipelines.showTestReport(project, made.id)).total_count, 0);
  assert.equal((await api.Pipelines.showTestReportSummary(project, made.id)).total.count, 0);
  const listed = await api.Jobs.all(project, { pipelineId: made.id });
  assert.deepEqual(names(listed), ["compile", "release"]);
  const job = listed.find((row) => row.name === "compile");
  assert.equal((await api.Jobs.cancel(project, job.id)).status, "canceled");
  const again = await api.Jobs.retry(project, job.id);
  assert.equal(again.status, "pending");
  assert.equal((await api.Jobs.show(project, again.id)).name, "compile");
  assert.equal(await api.Jobs.showLog(project, again.id), "");
  const manual = listed.find((row) => row.name === "release");
  await assert.rejects(api.Jobs.play(project, again.id), /Unplayable Job/);
  assert.equal((await api.Jobs.show(project, manual.id)).status, "created");
  assert.deepEqual(await api.Jobs.allPipelineBridges(project, made.id), []);
  assert.equal((await api.Pipelines.cancel(project, made.id)).status, "canceled");
  assert.equal((await api.Pipelines.retry(project, made.id)).id, made.id);
  assert.deepEqual((await api.Pipelines.all(project, { source: "api", perPage: 1 })).map((row) => row.id), [made.id]);
  await api.Pipelines.remove(project, made.id);
  await assert.rejects(api.Pipelines.show(project, made.id), /404 Not found/);
}

async function endedJob(id) {
  await api.JobArtifacts.keep(project, id);
  const archive = await api.JobArtifacts.downloadArchive(project, { jobId: id });
  assert.ok(archive.size > 0);
  const file = await api.JobArtifacts.downloadArchive(project, { jobId: id, artifactPath: "public/index.html" });
  assert.equal(file, "<p>"); // by its type, text/html, it is a text
  await api.Jobs.erase(project, id);
  await assert.rejects(api.Jobs.erase(project, id), /not erasable/);
}

async function settings(group) {
  const variable = await api.ProjectVariables.create(project, "TOKEN", "long-enough", { masked: true });
  assert.deepEqual([variable.masked, variable.environment_scope], [true, "*"]);
  await api.ProjectVariables.edit(project, "TOKEN", "longer-still");
  assert.equal((await api.ProjectVariables.show(project, "TOKEN")).value, "longer-still");
  await api.ProjectVariables.remove(project, "TOKEN");
  await api.GroupVariables.create(group, "SHARED", "1");
  assert.deepEqual((await api.GroupVariables.all(group)).map((row) => row.key), ["SHARED"]);
  await api.ProtectedBranches.create(project, "live/*", { pushAccessLevel: 40 });
  assert.deepEqual(names(await api.ProtectedBranches.all(project)), ["live/*", "main"]);
  await api.Projects.edit(project, { buildTimeout: 1200 });
  assert.equal((await api.Projects.show(project)).build_timeout, 1200);
  const linted = await api.Lint.lint(project, "build: {script: []}");
  assert.equal(linted.valid, false);
}

async function schedulesAndTriggers() {
  const schedule = await api.PipelineSchedules.create(project, "nightly", "main", "0 1 * * *");
  await api.PipelineScheduleVariables.create(project, schedule.id, "DEPTH", "deep");
  assert.deepEqual((await api.PipelineSchedules.run(project, schedule.id)).message, "201 Created");
  assert.equal((await api.PipelineSchedules.allTriggeredPipelines(project, schedule.id)).length, 1);
  await api.PipelineSchedules.remove(project, schedule.id);
  const trigger = await api.PipelineTriggerTokens.create(project, "from outside");
  const made = await api.PipelineTriggerTokens.trigger(project, "main", trigger.token, { variables: { WHO: "ada" } });
  assert.equal(made.source, "trigger");
  await api.PipelineTriggerTokens.remove(project, trigger.id);
}

async function runners(projectId) {
  const made = await api.Users.createCIRunner("project_type", { projectId, tagList: ["a", "b"] });
  assert.match(made.token, /^glrt-/);
  assert.deepEqual((await api.Runners.show(made.id)).tag_list, ["a", "b"]);
  await api.Runners.edit(made.id, { paused: true });
  assert.deepEqual((await api.Runners.all({ projectId, paused: true })).map((row) => row.id), [made.id]);
  assert.deepEqual(await api.Runners.allJobs(made.id), []);
  const other = await api.Projects.create({ name: "second", namespaceId: (await api.Projects.show(project)).namespace.id });
  assert.equal((await api.Runners.enable(other.id, made.id)).id, made.id);
  assert.equal((await api.Runners.show(made.id)).projects.length, 2);
  await api.Runners.disable(other.id, made.id);
  await api.Runners.remove({ runnerId: made.id });
  return other.id;
}

async function tokens(group, other) {
  const made = await api.ProjectAccessTokens.create(project, "bot", ["api"], "2999-01-01", { accessLevel: 30 });
  const bot = new Gitlab({ host, token: made.token });
  assert.equal((await bot.Users.showCurrentUser()).bot, true);
  assert.deepEqual(names(await api.ProjectAccessTokens.all(project)), ["bot"]);
  await api.ProjectAccessTokens.revoke(project, made.id);
  await assert.rejects(bot.Users.showCurrentUser(), /401/);
  const shared = await api.GroupAccessTokens.create(group, "bots", ["read_api"], "2999-01-01", { accessLevel: 20 });
  assert.equal(shared.access_level, 20);
  await api.ProjectJobTokenScopes.addToInboundAllowList(project, other);
  assert.equal((await api.ProjectJobTokenScopes.showInboundAllowList(project)).length, 2);
  await api.ProjectJobTokenScopes.removeFromInboundAllowList(project, other);
  assert.equal((await api.ProjectJobTokenScopes.show(project)).inbound_enabled, true);
}

async function deliveries() {
  const environment = await api.Environments.create(project, "review/x");
  await api.Environments.stop(project, environment.id);
  await api.Environments.remove(project, environment.id);
  const release = await api.ProjectReleases.create(project, { tagName: "v1", name: "One", description: "First" });
  assert.equal(release.tag_name, "v1");
  await api.ReleaseLinks.create(project, "v1", "binary", "https://example.com/binary");
  assert.deepEqual(names(await api.ReleaseLinks.all(project, "v1")), ["binary"]);
}

async function people() {
  const made = await admin.Users.create({ username: "eve", name: "Eve", email: "eve@example.com", resetPassword: true });
  await admin.Users.block(made.id);
  assert.equal((await admin.Users.show(made.id)).state, "blocked");
  await admin.Users.unblock(made.id);
  await admin.Users.remove(made.id);
  assert.match((await api.Metadata.show()).version, /^19\./);
}

const { id, namespace } = await api.Projects.show(project);
const ended = (await api.Jobs.all(project, { scope: ["success"] }))[0].id;
await endedJob(ended);
await pipelines(await repository());
await settings(namespace.id);
await schedulesAndTriggers();
await tokens(namespace.id, await runners(id));
await deliveries();
await people();
console.log("done");
