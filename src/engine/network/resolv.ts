/** Text of a container's /etc/resolv.conf. Pure. */

/** What is known of the place and asked for by the container (`dns`, `search`, `options`: empty for nothing asked). */
export interface ResolvConfParts {
  /** Name servers of the container's networks, forwarding ones first; empty = use `host`. */
  readonly gateways: readonly string[];
  readonly host: {
    readonly servers: readonly string[];
    readonly search: readonly string[];
    readonly options: readonly string[];
  };
  readonly dns: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
  /** Host and container share loopback (network_mode host): loopback servers stay. */
  readonly sharesHost: boolean;
}

const word = (text: string): boolean => /^[^\s#;]+$/.test(text);

/**
 * With network name servers these are asked (they forward to `dns`), names are tried as they are first (`ndots:0`, as
 * docker does), so that a service name never leaks into a search domain. glibc reads three servers at most.
 */
export function resolvConfText(parts: ResolvConfParts): string {
  const served = parts.gateways.length > 0;
  const fallback = parts.host.servers.filter((ip) => parts.sharesHost || !/^(127\.|::1$)/.test(ip));
  const servers = served ? parts.gateways : parts.dns.length > 0 ? parts.dns : fallback;
  // docker: a lone "." empties the search list.
  const search = (parts.search.length > 0 ? parts.search.filter((domain) => domain !== ".") : parts.host.search).filter(
    word,
  );
  const options = (
    parts.options.length > 0 ? [...parts.options] : parts.dns.length > 0 && !served ? [] : [...parts.host.options]
  ).filter(word);
  if (served && !options.some((option) => option.startsWith("ndots:"))) options.push("ndots:0");
  const lines = [
    ...servers
      .filter(word)
      .slice(0, 3)
      .map((ip) => `nameserver ${ip}`),
    ...(search.length === 0 ? [] : [`search ${search.join(" ")}`]),
    ...(options.length === 0 ? [] : [`options ${options.join(" ")}`]),
  ];
  return `${lines.join("\n")}\n`;
}
