/** The container spec of a service. */
export { serviceConfig, serviceSpec } from "./service-spec.js";
