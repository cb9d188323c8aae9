import { createError, type MaskinportenError } from '../errors/index.js';

/** Tabs and line feeds vanish when a URL is parsed, so what a person checks is not what is called. */
const CONTROL = /\p{Cc}/u;

/**
 * Parses the address of an outgoing call, refusing every spelling that makes the host hard to see (T-22).
 *
 * @throws OutboundCallRefusedError (`MP_DESTINATION`); the message never repeats path or query.
 */
export function parseOutboundUrl(text: string): URL {
  if (CONTROL.test(text)) throw destinationRefused('the address contains a control character');
  if (!URL.canParse(text)) throw destinationRefused('the address is not an absolute URL');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw destinationRefused('the address is neither https nor http');
  const [address = ''] = text.split(/[?#]/, 1);
  if (address.includes('\\')) throw destinationRefused('the address contains a backslash');
  const [, , authority = ''] = address.split('/', 3);
  if (url.username !== '' || url.password !== '' || authority.includes('@')) {
    throw destinationRefused('the address contains a user name');
  }
  return url;
}

export function destinationRefused(reason: string): MaskinportenError {
  return createError('MP_DESTINATION', { message: `The call was not sent: ${reason}.` });
}
