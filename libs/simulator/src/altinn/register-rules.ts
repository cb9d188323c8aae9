import { isRecord } from '../kernel/index.js';
import type { AltinnState } from './altinn-state.js';
import type { ValidationProblem } from './problems.js';
import { resourceIdOf } from './registry.js';
import { asText, trimmed } from './wire.js';

interface WireRight {
  readonly action: string | undefined;
  readonly resource: readonly { readonly id: string; readonly value: string }[];
}

/** Body of a system as vendors send it, before anything is believed. */
export interface WireSystem {
  /** As it was sent: blanks in it are a fault of their own. */
  readonly id: string;
  readonly vendorId: string;
  readonly rights: readonly WireRight[];
  readonly packages: readonly string[];
  readonly clientIds: readonly string[];
  readonly redirectUrls: readonly string[];
  readonly isVisible: boolean;
  readonly name: unknown;
  readonly description: unknown;
  /** Required members that are not there, as .NET names them. */
  readonly missing: readonly string[];
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const strings = (value: unknown): readonly string[] => list(value).map((item) => trimmed(item) ?? '');

/** Member names count without regard to case: the published samples write some of them in lower case. */
function members(value: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, content]) => [name.toLowerCase(), content]));
}

export const wireRights = (value: unknown): readonly WireRight[] =>
  list(value).map((right) => ({
    action: trimmed(members(right)['action']),
    resource: list(members(right)['resource']).map((attribute) => {
      const { id, value: content } = members(attribute);
      return { id: asText(id).trim(), value: asText(content).trim() };
    }),
  }));

export const wirePackages = (value: unknown): readonly string[] =>
  list(value).map((entry) => trimmed(members(entry)['urn']) ?? '');

export function readWireSystem(body: unknown): WireSystem {
  const system = members(body);
  const required = {
    Id: system['id'],
    Vendor: system['vendor'],
    Name: system['name'],
    Description: system['description'],
  };
  return {
    id: typeof system['id'] === 'string' ? system['id'] : '',
    vendorId: trimmed(members(system['vendor'])['id']) ?? '',
    rights: wireRights(system['rights']),
    packages: wirePackages(system['accesspackages']),
    clientIds: strings(system['clientid']),
    redirectUrls: strings(system['allowedredirecturls']),
    isVisible: system['isvisible'] !== false,
    name: system['name'],
    description: system['description'],
    missing: Object.entries(required)
      .filter(([, value]) => value === undefined || value === null || value === '')
      .map(([name]) => name),
  };
}

/** Titles to the letter: public clients look for `already exists`, and may look for others. */
const TITLES = {
  '00000': 'the org number identifier is not valid ISO6523 identifier',
  '00001': 'The system id does not match the format orgnumber_xxxx...',
  '00002': 'The system id already exists',
  '00003': "One or more resources specified in rights were not found in Altinn's resource register.",
  '00004': 'One of the client id is already tagged with an existing system',
  '00005': 'One or more of the redirect urls format is not valid. The valid format is https://xxx.xx',
  '00006': 'One or more duplicate rights found',
  '00007': 'One or more duplicate access package(s) found',
  '00008': "One or all the accesspackage(s) is not found in altinn's access packages or is not delegable",
  '00009': 'One or more resource id is in wrong format. The valid format is urn:altinn:resource',
  '00011': 'Request contains duplicate client ids',
  '00012': 'The system ID in the request body does not match the system ID in the URL',
  '00013': 'System ID cannot have spaces in id (leading, trailing or in between the id)',
  '00017': 'One or more resources specified in rights is of resource type which is not delegable.',
  '00018':
    "Access packages meant for system user for client relations can't be used in combination with the flag isVisible: true",
} as const;

function finding(
  number: keyof typeof TITLES,
  path: string,
  extension: Readonly<Record<string, string>> = {},
): ValidationProblem {
  return { code: `AUTH.VLD-${number}`, title: TITLES[number], paths: [`/registersystemrequest/${path}`], ...extension };
}

const hasDuplicates = (values: readonly string[]): boolean => new Set(values).size !== values.length;
const joined = (values: readonly string[]): string => [...new Set(values)].join(' | ');

/** The number in `0192:<number>`; `undefined` for what is not ISO 6523. */
export const vendorOf = ({ vendorId }: WireSystem): string | undefined => /^0192:(\d{9})$/.exec(vendorId)?.[1];

export const notIso6523 = (): ValidationProblem => finding('00000', 'vendor/id');
export const otherId = (): ValidationProblem => finding('00012', 'systemid');

/** Rights of a system: well formed, known, delegable, each once. The extensions name the ids, spelled as Altinn does. */
export function rightsProblems(rights: WireSystem['rights'], altinn: AltinnState): readonly ValidationProblem[] {
  const path = 'rights/resource';
  const named = rights.map(({ resource }) => resourceIdOf(resource) ?? '').filter((id) => id !== '');
  const malformed = rights.filter(({ resource }) => (resourceIdOf(resource) ?? '') === '');
  const unknown = named.filter((id) => altinn.resource(id) === undefined);
  const undelegable = named.filter((id) => altinn.resource(id)?.delegable === false);
  const details = joined(malformed.flatMap(({ resource }) => resource.map(({ id, value }) => `${id}:${value}`)));
  return [
    ...(malformed.length > 0 ? [finding('00009', path, { 'Invalid Resource Id Details : ': details })] : []),
    ...(unknown.length > 0 ? [finding('00003', path, { 'ResourceIds Not Found : ': joined(unknown) })] : []),
    ...(undelegable.length > 0
      ? [finding('00017', path, { 'ResourceIds Not Delegable : ': joined(undelegable) })]
      : []),
    ...(hasDuplicates(named) ? [finding('00006', path)] : []),
  ];
}

/** Access packages of a system: known, each once. */
export function packagesProblems(packages: readonly string[], altinn: AltinnState): readonly ValidationProblem[] {
  const unfit = packages.filter((urn) => {
    const found = altinn.accessPackage(urn);
    return found === undefined || (!found.assignable && !found.delegableToClients);
  });
  return [
    ...(unfit.length > 0 ? [finding('00008', 'accesspackages', { 'Invalid Urn Details : ': joined(unfit) })] : []),
    ...(hasDuplicates(packages) ? [finding('00007', 'accesspackages')] : []),
  ];
}

function visibleProblems({ isVisible, packages }: WireSystem, altinn: AltinnState): readonly ValidationProblem[] {
  const clientsOnly = packages.some((urn) => altinn.accessPackage(urn)?.assignable === false);
  return isVisible && clientsOnly ? [finding('00018', 'accesspackages')] : [];
}

function takenClients({ clientIds }: WireSystem, altinn: AltinnState, own: string): readonly ValidationProblem[] {
  const others = altinn.systems.list().filter(({ id }) => id !== own);
  const taken = clientIds.some((client) => others.some((system) => system.clientIds.includes(client)));
  return taken ? [finding('00004', 'clientid')] : [];
}

const badUrl = (url: string): boolean => !URL.canParse(url) || new URL(url).protocol !== 'https:';

/** What is wrong with a new system of this vendor, in Altinn's order (Altinn, system register). */
export function newSystemProblems(
  system: WireSystem,
  vendor: string,
  altinn: AltinnState,
): readonly ValidationProblem[] {
  return [
    ...(/\s/.test(system.id) ? [finding('00013', 'systemid')] : []),
    ...(system.id.startsWith(`${vendor}_`) ? [] : [finding('00001', 'systemid')]),
    // A deleted system keeps its id.
    ...(altinn.systems.get(system.id) === undefined ? [] : [finding('00002', 'systemid')]),
    ...(system.redirectUrls.some(badUrl) ? [finding('00005', 'allowedredirecturls')] : []),
    ...takenClients(system, altinn, system.id),
    ...rightsProblems(system.rights, altinn),
    ...packagesProblems(system.packages, altinn),
    ...visibleProblems(system, altinn),
  ];
}

/** What is wrong with a replacement; redirect URLs are not looked at here (Altinn, source of authentication). */
export function changedSystemProblems(system: WireSystem, altinn: AltinnState): readonly ValidationProblem[] {
  return [
    ...rightsProblems(system.rights, altinn),
    ...packagesProblems(system.packages, altinn),
    ...visibleProblems(system, altinn),
    ...takenClients(system, altinn, system.id),
    ...(hasDuplicates(system.clientIds) ? [finding('00011', 'clientid')] : []),
  ];
}
