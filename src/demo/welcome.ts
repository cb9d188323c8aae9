import type { Simulator } from 'maskinporten-simulator';
import { NEW_CUSTOMER } from './demo-simulator.js';

interface Step {
  readonly title: string;
  readonly line: string;
}

/** The life of a delegation in lines to paste, in a shell with curl; in order, slowly or at once. */
export function tour(serviceUrl: string, apiKey: string, operatorUrl: string): string {
  const { orgno, name } = NEW_CUSTOMER;
  const own = `${serviceUrl}/organisations/${orgno}`;
  const operator = `${operatorUrl}/operator/api`;
  const show = "-sw '\\n%{http_code}\\n'";
  const call = `curl ${show} -H 'Authorization: Bearer ${apiKey}'`;
  const steps: readonly Step[] = [
    { title: `Ask. 403 system_user_missing: the customer has not approved the system.`, line: `${call} ${own}/claims` },
    {
      title: 'Request access. 201, and confirmUrl is where the customer approves it.',
      line: `R=$(${call} -X POST ${own}/system-user-requests); echo "$R"; ID=$(echo "$R" | grep -o '"id":"[^"]*' | cut -c7-)`,
    },
    {
      title: `Be the customer: open confirmUrl, or ${operatorUrl}/operator, in a browser and approve. Or:`,
      line: `curl ${show} -X POST ${operator}/requests/$ID/approve`,
    },
    { title: 'Look at the request. 200 Accepted.', line: `${call} ${own}/system-user-requests/$ID` },
    { title: 'Ask again. 200 and the claims.', line: `${call} ${own}/claims` },
    {
      title: 'Be the customer who takes the right back; on the operator page too.',
      line: `curl ${show} -X DELETE ${operator}/systemUsers/$ID/rights/ske-krav-og-betalinger`,
    },
    { title: 'Ask once more. 403 right_missing.', line: `${call} ${own}/claims` },
    {
      title: 'Who did what for this customer today? 200, for a spreadsheet; without format=csv as JSON.',
      line: `${call} "${serviceUrl}/audit?organisation=${orgno}&day=$(date -u +%F)&format=csv"`,
    },
  ];
  const lines = steps.map(({ title, line }, index) => `  ${index + 1}. ${title}\n\n     ${line}\n`);
  return `  Act for a customer, ${name} (${orgno}):\n\n${lines.join('\n')}`;
}

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
