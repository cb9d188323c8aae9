import type { Simulator } from 'maskinporten-simulator';

/** What a newcomer sees after `npm start`. */
export function welcome(serviceUrl: string, simulator: Simulator, brokerUrl: string): string {
  const line = '─'.repeat(88);
  return `
${line}
  DEMO MODE: no MASKINPORTEN_* variable is set, so this service uses a simulator in its own
  process and a key that was made just now. No real Maskinporten, no real data.

    service          ${serviceUrl}
    issuer           ${simulator.issuer}
    token endpoint   ${simulator.tokenEndpoint}
    Broker API       ${brokerUrl}
    operator         ${simulator.operatorUrl}/operator/api/log

  Call an API with a token that the simulator checked:

    curl ${serviceUrl}/broker/transfers

  See what it checked:

    curl ${simulator.operatorUrl}/operator/api/log

  With credentials of your own: copy .env.example to .env, fill it in and start again.
${line}

`;
}
