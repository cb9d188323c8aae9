import type axios = require('axios');
import type { CallOptions } from './call-options.js' with { 'resolution-mode': 'import' };

declare module 'axios' {
  interface AxiosRequestConfig {
    /** Token for this call; wins over `@Scopes` and `MaskinportenContext.run`. Needs an instance that carries tokens. */
    maskinporten?: CallOptions;
  }
}

/** An instance of axios as CommonJS code sees it. */
export type RequiredInstance = axios.AxiosInstance;
