/**
 * Link-local addresses (RFC 3927, RFC 4291 §2.5.6): what answers there are the machine's own surroundings, such as a cloud's service
 * that hands out the machine's credentials. No address that a stranger chose (a redirect, a token server, a Dockerfile's ADD) leads there.
 */
import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import { BlockList, isIP } from "node:net";

const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet("169.254.0.0", 16, "ipv4");
LINK_LOCAL.addSubnet("fe80::", 10, "ipv6");
// an IPv4 address written as IPv6 is the same host
LINK_LOCAL.addSubnet("::ffff:169.254.0.0", 112, "ipv6");
LINK_LOCAL.addSubnet("64:ff9b::169.254.0.0", 112, "ipv6");
// where one cloud answers under a unique local address
LINK_LOCAL.addAddress("fd00:ec2::254", "ipv6");

/** True for an address (brackets and zone allowed) that is link-local; false for names. */
export function isLinkLocal(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, "").replace(/%.*$/s, "");
  const version = isIP(address);
  return version !== 0 && LINK_LOCAL.check(address, version === 4 ? "ipv4" : "ipv6");
}

/** Error of `lookupElsewhere` for a name that means a link-local address. */
export const LINK_LOCAL_CODE = "ERR_LINK_LOCAL";

type Callback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

/** `dns.lookup` for `net.connect`, failing with `ERR_LINK_LOCAL` when any address of the name is link-local. */
export function lookupElsewhere(name: string, options: LookupOptions, callback: Callback): void {
  lookup(name, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, []);
    if (addresses.some(({ address }) => isLinkLocal(address))) {
      return callback(Object.assign(new Error(`${name} means a link-local address`), { code: LINK_LOCAL_CODE }), []);
    }
    if (options.all === true) return callback(null, addresses);
    const [first] = addresses;
    callback(null, first?.address ?? "", first?.family);
  });
}
