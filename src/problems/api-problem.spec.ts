import { AxiosError, AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from '@jest/globals';
import { apiProblem, describeCall } from './api-problem.js';

const config: InternalAxiosRequestConfig = {
  method: 'get',
  baseURL: 'https://api.example.no/v1',
  url: '/things?pid=canary',
  headers: new AxiosHeaders({ authorization: 'canary' }),
};

function failed(status: number | undefined, code = 'ERR_BAD_RESPONSE', retryAfter?: string): AxiosError {
  const response = {
    status,
    statusText: '',
    data: 'canary',
    headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
    config,
  } as AxiosResponse;
  return new AxiosError('canary', code, config, undefined, status === undefined ? undefined : response);
}

describe('apiProblem', () => {
  it.each([
    [400, 400, 'API_REFUSED'],
    [401, 502, 'SERVER_ERROR'],
    [403, 403, 'API_REFUSED'],
    [404, 404, 'API_REFUSED'],
    [409, 409, 'API_REFUSED'],
    [302, 502, 'SERVER_ERROR'],
    [429, 503, 'SERVER_ERROR'],
    [500, 502, 'SERVER_ERROR'],
    [503, 503, 'SERVER_ERROR'],
  ])('an API that answers %i is %i to our caller', (status, ours, code) => {
    expect(apiProblem(failed(status))).toMatchObject({ status: ours, code });
  });

  it.each([
    ['ECONNREFUSED', 503, 'API_UNREACHABLE'],
    ['ECONNABORTED', 504, 'API_TIMEOUT'],
    ['ETIMEDOUT', 504, 'API_TIMEOUT'],
  ])('%s is %i', (code, status, failure) => {
    expect(apiProblem(failed(undefined, code))).toMatchObject({ status, failures: [{ code: failure }] });
  });

  it('passes on a Retry-After of whole seconds only, and only when waiting helps', () => {
    expect(apiProblem(failed(503, undefined, '12')).retryAfterSeconds).toBe(12);
    expect(apiProblem(failed(503, undefined, 'soon\r\nx: y')).retryAfterSeconds).toBeUndefined();
    expect(apiProblem(failed(500, undefined, '12')).retryAfterSeconds).toBeUndefined();
  });

  it('T-03: repeats no header, query, body or message of the call', () => {
    for (const error of [failed(500), failed(403), failed(undefined)]) {
      expect(JSON.stringify([apiProblem(error), describeCall(error)])).not.toContain('canary');
    }
    expect(describeCall(failed(500))).toEqual({
      method: 'GET',
      host: 'api.example.no',
      path: '/v1/things',
      status: 500,
      reason: 'ERR_BAD_RESPONSE',
    });
  });
});
