// The module and its options.
export { MaskinportenModule } from './module/index.js';
export type {
  AltinnOptions,
  MaskinportenModuleAsyncOptions,
  MaskinportenModuleExtras,
  MaskinportenOptions,
  MaskinportenOptionsFactory,
  RetryOptions,
  TokenCacheOptions,
  TokenHttpOptions,
} from './module/index.js';
export type {
  FileKeySource,
  JwkKeySource,
  KeySource,
  MaskinportenSigner,
  PemKeySource,
  Pkcs12KeySource,
  SignerKeySource,
} from './keys/index.js';
export type { SigningAlgorithm } from './key-files/index.js';

// Tokens.
export { MaskinportenToken, MaskinportenTokenService, createTokenService } from './tokens/index.js';
export type {
  GetTokenOptions,
  TokenEvent,
  TokenEventListener,
  TokenServiceConfig,
  TokenStore,
} from './tokens/index.js';
export { normaliseTokenRequest, parseOrganisationNumber } from './grants/index.js';
export type { NormalisedTokenRequest, TokenRequest, TokenRequestInput } from './grants/index.js';
export { InjectMaskinporten, getMaskinportenToken } from './outbound/index.js';

// Outgoing calls.
export {
  MaskinportenContext,
  MaskinportenHttpModule,
  MaskinportenHttpService,
  MaskinportenScopes,
  MaskinportenScopesInterceptor,
  Scopes,
  attachMaskinporten,
  maskinportenFetch,
} from './outbound/index.js';
export type {
  CallExtras,
  CallOptions,
  ClientTokenRequest,
  ContextOptions,
  Destination,
  FetchDefaults,
  InstanceDefaults,
  MaskinportenFetch,
  MaskinportenFetchInit,
  MaskinportenHttpAsyncOptions,
  MaskinportenHttpOptions,
  MaskinportenHttpOptionsFactory,
  TokenContext,
  OutboundTokens,
  ScopesArguments,
  ScopesFunction,
  ScopesInput,
} from './outbound/index.js';

// Many organisations at once.
export { MaskinportenFanOut } from './fan-out/index.js';
export type { FanOutOptions, FanOutOutcome, FanOutProgress, FanOutWork } from './fan-out/index.js';

// Handlers: what an application says to the check of its decorators.
export { Unguarded, guardedBy } from './handlers/index.js';

// System users: acting for a customer.
export {
  CallerPolicy,
  CurrentSystemUser,
  DelegationError,
  InjectSystemUsers,
  RequireSystemUser,
  SystemUserGuard,
  SystemUserService,
  VerifiedDelegation,
  fromBody,
  fromParam,
  getSystemUserServiceToken,
  isDelegationError,
} from './system-user/index.js';
export type {
  DelegatedAction,
  DelegationProblem,
  RightQuery,
  SystemUserQuery,
  SystemUserRequestInput,
  SystemUserRequirement,
  ValueSource,
} from './system-user/index.js';
export { DELEGATION_CODES } from './rights/index.js';
export type {
  DelegationCode,
  DelegationCodeFacts,
  RightDecision,
  RightGranularity,
  RightsStrategy,
} from './rights/index.js';
export { AUTH_CODES, AltinnError, isAltinnError } from './altinn/index.js';
export type {
  AltinnValidationError,
  AuthCodeFacts,
  NewChangeRequest,
  RequestStatus,
  Right,
  RightInput,
  SystemUser,
  SystemUserChangeRequest,
  SystemUserRequest,
} from './altinn/index.js';

// What can be listened to.
export { CallObservers, DelegationDecisions, RequestContext } from './signals/index.js';
export type { CallObserver, CallOutcome, OutboundCall, RequestContextInit } from './signals/index.js';

// Telemetry.
export { INSTRUMENTS, MaskinportenTelemetryModule } from './telemetry/index.js';
export type {
  Attributes,
  FinishedSpan,
  Instrument,
  MaskinportenTelemetryOptions,
  Measurement,
  TelemetrySink,
} from './telemetry/index.js';

// Audit.
export {
  AuditConflictError,
  AuditLog,
  CheckpointSigner,
  CheckpointVerifier,
  GENESIS,
  MaskinportenAuditModule,
  SEALED_MEMBERS,
  canonicalText,
  hashOf,
  verifyAuditLog,
} from './audit/index.js';
export type {
  AuditCheckpoint,
  AuditConflict,
  AuditEntry,
  AuditFacts,
  AuditFinding,
  AuditFindingKind,
  AuditHead,
  AuditKind,
  AuditLogOptions,
  AuditPage,
  AuditRecord,
  AuditScan,
  AuditSearch,
  AuditStatus,
  AuditStore,
  AuditVerification,
  CheckpointKey,
  MaskinportenAuditModuleAsyncOptions,
  MaskinportenAuditOptions,
  MaskinportenAuditOptionsFactory,
  OtherCalls,
  UnsealedRecord,
  VerifyAuditOptions,
} from './audit/index.js';

// Errors.
export {
  AccessNotGrantedError,
  ERROR_CODES,
  MaskinportenConfigurationError,
  MaskinportenError,
  OperationAbortedError,
  OutboundCallRefusedError,
  SigningCredentialError,
  TokenEndpointUnavailableError,
  TokenRequestInvalidError,
  TokenRequestRejectedError,
  TokenResponseUnusableError,
  isMaskinportenError,
  problemStatus,
} from './errors/index.js';
// What an application logs itself goes through the same redactor.
export { redact } from './basics/index.js';
export type {
  ActBy,
  ErrorCategory,
  ErrorCodeFacts,
  Failure,
  Hint,
  MaskinportenErrorCode,
  OAuthErrorName,
} from './errors/index.js';
export { MaskinportenExceptionFilter, problemDocument } from './outbound/index.js';
export type { MaskinportenProblem } from './outbound/index.js';
