/** Names of hosts that may be spoken to over `http:`, as `URL.hostname` writes them. */
export type InsecureHosts = ReadonlySet<string>;

export const NO_INSECURE_HOSTS: InsecureHosts = new Set();

/** The names in `given` that are names of hosts; what is wrong with the others is for the issuer's `checkInsecureHosts` to say. */
export function insecureHosts(given: unknown): InsecureHosts {
  if (!Array.isArray(given)) return NO_INSECURE_HOSTS;
  return new Set(given.map((entry: unknown) => hostName(entry)).filter((name) => name !== undefined));
}

function hostName(entry: unknown): string | undefined {
  if (typeof entry !== 'string' || !/^(?:[\w.-]{1,253}|\[[\da-f:.]{2,45}\])$/i.test(entry)) return undefined;
  if (!URL.canParse(`http://${entry}`)) return undefined;
  const { hostname } = new URL(`http://${entry}`);
  // Other spellings of an address, such as 127.1, are not what a URL will say.
  return hostname === entry.toLowerCase() && !hostname.endsWith('.') ? hostname : undefined;
}
