import { Reflector } from '@nestjs/core';
import { DecoratorUses } from '../handlers/index.js';
import type { DeclaredContext } from './token-context.js';

/** Holds what `@Scopes` says: a request that was normalised once when the class was loaded, or a function that makes one. */
export const ScopesMetadata = Reflector.createDecorator<DeclaredContext>();

/** Where `@Scopes` was written. */
export const scopesUses = new DecoratorUses<DeclaredContext>();
