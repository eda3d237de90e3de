// Has circleci-api tell the story of a build, as JSON. Arguments: the address of API v1.1 and a token.
const { CircleCI } = require("circleci-api");

const [circleHost, token] = process.argv.slice(2);
const vcs = { type: "github", owner: "acme", repo: "app" };
const api = new CircleCI({ token, circleHost, vcs });

async function finish(number) {
  for (;;) {
    const build = await api.build(number);
    if (build.lifecycle === "finished") return build;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function tell() {
  const me = await api.me();
  const followed = await api.followProject({ vcs });
  const projects = await api.projects();
  const built = await api.triggerBuildFor("main");
  const build = await finish(built.build_num);
  const artifacts = await api.artifacts(built.build_num);
  const latest = await api.latestArtifacts({ branch: "main", filter: "successful" });
  const { tests } = await api.getTestMetadata(built.build_num);
  const completed = await api.builds({ limit: 5, filter: "completed" });
  const ofBranch = await api.buildsFor("main", { limit: 5, filter: "failed" });
  const other = await api.triggerBuild();
  await api.cancel(other.build_num);
  const canceled = await finish(other.build_num);
  const recent = await api.recentBuilds({ limit: 1 });
  return {
    me: me.login,
    following: followed.following,
    projects: projects.map((each) => each.reponame),
    steps: Object.fromEntries(build.steps.map((step) => [step.name, step.actions[0].status])),
    artifacts: artifacts.map((each) => each.path),
    latest: latest.map((each) => each.path),
    tests: tests.map((each) => each.result),
    completed: completed.map((each) => each.build_num),
    failed: ofBranch.map((each) => each.build_num),
    canceled: [canceled.status, canceled.canceled],
    recent: recent.map((each) => each.build_num),
  };
}

tell().then(
  (told) => console.log(JSON.stringify(told)),
  (error) => {
    console.error(error.message, error.config && error.config.url, error.response && error.response.data);
    process.exit(1);
  },
);
