import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { DecoratorUses, type ValueSource } from '../../handlers/index.js';

/** What `@RequireConsent` requires. */
export interface ConsentRequirement {
  /** Id of the resource that the consent is for. */
  readonly resource: string;
  /** Default: any action of the resource. */
  readonly action?: string;
  /** What its metadata must say, by the names that the resource defines: a text, or where the call says it. */
  readonly metadata?: Readonly<Record<string, string | ValueSource>>;
  /** Who must have consented: eleven digits of a person, nine of an organisation, or the whole URN of either. */
  readonly from: ValueSource;
}

/** What `@RequireDelegatedRight` requires. */
export interface RightRequirement {
  /** Id in Altinn's resource registry; an app is `app_{org}_{app}`. */
  readonly resource: string;
  readonly action: string;
  /** Whose data it is: an organisation number. Default: the customer that owns the system user. */
  readonly party?: ValueSource;
  /** Which of this application's clients asks the PDP. Default: the one without a name. */
  readonly client?: string;
}

/** Each decorator, with what it keeps on a handler or a class. */
export const RequiredScopes = Reflector.createDecorator<readonly string[]>();
export const RequiredAnyScope = Reflector.createDecorator<readonly string[]>();
export const RequiredPid = Reflector.createDecorator<ValueSource>();
export const RequiredConsent = Reflector.createDecorator<ConsentRequirement>();
export const RequiredRight = Reflector.createDecorator<RightRequirement>();

/** Where they were written. */
export const scopeUses = new DecoratorUses<readonly string[]>();
export const anyScopeUses = new DecoratorUses<readonly string[]>();
export const pidUses = new DecoratorUses<ValueSource>();
export const consentUses = new DecoratorUses<ConsentRequirement>();
export const rightUses = new DecoratorUses<RightRequirement>();

/** All that a handler requires: of its method, else of its class. */
export interface Requirements {
  readonly all: readonly string[];
  readonly any: readonly string[];
  readonly pid: ValueSource | undefined;
  readonly consent: ConsentRequirement | undefined;
  readonly right: RightRequirement | undefined;
}

type Target = Parameters<Reflector['get']>[1];

/** @returns undefined when no decorator of ours stands there */
export function requirementsOf(reflector: Reflector, targets: readonly Target[]): Requirements | undefined {
  const scopes = targets.find(
    (target) =>
      reflector.get(RequiredScopes, target) !== undefined || reflector.get(RequiredAnyScope, target) !== undefined,
  );
  const pid = reflector.getAllAndOverride(RequiredPid, [...targets]) as ValueSource | undefined;
  const consent = reflector.getAllAndOverride(RequiredConsent, [...targets]) as ConsentRequirement | undefined;
  const right = reflector.getAllAndOverride(RequiredRight, [...targets]) as RightRequirement | undefined;
  const isNothing = [scopes, pid, consent, right].every((each) => each === undefined);
  if (isNothing) return undefined;
  return {
    all: (scopes && reflector.get(RequiredScopes, scopes)) ?? [],
    any: (scopes && reflector.get(RequiredAnyScope, scopes)) ?? [],
    pid,
    consent,
    right,
  };
}

export const targetsOf = (context: ExecutionContext): readonly Target[] => [context.getHandler(), context.getClass()];
