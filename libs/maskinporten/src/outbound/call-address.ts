import { Axios, type InternalAxiosRequestConfig } from 'axios';

/** Joins `baseURL` and `url` the way axios does; parameters are added later and cannot change the destination. */
const joiner = new Axios({});
export function addressOf({ baseURL, url, allowAbsoluteUrls }: InternalAxiosRequestConfig): string {
  if (baseURL === undefined && url !== undefined) return url;
  return joiner.getUri({
    ...(baseURL === undefined ? {} : { baseURL }),
    ...(url === undefined ? {} : { url }),
    ...(allowAbsoluteUrls === undefined ? {} : { allowAbsoluteUrls }),
  });
}

/**
 * Mocks and caches look for `url` and `baseURL` as they were written, but each joins them in its own way. They get them
 * only when every usual way leads to a place that is allowed; otherwise they get the address that was judged.
 */
export function isPlainAddress(
  { baseURL, url = '' }: InternalAxiosRequestConfig,
  allowed: (text: string) => boolean,
): boolean {
  if (baseURL === undefined) return true;
  const resolved = URL.canParse(url, baseURL) ? new URL(url, baseURL).href : undefined;
  const joined = `${baseURL.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}`;
  return resolved !== undefined && allowed(resolved) && allowed(joined) && allowed(`${baseURL}${url}`);
}
