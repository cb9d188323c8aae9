import { type Reader, isRecord, list } from '../kernel/index.js';
import { type Right, accessPackage, right } from '../maskinporten/index.js';

/** A trimmed text of the wire; `undefined` when it is absent, null or blank. */
export function trimmed(value: unknown): string | undefined {
  const content = typeof value === 'string' ? value.trim() : '';
  return content === '' ? undefined : content;
}

/** A text or number of the wire as text; anything else is empty. */
export function asText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

const wireRight: Reader<Right> = (value, field) =>
  // A bare id is the configuration's short form, and nothing that Altinn would take.
  right(isRecord(value) ? { ...value, action: value['action'] ?? undefined } : {}, field);

const wirePackage: Reader<string> = (value, field) =>
  accessPackage({ urn: isRecord(value) ? value['urn'] : '' }, field);

/** A list of the wire, where null is none. */
export const readRights: Reader<readonly Right[]> = (value, field) => list(wireRight)(value ?? [], field);
export const readPackages: Reader<readonly string[]> = (value, field) => list(wirePackage)(value ?? [], field);

/** Packages as Altinn writes them. */
export const packagesOf = (urns: readonly string[]): readonly { readonly urn: string }[] =>
  urns.map((urn) => ({ urn }));
