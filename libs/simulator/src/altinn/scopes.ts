/** Scopes of Altinn's authentication API (Altinn, scopes). Note that the lookups need scopes that are called `write`. */
export const REGISTER_ADMIN = 'altinn:authentication/systemregister.admin';
export const REGISTER_SCOPES = ['altinn:authentication/systemregister.write', REGISTER_ADMIN];
export const REQUEST_WRITE = ['altinn:authentication/systemuser.request.write'];
export const REQUEST_READ = ['altinn:authentication/systemuser.request.read'];
export const AUTHORIZED_PARTIES = ['altinn:accessmanagement/authorizedparties', 'altinn:portal/enduser'];
export const PDP_SCOPES = ['altinn:authorization/authorize', 'altinn:authorization/authorize.admin'];

export const CONSENT_WRITE = 'altinn:consentrequests.write';
export const CONSENT_READ = 'altinn:consentrequests.read';

export const AUTHENTICATION = '/authentication/api/v1';
