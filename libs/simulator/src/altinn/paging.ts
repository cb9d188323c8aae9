import type { AltinnState } from './altinn-state.js';

export const PAGE_SIZE = 50;

/** A host inside Altinn that a published example of `links.next` shows; no client may send its token there. */
const INTERNAL_ORIGIN = 'https://internal.platform.tt02.altinn.cloud';

/** `links` of a page: without `next` on the last one. */
export function links(altinn: AltinnState, path: string, token: string | undefined): { next?: string } {
  if (token === undefined) return {};
  const origin = altinn.settings.current.internalHostInNext ? INTERNAL_ORIGIN : altinn.world.urls().platformUrl;
  return { next: `${origin}${path}?token=${encodeURIComponent(token)}` };
}

/** Altinn's opaque cursor: base64url of a JSON number. */
export const encodeCursor = (sequence: number): string => Buffer.from(JSON.stringify(sequence)).toString('base64url');

/** `undefined` for what Altinn did not make. */
export function decodeCursor(token: string): number | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
