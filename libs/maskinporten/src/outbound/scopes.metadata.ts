import { Reflector } from '@nestjs/core';
import type { MaskinportenScope } from './scoped-request.js';

/** Holds what `@Scopes` says, normalised once when the class is loaded. */
export const ScopesMetadata = Reflector.createDecorator<MaskinportenScope>();
