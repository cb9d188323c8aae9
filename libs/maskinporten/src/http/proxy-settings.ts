import { configurationError } from '../errors/index.js';

/** Where calls are proxied: absolute URLs, or empty for no proxy. */
export interface ProxySettings {
  readonly httpProxy: string;
  readonly httpsProxy: string;
  /** As `NO_PROXY` has it. */
  readonly noProxy: string;
}

/** Why a proxy address is not usable; never quotes it, because people put credentials into it. */
type ProxyVerdict = { readonly url: string } | { readonly reason: string };

/**
 * Settles the option `proxy`: an address, or `environment` for the variables of the process. In lower case they win, and
 * an empty one means no proxy, as everywhere (curl, undici).
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) that names the option or the variable (F-147).
 */
export function proxySettings(proxy: string, environment: NodeJS.ProcessEnv = process.env): ProxySettings {
  if (proxy !== 'environment') {
    const url = addressIn('the option proxy', proxy);
    return { httpProxy: url, httpsProxy: url, noProxy: '' };
  }
  const read = (...names: readonly string[]): string => {
    const name = names.find((each) => Object.hasOwn(environment, each));
    const value = name === undefined ? '' : (environment[name] ?? '').trim();
    return name === undefined || value === '' ? '' : addressIn(`the variable ${name}`, value);
  };
  const httpProxy = read('http_proxy', 'HTTP_PROXY');
  const httpsProxy = read('https_proxy', 'HTTPS_PROXY');
  const noProxy = ['no_proxy', 'NO_PROXY'].find((name) => Object.hasOwn(environment, name));
  return { httpProxy, httpsProxy, noProxy: noProxy === undefined ? '' : (environment[noProxy] ?? '') };
}

/** An http or https URL of a proxy; `host:3128` is taken as http, as by curl. */
export function checkProxy(value: unknown): ProxyVerdict {
  if (typeof value !== 'string' || !/^[\x21-\x7e]{1,2048}$/.test(value)) {
    return { reason: 'must be an http or https URL, such as http://proxy.example.no:3128' };
  }
  const withScheme = /^[a-z][a-z\d+.-]*:\/\//i.test(value);
  const text = withScheme ? value : `http://${value}`;
  // A bare word is rather a mistake than a host: without a scheme the port says that an address is meant.
  if (!URL.canParse(text) || (!withScheme && !/:\d{1,5}\/?$/.test(value)))
    return { reason: 'is not a URL, such as http://proxy.example.no:3128' };
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return { reason: 'must be an http or https proxy: other kinds are not supported' };
  }
  try {
    decodeURIComponent(`${url.username}:${url.password}`);
  } catch {
    return { reason: 'has a user name or password that is not percent-encoded' };
  }
  return { url: url.href };
}

function addressIn(where: string, value: string): string {
  const verdict = checkProxy(value);
  if ('url' in verdict) return verdict.url;
  throw configurationError([{ field: 'http.proxy', code: 'MP_CONFIG', reason: `${where} ${verdict.reason}` }]);
}
