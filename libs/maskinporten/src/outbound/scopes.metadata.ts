import { Reflector } from '@nestjs/core';
import { DecoratorUses } from '../handlers/index.js';
import type { DeclaredScope } from './scoped-request.js';

/** Holds what `@Scopes` says: a request that was normalised once when the class was loaded, or a function that makes one. */
export const ScopesMetadata = Reflector.createDecorator<DeclaredScope>();

/** Where `@Scopes` was written. */
export const scopesUses = new DecoratorUses<DeclaredScope>();
