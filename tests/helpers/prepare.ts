/** Makes what test files share in the cache folder, so that files that run beside each other only read it. */
import { debianRootfs, PACKAGES, type TestImage } from "./debian.js";
import { CACHE } from "./host.js";

for (const image of Object.keys(PACKAGES) as TestImage[]) debianRootfs(image, CACHE);
