/** `<NAME>_PORT` and `<NAME>_PORT_<n>_<PROTOCOL>`, whose values are addresses such as `tcp://10.0.0.1:80`. */
const ADDRESS_NAME = /_PORT(?:_\d{1,5}_(?:TCP|UDP|SCTP))?$/;
const ADDRESS = /^(?:tcp|udp|sctp):\/\/[\w.:[\]-]{1,253}$/i;
/** `<NAME>_SERVICE_HOST`, `<NAME>_SERVICE_PORT`, `<NAME>_SERVICE_PORT_<PORT NAME>` and the parts of an address. */
const PART_NAME =
  /(?:_SERVICE_HOST|_SERVICE_PORT(?:_[A-Z\d_]{1,63})?|_PORT_\d{1,5}_(?:TCP|UDP|SCTP)_(?:PROTO|PORT|ADDR))$/;

/**
 * Whether Kubernetes made the variable for a Service of the same namespace: a Service called `maskinporten` gives every
 * pod `MASKINPORTEN_SERVICE_HOST`, `MASKINPORTEN_PORT=tcp://10.0.0.1:80` and more. They are nobody's settings.
 * https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
 */
export function isServiceLink(name: string, value: unknown): boolean {
  if (PART_NAME.test(name)) return true;
  return ADDRESS_NAME.test(name) && typeof value === 'string' && ADDRESS.test(value.trim());
}
