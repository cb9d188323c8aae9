import type { AxiosInstance as ImportedInstance } from 'axios';
import type { RequiredInstance } from './axios-options-commonjs.cjs';
import type { CallOptions } from './call-options.js';

// axios has two sets of declarations: this file reaches the one of `import`, its CommonJS neighbour the one of `require`.
// A project can meet both: `@nestjs/axios` 4 is CommonJS, also in an ESM project.
declare module 'axios' {
  // No type parameters: those of axios differ from release to release, and all have defaults.
  interface AxiosRequestConfig {
    /** Token for this call; wins over `@Scopes` and `MaskinportenContext.run`. Needs an instance that carries tokens. */
    maskinporten?: CallOptions;
  }
}

/** An instance of axios, whichever of its two declarations the project sees. */
export type AnyAxiosInstance = ImportedInstance | RequiredInstance;
