import type { Simulator } from 'maskinporten-simulator';
import { tour } from './tour.js';

/** What a newcomer sees after `npm start`. */
export function welcome(serviceUrl: string, apiKey: string, simulator: Simulator, brokerUrl: string): string {
  const line = '─'.repeat(88);
  const header = `Authorization: Bearer ${apiKey}`;
  const call = `-H '${header}' ${serviceUrl}/broker/transfers`;
  const { issuer, tokenEndpoint, operatorUrl } = simulator;
  return `
${line}
  DEMO MODE: no MASKINPORTEN_* variable is set, so this service uses a simulator in its own
  process and keys that were made just now. No real Maskinporten, no real data.

    service          ${serviceUrl}
    your API key     ${apiKey}
    its routes       ${serviceUrl}/docs
    issuer           ${issuer}
    token endpoint   ${tokenEndpoint}
    Broker API       ${brokerUrl}
    operator         ${operatorUrl}/operator
    log of checks    ${operatorUrl}/operator/api/log

  Call an API with a token that the simulator checked, and see what it checked:

    curl ${call}
    curl ${operatorUrl}/operator/api/log

  Make a call and fetch what the audit log has about it:

    ID=$(curl -s ${call} | grep -o '"requestId":"[^"]*' | cut -c14-); curl -H '${header}' ${serviceUrl}/audit/$ID

${tour(serviceUrl, apiKey, operatorUrl)}
  With credentials of your own: copy .env.example to .env, fill it in and start again.
${line}

`;
}
