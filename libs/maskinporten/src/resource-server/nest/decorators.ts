import { applyDecorators, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { ownMembers } from '../../basics/index.js';
import { configurationError } from '../../errors/index.js';
import { parseScopes } from '../../grants/index.js';
import type { DecoratorUses, ValueSource } from '../../handlers/index.js';
import { ConsumerInterceptor } from './consumer.interceptor.js';
import { MessageInboundFilter } from './inbound-answer.js';
import {
  RequiredAnyScope,
  RequiredConsent,
  RequiredPid,
  RequiredRight,
  RequiredScopes,
  anyScopeUses,
  consentUses,
  pidUses,
  rightUses,
  scopeUses,
  type ConsentRequirement,
  type RightRequirement,
} from './requirements.js';
import { ResourceServerGuard } from './resource-server.guard.js';

/** Everything that a decorator of ours brings, and a refusal to be written twice on one thing (T-56). */
function requirement<Value>(
  name: string,
  uses: DecoratorUses<Value>,
  value: Value,
  metadata: ClassDecorator & MethodDecorator,
): ClassDecorator & MethodDecorator {
  const decorate = uses.decorator(
    value,
    applyDecorators(
      metadata,
      UseGuards(ResourceServerGuard),
      UseInterceptors(ConsumerInterceptor),
      UseFilters(MessageInboundFilter),
    ),
  );
  return (...decorated: [target: object, member?: string | symbol, descriptor?: object]) => {
    const [target, member] = decorated;
    const prototype: unknown = Reflect.get(target, 'prototype');
    const known = member === undefined ? uses.ofClass(prototype as object) : uses.ofMember(target, member);
    if (known !== undefined) throw refused(name, 'is written twice on the same thing: write what is meant in one');
    Reflect.apply(decorate, undefined, decorated);
  };
}

/**
 * Runs a handler (or all of a class) only for a valid Maskinporten token that has all of these scopes, compared whole and
 * with case. What a method says replaces what its class says, `@RequireAnyScope` included. Works on HTTP, RPC, GraphQL
 * and WebSocket handlers; it brings its own guard. Where it would have no effect the application does not start.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) when the class is loaded, without scopes or with something else
 * @example
 * @Get('organisations/:orgno/report')
 * @RequireScope('acme:reports.read')
 * report(@CurrentConsumer() { organisation }: Consumer) { … }
 */
export function RequireScope(...scopes: readonly [string, ...string[]]): ClassDecorator & MethodDecorator {
  const checked = scopesOf('@RequireScope', scopes);
  return requirement('@RequireScope', scopeUses, checked, RequiredScopes(checked));
}

/**
 * As `@RequireScope`, for a token that has at least one of these scopes. Both on one handler: both must hold.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) when the class is loaded, without scopes or with something else
 * @example @RequireAnyScope('acme:reports.read', 'acme:reports.write')
 */
export function RequireAnyScope(...scopes: readonly [string, ...string[]]): ClassDecorator & MethodDecorator {
  const checked = scopesOf('@RequireAnyScope', scopes);
  return requirement('@RequireAnyScope', anyScopeUses, checked, RequiredAnyScope(checked));
}

/**
 * Runs a handler only when the token's `pid` is the person that the call is about (Digdir, person-restricted tokens). The
 * person has not logged in. For HTTP handlers that require a scope too.
 *
 * @param person where the call says who it is about; anything but the same eleven digits is `pid_mismatch`
 * @example @RequirePid(fromParam('pid'))
 */
export function RequirePid(person: ValueSource): ClassDecorator & MethodDecorator {
  if (typeof person !== 'function') throw refused('@RequirePid', 'needs fromParam, fromBody or a function');
  return requirement('@RequirePid', pidUses, person, RequiredPid(person));
}

/**
 * Runs a handler only when the token carries a consent that covers this call: given by the one whose data it is, to the
 * consumer, still running, for this resource, action and metadata. For HTTP handlers that require a scope too.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) when the class is loaded and something of it is missing
 * @example @RequireConsent({ resource: 'acme-income', metadata: { inntektsaar: fromParam('year') }, from: fromParam('pid') })
 */
export function RequireConsent(consent: ConsentRequirement): ClassDecorator & MethodDecorator {
  const value = Object.freeze(ownMembers(consent));
  const { resource, action, metadata, from } = value;
  if (typeof resource !== 'string' || resource === '') throw refused('@RequireConsent', 'needs the id of a resource');
  if (action !== undefined && typeof action !== 'string') throw refused('@RequireConsent', 'action must be a text');
  if (typeof from !== 'function') throw refused('@RequireConsent', 'from must be fromParam, fromBody or a function');
  const expected: readonly unknown[] = Object.values(ownMembers(metadata) ?? {});
  if (!expected.every((each) => typeof each === 'string' || typeof each === 'function')) {
    throw refused('@RequireConsent', 'metadata must hold texts, fromParam, fromBody or functions');
  }
  return requirement('@RequireConsent', consentUses, value, RequiredConsent(value));
}

/**
 * Runs a handler only for the token of a system user to which Altinn's PDP gives this right: asked with the token and
 * subscription key of this application's own client (`MaskinportenModule`). A yes is used again for 30 seconds where the
 * call only reads. For HTTP handlers that require a scope too.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) when the class is loaded and something of it is missing
 * @example @RequireDelegatedRight({ resource: 'acme-reports', action: 'read', party: fromParam('orgno') })
 */
export function RequireDelegatedRight(right: RightRequirement): ClassDecorator & MethodDecorator {
  const name = '@RequireDelegatedRight';
  const value = Object.freeze(ownMembers(right));
  const { resource, action, party, client } = value;
  if (typeof resource !== 'string' || !/^[\w.:-]{1,255}$/.test(resource)) {
    throw refused(name, 'resource must be an id of the resource registry');
  }
  if (typeof action !== 'string' || action === '') throw refused(name, 'action must be a text, such as read');
  if (party !== undefined && typeof party !== 'function') {
    throw refused(name, 'party must be fromParam, fromBody or a function');
  }
  if (client !== undefined && typeof client !== 'string') throw refused(name, 'client must be the name of a client');
  return requirement(name, rightUses, value, RequiredRight(value));
}

function scopesOf(name: string, scopes: readonly string[]): readonly string[] {
  const parsed = parseScopes(scopes);
  if ('reason' in parsed) throw refused(name, parsed.reason);
  return Object.freeze(parsed.scopes);
}

const refused = (field: string, reason: string): Error => configurationError([{ field, code: 'MP_CONFIG', reason }]);
