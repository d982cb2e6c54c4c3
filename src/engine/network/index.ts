/** The network part's public face. */

export { DEFAULT_NETWORK } from "./networks.js";
export { openNetworking } from "./open.js";
export type {
  Attachment,
  AttachRequest,
  AttachResult,
  Networking,
  NetworkingInfo,
  ResolvConfRequest,
} from "./types.js";
