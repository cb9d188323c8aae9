import { describe, expect, it } from '@jest/globals';
import { DelegationDecisions } from './delegation-decisions.js';

describe('delegation decisions', () => {
  it('T-11: pass on codes, and nothing that could hold a number or a name', () => {
    const decisions = new DelegationDecisions();
    const heard: string[] = [];
    decisions.onDecision((decision) => heard.push(decision));
    for (const decision of ['allowed', 'right_missing', '310000027', 'right_missing 310000027', 'x'.repeat(41), '']) {
      decisions.record(decision);
    }
    expect(heard).toEqual(['allowed', 'right_missing', 'other', 'other', 'other', 'other']);
  });

  it('F-138: a listener that throws is counted, and the others still hear', () => {
    const decisions = new DelegationDecisions();
    const heard: string[] = [];
    decisions.onDecision(() => {
      throw new Error('canary');
    });
    const stop = decisions.onDecision((decision) => heard.push(decision));
    decisions.record('allowed');
    stop();
    decisions.record('allowed');
    expect([heard, decisions.listenerFailures]).toEqual([['allowed'], 2]);
  });
});
