/** Brings the project up, tells every event, finds nothing left to do, and takes it down again. */
import { loadProject } from "tscompose/compose";
import { openEngine, TscError } from "tscompose/engine";
import { down, type ExecuteEvent, formatPlan, imageReferences, isEmpty, observe, planUp, up } from "tscompose/project";

const { env } = process;
await using engine = await openEngine({
  env,
  ...(env["TSCOMPOSE_ROOT"] === undefined ? {} : { root: env["TSCOMPOSE_ROOT"] }),
  ...(env["TSCOMPOSE_RUN_ROOT"] === undefined ? {} : { runRoot: env["TSCOMPOSE_RUN_ROOT"] }),
});
const project = await loadProject({ cwd: import.meta.dirname, env });
const onEvent = (event: ExecuteEvent): void => {
  if (event.type === "status") console.log(`${event.resource} ${event.name} ${event.text}`);
  else if (event.type === "warning") console.log(`warning: ${event.message}`);
};
try {
  await up(engine, project, { onEvent, env });
  const observed = await observe(engine, project.name, { images: imageReferences(project) });
  const again = await planUp(project, observed, { confirm: () => false });
  console.log(isEmpty(again) ? "nothing left to do" : formatPlan(again));
} catch (error) {
  if (!(error instanceof TscError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = error.exitCode;
} finally {
  await down(engine, project, { onEvent, volumes: true, timeoutMs: 0, env });
}
