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
  const url = parse(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw destinationRefused('the address is neither https nor http');
  // Hardly any address has one of these two, and taking an address apart costs more than parsing it.
  if (text.includes('\\') || text.includes('@')) refuseHiddenHost(text, url);
  return url;
}

function refuseHiddenHost(text: string, url: URL): void {
  const [address = ''] = text.split(/[?#]/, 1);
  if (address.includes('\\')) throw destinationRefused('the address contains a backslash');
  const [, , authority = ''] = address.split('/', 3);
  if (url.username !== '' || url.password !== '' || authority.includes('@')) {
    throw destinationRefused('the address contains a user name');
  }
}

/** Asking `URL.canParse` first would parse every address twice. */
function parse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw destinationRefused('the address is not an absolute URL');
  }
}

export function destinationRefused(reason: string): MaskinportenError {
  return createError('MP_DESTINATION', { message: `The call was not sent: ${reason}.` });
}
