import { isRecord, read, readList, readRecords, readText, type WireRecord } from './wire.js';

/** One resource of the resource registry, optionally one action on it. */
export interface Right {
  /** `ske-krav-og-betalinger`; an app is `app_{org}_{app}`. */
  readonly resource: string;
  /** Default: all that the resource has. */
  readonly action?: string;
}

export function writeRight({ resource, action }: Right): object {
  return {
    ...(action === undefined ? {} : { action: action.trim() }),
    resource: [{ id: 'urn:altinn:resource', value: resource.trim() }],
  };
}

/** The rights of a list on the wire; an app may be named by its owner and its own name. */
export function readRights(record: WireRecord, name: string): Right[] {
  return readRecords(record, name).flatMap((right) => {
    const resource = resourceOf(readRecords(right, 'resource'));
    const action = readText(right, 'action');
    if (resource === undefined) return [];
    return [{ resource, ...(action === undefined ? {} : { action }) }];
  });
}

function resourceOf(attributes: readonly WireRecord[]): string | undefined {
  const value = (id: string): string | undefined => {
    const found = attributes.find((attribute) => readText(attribute, 'id')?.toLowerCase() === id);
    return found === undefined ? undefined : readText(found, 'value');
  };
  const direct = value('urn:altinn:resource');
  if (direct !== undefined) return direct;
  const org = value('urn:altinn:org');
  const app = value('urn:altinn:app');
  return org === undefined || app === undefined ? undefined : `app_${org}_${app}`;
}

/** URNs of access packages, written as objects on the wire. */
export function readPackages(record: WireRecord, name: string): string[] {
  return (readList(record, name) ?? []).flatMap((entry) => {
    if (typeof entry === 'string') return [entry];
    const urn = isRecord(entry) ? read(entry, 'urn') : undefined;
    return typeof urn === 'string' ? [urn] : [];
  });
}

const PACKAGE_PREFIX = 'urn:altinn:accesspackage:';

/** Callers may leave the prefix out. */
export function writePackage(accessPackage: string): object {
  const name = accessPackage.trim();
  return { urn: name.startsWith('urn:') ? name : `${PACKAGE_PREFIX}${name}` };
}
