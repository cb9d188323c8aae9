import { isRecord } from '../kernel/index.js';
import type { AltinnState } from './altinn-state.js';
import type { ValidationProblem } from './problems.js';
import { resourceIdOf } from './registry.js';
import { asText, trimmed } from './wire.js';

/** Body of a system as vendors send it, before anything is believed. */
export interface WireSystem {
  readonly id: string;
  readonly vendorId: string;
  readonly rights: readonly (readonly { readonly id: string; readonly value: string }[])[];
  readonly packages: readonly string[];
  readonly clientIds: readonly string[];
  readonly redirectUrls: readonly string[];
  readonly isVisible: boolean;
}

const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map((item) => (typeof item === 'string' ? item : '')) : [];
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const wireRights = (value: unknown): WireSystem['rights'] =>
  list(value).map((right) =>
    list(isRecord(right) ? right['resource'] : undefined).map((attribute) => ({
      id: isRecord(attribute) ? asText(attribute['id']) : '',
      value: isRecord(attribute) ? asText(attribute['value']) : '',
    })),
  );

export const wirePackages = (value: unknown): readonly string[] =>
  list(value).map((entry) => (isRecord(entry) && typeof entry['urn'] === 'string' ? entry['urn'] : ''));

export function readWireSystem(body: unknown): WireSystem {
  const system = isRecord(body) ? body : {};
  const vendor = system['vendor'];
  return {
    id: typeof system['id'] === 'string' ? system['id'] : '',
    vendorId: (isRecord(vendor) ? trimmed(vendor['ID']) : undefined) ?? '',
    rights: wireRights(system['rights']),
    packages: wirePackages(system['accessPackages']),
    clientIds: strings(system['clientId']),
    redirectUrls: strings(system['allowedRedirectUrls']),
    isVisible: system['isVisible'] === true,
  };
}

const problem = (number: string, title: string, path: string): ValidationProblem => ({
  code: `AUTH.VLD-${number}`,
  title,
  paths: [`/registersystemrequest/${path}`],
});

const hasDuplicates = (values: readonly string[]): boolean => new Set(values).size !== values.length;

/** Rights of a system: known, well formed, delegable, each once. */
export function rightsProblems(rights: WireSystem['rights'], altinn: AltinnState): readonly ValidationProblem[] {
  const path = 'rights/resource';
  const problems: ValidationProblem[] = [];
  const ids = rights.map((resource) => resourceIdOf(resource));
  if (ids.some((id) => id === undefined || id === '')) {
    problems.push(problem('00009', 'The resource id has a wrong format.', path));
  }
  const named = ids.filter((id): id is string => id !== undefined && id !== '');
  if (named.some((id) => altinn.resource(id) === undefined)) {
    problems.push(problem('00003', 'One or more resources do not exist.', path));
  }
  if (named.some((id) => altinn.resource(id)?.delegable === false)) {
    problems.push(problem('00017', 'The type of a resource cannot be delegated.', path));
  }
  if (hasDuplicates(named)) problems.push(problem('00006', 'A right is listed more than once.', path));
  return problems;
}

/** Access packages of a system: known, each once. */
export function packagesProblems(packages: readonly string[], altinn: AltinnState): readonly ValidationProblem[] {
  const problems: ValidationProblem[] = [];
  if (hasDuplicates(packages)) {
    problems.push(problem('00007', 'An access package is listed more than once.', 'accesspackages'));
  }
  const unfit = (urn: string): boolean => {
    const found = altinn.accessPackage(urn);
    return found === undefined || (!found.assignable && !found.delegableToClients);
  };
  if (packages.some(unfit)) {
    problems.push(problem('00008', 'An access package does not exist or cannot be delegated.', 'accesspackages'));
  }
  return problems;
}

/** What is wrong with a system; `replaces` is the id in the URL of a PUT (Altinn, system register; Altinn, source of authentication). */
export function systemProblems(
  system: WireSystem,
  altinn: AltinnState,
  replaces?: string,
): readonly ValidationProblem[] {
  const problems: ValidationProblem[] = [];
  const add = (number: string, title: string, path: string): void => {
    problems.push(problem(number, title, path));
  };
  const vendor = /^0192:(\d{9})$/.exec(system.vendorId)?.[1];
  if (vendor === undefined) add('00000', 'The organisation number must be in ISO 6523 form.', 'vendor/id');
  if (vendor !== undefined && !system.id.startsWith(`${vendor}_`)) {
    add('00001', 'The system id must begin with the organisation number and an underscore.', 'id');
  }
  if (/\s/.test(system.id)) add('00013', 'The system id must not contain spaces.', 'id');
  if (replaces === undefined && altinn.systems.get(system.id) !== undefined) {
    add('00002', 'The system id exists already.', 'id');
  }
  if (replaces !== undefined && replaces !== system.id) {
    add('00012', 'The system id in the body is not that of the URL.', 'id');
  }
  problems.push(...rightsProblems(system.rights, altinn), ...packagesProblems(system.packages, altinn));
  const others = altinn.systems.list().filter(({ id }) => id !== (replaces ?? system.id));
  if (system.clientIds.some((client) => others.some(({ clientIds }) => clientIds.includes(client)))) {
    add('00004', 'One or more client ids belong to another system.', 'clientid');
  }
  if (hasDuplicates(system.clientIds)) add('00011', 'A client id is listed more than once.', 'clientid');
  if (system.redirectUrls.some((url) => !/^https?:\/\//.test(url) || !URL.canParse(url))) {
    add('00005', 'A redirect URL has a wrong format.', 'allowedredirecturls');
  }
  if (system.isVisible && system.packages.some((urn) => altinn.accessPackage(urn)?.assignable === false)) {
    add('00018', 'A system with packages for clients only cannot be visible.', 'isvisible');
  }
  return problems;
}
