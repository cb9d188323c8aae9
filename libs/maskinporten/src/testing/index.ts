// For tests of applications that use this package: a token service that needs nothing, and the simulator.
export { FakeMaskinportenTokenService } from './fake-token-service.js';
export { issueToken } from './issue-token.js';
export type { IssueTokenOptions } from './issue-token.js';
export { simulatorOptions } from './simulator-options.js';
export type { RunningSimulator } from './running-simulator.js';
export type { SimulatorClientOptions } from './simulator-options.js';
