import { isRecord } from '../basics/index.js';
import { PACKAGE_PREFIX } from './authorized-party.js';
import { inputList, inputRecord, inputText, wrongInput } from './input.js';
import { read, readList, readRecords, readText, type WireRecord } from './wire.js';

/** One resource of the resource registry, optionally one action on it. */
export interface Right {
  /** `ske-krav-og-betalinger`; an app is `app_{org}_{app}`. */
  readonly resource: string;
  /** Default: all that the resource has. */
  readonly action?: string | undefined;
}

/** A right as a caller may write it: in short, or with the resource as Altinn itself has it. */
export type RightInput =
  | Right
  | {
      /** `[{ id: 'urn:altinn:resource', value: 'ske-krav-og-betalinger' }]`, or an app by `urn:altinn:org` and `urn:altinn:app`. */
      readonly resource: readonly { readonly id: string; readonly value: string }[];
      readonly action?: string | undefined;
    };

/** @throws TokenRequestInvalidError (`MP_REQUEST`) naming the field that is wrong */
export function writeRights(value: unknown, field: string): readonly object[] {
  return inputList(value, field).map((right, index) => writeRight(right, `${field}[${index}]`));
}

function writeRight(value: unknown, field: string): object {
  const { resource, action } = inputRecord(value, field);
  const checked = action === undefined ? undefined : inputText(action, `${field}.action`);
  return {
    action: checked,
    resource: [{ id: 'urn:altinn:resource', value: resourceFrom(resource, `${field}.resource`) }],
  };
}

function resourceFrom(value: unknown, field: string): string {
  if (!Array.isArray(value)) return inputText(value, field);
  const attributes = inputList(value, field).map((entry, index) => {
    const at = `${field}[${index}]`;
    const { id, value: named } = inputRecord(entry, at);
    return { id: inputText(id, `${at}.id`).toLowerCase(), value: inputText(named, `${at}.value`) };
  });
  const resource = resourceOf(attributes);
  const isOne = attributes.length === (attributes[0]?.id === 'urn:altinn:resource' ? 1 : 2);
  if (resource !== undefined && isOne) return resource;
  throw wrongInput(field, 'must name one resource: urn:altinn:resource, or urn:altinn:org with urn:altinn:app');
}

/** The rights of a list on the wire; an app may be named by its owner and its own name. */
export function readRights(record: WireRecord, name: string): Right[] {
  return readRecords(record, name).flatMap((right) => {
    const resource = resourceOf(readRecords(right, 'resource'));
    const action = readText(right, 'action');
    if (resource === undefined) return [];
    return [{ resource, action }];
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

/**
 * Callers may leave the prefix out, or give Altinn's own `{ urn }`.
 *
 * @throws TokenRequestInvalidError (`MP_REQUEST`) naming the field that is wrong
 */
export function writePackages(value: unknown, field: string): readonly object[] {
  return inputList(value, field).map((entry, index) => {
    const at = `${field}[${index}]`;
    const name =
      typeof entry === 'string' ? inputText(entry, at) : inputText(inputRecord(entry, at)['urn'], `${at}.urn`);
    return { urn: name.startsWith('urn:') ? name : `${PACKAGE_PREFIX}${name}` };
  });
}
