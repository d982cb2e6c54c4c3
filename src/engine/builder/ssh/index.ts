/** SSH in builds: the agents of a request, and the socket that a step signs by. */
export type { Agent } from "./agent.js";
export { mountAgent, openAgents } from "./forwards.js";
