/** Reads a compose file and prints what `up` would do on a machine that holds nothing yet. Starts nothing, needs no rights. */
import { type ComposeFs, isTscError, loadProject, type Project, TscError } from "tscompose/compose";
import { formatPlan, type Observed, type Plan, planUp } from "tscompose/project";

const project: Project = await loadProject({ cwd: import.meta.dirname, env: process.env });
const nothing: Observed = {
  project: project.name,
  containers: [],
  networks: new Map(),
  volumes: new Map(),
  images: new Map(),
};
const plan: Plan = await planUp(project, nothing, { confirm: () => false });
process.stdout.write(formatPlan(plan));

// What is wrong with a file is told with its place, a code that stays the same, and what to do.
const broken: ComposeFs = {
  readFile: () => "services:\n  web:\n    imag: alpine\n",
  exists: () => true,
  isDirectory: () => false,
  realpath: (path) => path,
  readStdin: () => "",
};
try {
  await loadProject({ cwd: "/", env: {}, files: ["compose.yaml"], fs: broken });
} catch (error) {
  if (!(error instanceof TscError) || !isTscError(error, "TSC_COMPOSE_SCHEMA")) throw error;
  console.log(`${error.code} at line ${error.where?.line}: ${error.hint}`);
}
