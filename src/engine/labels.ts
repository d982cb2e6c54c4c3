/** Which labels a container has: what its maker gave it, and what its image may add to that. Pure. */

type Labels = Readonly<Record<string, string>>;

/** Labels under these say whose a container is and what becomes of it; an image has no say in that. */
const STEERING = ["com.docker.compose.", "com.tscompose.", "org.tscompose."];

/** True for a label that only the maker of a container may give it. */
function isSteering(key: string): boolean {
  return STEERING.some((prefix) => key.startsWith(prefix));
}

/** The image's labels, without those that steer, under the maker's own. */
export function containerLabels(image: Labels | undefined, own: Labels | undefined): Record<string, string> {
  const passed = Object.entries(image ?? {}).filter(([key]) => !isSteering(key));
  return { ...Object.fromEntries(passed), ...own };
}
