import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import {
  AGENT_SYSTEM,
  A_ORDNING,
  AltinnBench,
  CLIENT_A,
  KB,
  KB_SCOPE,
  REDIRECT,
  SYSTEM,
  resourceRight,
} from '../altinn.fixtures.js';
import { startChromium, withChromium } from '../chromium.fixtures.js';
import { CUSTOMER, KEY, OTHER } from '../grants.fixtures.js';

const OPEN = `/kravogbetalinger/v1/regnskapssystem/${CUSTOMER}/aapnekrav`;
const HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=1</script>';

describe('the operator page, in a browser', () => {
  withChromium(() => {
    let bench: AltinnBench;
    let browser: Browser;
    let page: Page;
    /** Whatever the browser complains about, a breach of the content security policy included. */
    let complaints: string[];

    const open = async (path = '/operator'): Promise<void> => {
      await page.goto(`${bench.simulator.operatorUrl}${path}`);
    };
    const confirmPage = async (members: Record<string, unknown> = {}): Promise<string> => {
      const { id, confirmUrl } = await bench.request(members);
      await page.goto(String(confirmUrl));
      return String(id);
    };

    beforeAll(async () => {
      bench = await AltinnBench.start({ organisations: [{ orgno: CUSTOMER, name: 'Fjord Fisk AS' }] });
      browser = await startChromium();
    });
    afterAll(async () => {
      await browser?.close();
      await bench?.close();
    });
    beforeEach(async () => {
      bench.operator.reset();
      page = await browser.newPage();
      // The limit of the test is the only one.
      page.setDefaultTimeout(0);
      complaints = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
    });
    afterEach(async () => {
      await page.close();
      if (complaints.length > 0) throw new Error(`The browser complained: ${complaints.join('\n')}`);
    });

    it('shows a request at once when it arrives, and approving it makes the system user', async () => {
      await open();
      await page.getByText('Nobody has been asked for anything yet.').waitFor();
      const { id } = await bench.request();
      await page.getByText('asks Fjord Fisk AS for access').waitFor();
      await page.getByText(KB).first().waitFor();
      await page.getByRole('button', { name: 'Approve' }).click();
      await page.getByRole('status').getByText('Fjord Fisk AS has approved').waitFor();
      await page.getByRole('article', { name: `System user of ${SYSTEM}` }).waitFor();
      expect(bench.operator.systemUsers.get(String(id))).toMatchObject({ orgno: CUSTOMER });
      expect(await bench.grantOutcome(CUSTOMER)).toBe(200);
    });

    it('rejects, and lets a request time out', async () => {
      const first = String((await bench.request())['id']);
      await open();
      await page.getByRole('button', { name: 'Reject' }).click();
      await page.getByText('Rejected', { exact: true }).waitFor();
      expect(bench.operator.requests.get(first)?.status).toBe('Rejected');
      const second = String((await bench.request({ externalRef: 'second' }))['id']);
      await page.getByRole('button', { name: 'Let it time out' }).click();
      await page.getByText('Timed out', { exact: true }).waitFor();
      expect(bench.operator.requests.get(second)?.status).toBe('Timedout');
    });

    it('takes a right away and gives it back, and the API follows', async () => {
      const id = await bench.approved();
      const token = await bench.systemUserToken(KB_SCOPE);
      await open();
      const box = page.getByRole('checkbox', { name: KB });
      expect(await box.isChecked()).toBe(true);
      await box.uncheck();
      await page.getByRole('status').getByText(`${KB} is taken away`).waitFor();
      expect((await bench.api(OPEN, { token })).status).toBe(403);
      await page.getByText('The right is missing').first().waitFor();
      await box.check();
      await page.getByRole('status').getByText(`${KB} is given`).waitFor();
      expect(bench.operator.systemUsers.get(id)?.rights).toEqual([resourceRight(KB, 'read')]);
      expect((await bench.api(OPEN, { token })).status).toBe(200);
    });

    it('gives a package that the system defines and the customer has not approved', async () => {
      const id = await bench.approved();
      await open();
      await page.getByRole('checkbox', { name: 'a-ordning' }).check();
      await page.getByRole('status').getByText('a-ordning is given').waitFor();
      expect(bench.operator.systemUsers.get(id)?.accessPackages).toEqual([A_ORDNING]);
    });

    it('adds and removes an agent’s clients, and says when a number is wrong', async () => {
      const id = await bench.approved({ systemId: AGENT_SYSTEM, accessPackages: [{ urn: A_ORDNING }] }, '/agent');
      await open();
      const field = page.getByRole('textbox', { name: 'Organisation number of the client' });
      await field.fill('310 000 010');
      await page.getByRole('button', { name: 'Add client' }).click();
      await page
        .getByRole('status')
        .getByText(/modulus 11/)
        .waitFor();
      await field.fill('310 000 043');
      await page.getByRole('button', { name: 'Add client' }).click();
      const remove = page.getByRole('button', { name: `Remove client Organisation ${CLIENT_A}` });
      await remove.waitFor();
      expect(bench.operator.systemUsers.get(id)?.clients).toEqual([CLIENT_A]);
      await remove.click();
      await page.getByText('None yet').waitFor();
      expect(bench.operator.systemUsers.get(id)?.clients).toEqual([]);
      // The refused number is a 400, which the browser notes.
      complaints = complaints.filter((text) => !text.includes('400'));
    });

    it('deletes a system user only when asked twice', async () => {
      await bench.approved();
      await open();
      await page.getByRole('button', { name: 'Delete' }).click();
      expect(bench.operator.systemUsers.list()).toHaveLength(1);
      await page.getByRole('button', { name: 'Really delete?' }).click();
      await page.getByRole('status').getByText('has deleted the system user').waitFor();
      expect(await bench.grantOutcome(CUSTOMER)).toBe('MP-303');
    });

    it('shows what a change request would add and remove', async () => {
      const systemUserId = await bench.approved();
      bench.operator.changeRequests.add({ systemUserId, requiredRights: ['app_ttd_returns'], unwantedRights: [KB] });
      await open();
      const card = page.getByRole('article', { name: `Request from ${SYSTEM}` });
      await card.getByText('for a change').waitFor();
      await card.getByText('app_ttd_returns').waitFor();
      await card.getByText('and no longer wants').waitFor();
      await card.getByRole('button', { name: 'Approve' }).click();
      await card.waitFor({ state: 'detached' });
      expect(bench.operator.systemUsers.get(systemUserId)?.rights).toHaveLength(2);
    });

    it('logs each grant and call, refused ones with the reason in words, opened by hand', async () => {
      await bench.grantOutcome(CUSTOMER);
      await bench.approved();
      await bench.systemUserToken(KB_SCOPE);
      await open();
      const entry = page.locator('#log > li', { hasText: 'MP-303' });
      await entry.getByText('Altinn knows no such system user', { exact: false }).first().waitFor();
      await entry.locator('summary').click();
      await entry.getByText('The signature is right').waitFor();
      const all = await page.locator('#log > li').count();
      await page.getByRole('checkbox', { name: 'Only refused' }).check();
      expect(await page.locator('#log > li').count()).toBe(1);
      await page.getByRole('checkbox', { name: 'Only refused' }).uncheck();
      expect(await page.locator('#log > li').count()).toBe(all);
      // What a reader has opened stays open while news arrive.
      await bench.systemUserToken(KB_SCOPE);
      await page.locator('#log > li').nth(all).waitFor();
      expect(await entry.locator('details').getAttribute('open')).toBe('');
      await page.getByRole('button', { name: 'Clear' }).click();
      await page.getByText('Nobody has called yet.').waitFor();
      expect(bench.simulator.log).toEqual([]);
    });

    it('moves the clock, breaks an endpoint, turns a switch and resets', async () => {
      await open();
      await page.getByRole('button', { name: '+1 min' }).click();
      await page.getByText('Ahead by 60 s').waitFor();
      expect(bench.operator.clock.offsetSeconds).toBe(60);
      await page.getByRole('combobox', { name: 'Endpoint' }).selectOption('PDP');
      await page.getByRole('combobox', { name: 'Fault' }).selectOption('Answers 429');
      await page.getByRole('spinbutton', { name: 'Times' }).fill('2');
      await page.getByRole('button', { name: 'Break it' }).click();
      await page.getByText('met 0 of 2').waitFor();
      expect(bench.operator.faults.list()).toMatchObject([{ path: '/authorization/*', status: 429, times: 2 }]);
      await page.getByRole('button', { name: 'Remove' }).click();
      await page.getByText('met 0 of 2').waitFor({ state: 'detached' });
      await Promise.all([
        page.waitForResponse((response) => response.url().endsWith('/operator/api/altinn')),
        page.getByRole('checkbox', { name: 'PDP remembers rights' }).check(),
      ]);
      expect(bench.operator.altinn.current.pdpCacheSeconds).toBe(300);
      await page.getByRole('button', { name: 'Reset everything' }).click();
      await page.getByText('On time', { exact: true }).waitFor();
      expect(bench.operator.altinn.current.pdpCacheSeconds).toBe(0);
    });

    it('works with the keyboard alone, and keeps the focus when the page is redrawn', async () => {
      const id = String((await bench.request())['id']);
      await open();
      await page.getByRole('button', { name: 'Reject' }).focus();
      await bench.request({ partyOrgNo: OTHER });
      await page.getByText(`asks Organisation ${OTHER}`).waitFor();
      expect(await page.evaluate('document.activeElement.dataset.key')).toBe(`reject ${id}`);
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Enter');
      await page.getByRole('article', { name: `System user of ${SYSTEM}` }).waitFor();
      const box = page.getByRole('checkbox', { name: KB });
      await box.focus();
      await page.keyboard.press('Space');
      await page.getByRole('status').getByText(`${KB} is taken away`).waitFor();
      expect(bench.operator.systemUsers.get(id)?.rights).toEqual([]);
    });

    it('says when the simulator is gone', async () => {
      await open();
      await page.getByText('Live', { exact: true }).waitFor();
      await page.context().setOffline(true);
      await page.getByText('The simulator does not answer').waitFor();
      await page.context().setOffline(false);
      await page.getByText('Live', { exact: true }).waitFor();
      expect(await page.locator('#state').getAttribute('data-live')).toBe('true');
      complaints = complaints.filter((text) => !text.includes('ERR_INTERNET_DISCONNECTED'));
    });

    it('shows hostile names as text', async () => {
      bench.operator.organisations.add({ orgno: CUSTOMER, name: HOSTILE });
      await bench.request({ integrationTitle: HOSTILE, externalRef: HOSTILE });
      await open();
      await page.getByText(HOSTILE).first().waitFor();
      expect(await page.locator('img[src=x]').count()).toBe(0);
      expect(await page.title()).toBe('Operator · Maskinporten simulator');
    });

    it.each([
      ['light', 1280],
      ['dark', 1280],
      ['light', 360],
    ] as const)('needs no sideways scrolling, %s at %d pixels', async (colorScheme, width) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await bench.approved({ externalRef: 'r'.repeat(60), accessPackages: [{ urn: A_ORDNING }] });
      await bench.request();
      await open();
      await page.getByText('asks Fjord Fisk AS').waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      const ground = String(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
      const [red = 0] = ground.match(/\d+/g)?.map(Number) ?? [];
      expect(red < 128).toBe(colorScheme === 'dark');
    });

    describe('behind a confirmUrl', () => {
      it('asks the customer, approves, and leads back to the vendor', async () => {
        const id = await confirmPage({ redirectUrl: `${REDIRECT}?state=1` });
        await page.getByRole('heading', { name: `Give ${SYSTEM} access?` }).waitFor();
        await page.getByText('Fjord Fisk AS').first().waitFor();
        await page.getByText(KB).waitFor();
        await page.getByRole('button', { name: 'Approve' }).click();
        await page.getByRole('heading', { name: 'Approved' }).waitFor();
        expect(bench.operator.systemUsers.get(id)).toBeDefined();
        const back = page.getByRole('link', { name: 'Back to vendor.example' });
        expect(await back.getAttribute('href')).toBe(`${REDIRECT}?state=1`);
        await page.reload();
        await page.getByRole('heading', { name: 'Approved' }).waitFor();
      });

      it('rejects', async () => {
        const id = await confirmPage();
        await page.getByRole('button', { name: 'Reject' }).click();
        await page.getByRole('heading', { name: 'Rejected' }).waitFor();
        expect(bench.operator.requests.get(id)?.status).toBe('Rejected');
      });

      it('decides on a change request too', async () => {
        const systemUserId = await bench.approved();
        const [change] = bench.operator.changeRequests.add({
          systemUserId,
          unwantedRights: [resourceRight(KB, 'read')],
        });
        await open(`/accessmanagement/ui/systemuser/changerequest?id=${change?.id}&DONTCHOOSEREPORTEE=true`);
        await page.getByRole('heading', { name: 'It will lose' }).waitFor();
        await page.getByRole('button', { name: 'Approve' }).click();
        await page.getByRole('heading', { name: 'Approved' }).waitFor();
        expect(bench.operator.systemUsers.get(systemUserId)?.rights).toEqual([]);
      });

      it('opens from a link on a page of another site', async () => {
        const { confirmUrl } = await bench.request();
        await page.route('http://vendor.example/', (route) =>
          route.fulfill({ contentType: 'text/html', body: `<a href="${String(confirmUrl)}">go</a>` }),
        );
        await page.goto('http://vendor.example/');
        await page.getByRole('link', { name: 'go' }).click();
        await page.getByRole('button', { name: 'Approve' }).waitFor();
        expect(page.url()).toBe(confirmUrl);
      });

      it('says when there is no such request', async () => {
        await open('/accessmanagement/ui/systemuser/request?id=a1a1a1a1-0000-4000-8000-000000000000');
        await page.getByRole('heading', { name: 'No such request' }).waitFor();
        expect(await page.getByRole('button').count()).toBe(0);
        complaints = complaints.filter((text) => !text.includes('404'));
      });
    });

    it('T-84: is out of reach for a page of another site', async () => {
      const { id } = await bench.request();
      await page.route('http://evil.example/', (route) =>
        route.fulfill({ contentType: 'text/html', body: '<p>hi</p>' }),
      );
      await page.goto('http://evil.example/');
      const url = `${bench.simulator.operatorUrl}/operator/api/requests/${String(id)}/approve`;
      const attempt = `fetch(${JSON.stringify(url)}, { method: 'POST', mode: 'no-cors' }).then(() => 'sent', () => 'stopped')`;
      await page.evaluate(attempt);
      expect(bench.operator.requests.get(String(id))?.status).toBe('New');
      complaints = [];
    });

    it('says where it is, and takes a client whose key is pasted', async () => {
      await open();
      await page.getByText(bench.simulator.tokenEndpoint).waitFor();
      await page.getByRole('button', { name: 'Copy Token endpoint' }).waitFor();
      await page.getByText('Add a client').click();
      await page.getByLabel('Client id').fill('pasted');
      await page.getByLabel('Organisation number').fill(CUSTOMER);
      await page.getByLabel('Scopes').fill('acme:a acme:b');
      const key = page.getByLabel('Public key');
      await key.fill('x');
      await page.getByRole('button', { name: 'Add client' }).click();
      await page.getByRole('status').getByText('neither PEM nor JSON').waitFor();
      await key.fill(JSON.stringify(KEY.jwk));
      await page.getByRole('button', { name: 'Add client' }).click();
      await page.getByText('acme:a · acme:b').waitFor();
      expect(bench.operator.clients.get('pasted')).toMatchObject({ orgno: CUSTOMER, scopes: ['acme:a', 'acme:b'] });
      const { SCREENSHOTS } = process.env;
      if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/setup.png`, fullPage: true });
    });

    it('asks for a consent where viewUri leads, and goes back with the answer', async () => {
      const [id, refused] = ['77ed8698-e619-4066-9eb4-5c1eb3f165a1', '77ed8698-e619-4066-9eb4-5c1eb3f165a2'];
      const consent = {
        from: 'urn:altinn:person:identifier-no:01819000391',
        to: CUSTOMER,
        status: 'Created' as const,
        validTo: '2030-01-01T00:00:00+00:00',
        redirectUrl: 'https://bank.example/loan?consentId=1',
        consentRights: [{ resource: [{ type: 'urn:altinn:resource', value: HOSTILE }], metaData: { year: '2026' } }],
      };
      bench.operator.consents.add([
        { id, ...consent },
        { id: refused, ...consent },
      ]);
      await open(`/accessmanagement/ui/consent/request?id=${id}`);
      await page.getByText(HOSTILE).waitFor();
      await page.getByText('year: 2026').waitFor();
      await page.getByRole('button', { name: 'Approve' }).click();
      await page.getByRole('heading', { name: 'Consent given' }).waitFor();
      expect(await page.getByRole('link', { name: 'Back to bank.example' }).getAttribute('href')).toBe(
        'https://bank.example/loan?consentId=1&Status=OK',
      );
      expect(bench.operator.consents.get(id)?.status).toBe('Accepted');
      await open(`/accessmanagement/ui/consent/request?id=${refused}`);
      await page.getByRole('button', { name: 'Reject' }).click();
      await page.getByRole('heading', { name: 'Consent refused' }).waitFor();
      expect(await page.getByRole('link', { name: 'Back to bank.example' }).getAttribute('href')).toContain(
        'Status=Failed',
      );
    });

    it('asks once for the token when others can reach the simulator, and again when it is wrong', async () => {
      const operatorToken = 'a-token-of-the-test';
      const other = await AltinnBench.start({}, { separateOrigins: false, operatorToken });
      await page.goto(`${other.simulator.operatorUrl}/operator`);
      const field = page.getByLabel('Token', { exact: true });
      await field.fill('wrong');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('alert').getByText('That token is not right.').waitFor();
      await field.fill(operatorToken);
      await field.press('Enter');
      await page.getByText('Live', { exact: true }).waitFor();
      await page.reload();
      await page.getByText('Live', { exact: true }).waitFor();
      expect(await page.getByRole('dialog').count()).toBe(0);
      await other.close();
      // Chromium reports each 401 itself.
      expect(complaints.every((text) => text.includes('401') || text.includes('ERR_CONNECTION'))).toBe(true);
      complaints = [];
    });
  });
});
